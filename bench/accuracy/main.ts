import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { splitMjpeg } from '../../harness/mjpeg.ts';
import { describeError } from '../../shared/errors.ts';
import type { AccuracyReport } from './accuracy-report.ts';
import { type BandwidthRow, measureBandwidth } from './bandwidth.ts';
import { chartsOf } from './charts.ts';
import { type ClipResult, evaluateClip, lookAtClips } from './clips.ts';
import { measureCovers } from './covers/measure.ts';
import { measureDots } from './dots/measure.ts';
import { readDots } from './dots/read.ts';
import { type HeadsResult, lookAtHeads, measureHeads } from './heads/measure.ts';
import { decode, type Looker, openLooker, type Shot } from './look.ts';
import { parseOptions, USAGE } from './options.ts';
import { jsonOf, markdownOf, tablesOf } from './report.ts';
import { measureSent, type SentRow } from './sent.ts';
import { evaluateGroups, lookAtFolder, PROGRESS_EVERY, type StillsResult } from './stills.ts';
import { makeGrid, REPORT_SEED } from './synthetic/grid.ts';
import { measureSynthetic, type SeenFrame } from './synthetic/measure.ts';
import { renderScenes } from './synthetic/render.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const CLIPS_DIR = join(root, 'harness/clips');
const BANDWIDTH_CLIPS = ['cap12.mjpeg', 'cap13.mjpeg'];
/** Every how many-th frame of a clip and of the grid's looks goes into the bandwidth table. */
const CLIP_STEP = 8;
const GRID_STEP = 2;

/** Where the report goes: text for a person or a program, and what is being done meanwhile. */
export interface Sinks {
  out(text: string): void;
  progress(text: string): void;
}

interface Rendered {
  readonly frames: readonly SeenFrame[];
  readonly jpegs: readonly Uint8Array[];
}

async function lookAtSynthetic(
  headPath: string | null,
  looker: Looker,
  { progress }: Sinks,
  skip: (what: string) => void,
): Promise<Rendered | null> {
  if (headPath === null) {
    skip('synthetic: no rigged head (name one with --head)');
    return null;
  }
  let glb: Uint8Array;
  try {
    glb = await readFile(headPath);
  } catch (error) {
    skip(`synthetic: ${describeError(error)}`);
    return null;
  }
  const grid = makeGrid(REPORT_SEED);
  const jpegs: Uint8Array[] = [];
  const frames: SeenFrame[] = [];
  try {
    // A frame is analysed while the next one is rendered.
    for await (const jpeg of renderScenes(
      glb,
      grid.map(({ scene }) => scene),
    )) {
      const frame = grid[frames.length];
      if (frame === undefined) break;
      const { observation } = await looker.still(await decode(jpeg));
      jpegs.push(jpeg);
      frames.push({ ...frame, observation });
      if (frames.length % PROGRESS_EVERY === 0) progress(`rendered head: ${frames.length} of ${grid.length}`);
    }
    return { frames, jpegs };
  } catch (error) {
    skip(`synthetic: ${describeError(error)}`);
    return null;
  }
}

async function bandwidthShots(rendered: Rendered | null): Promise<Shot[]> {
  const shots: Shot[] = [];
  for (const name of BANDWIDTH_CLIPS) {
    const clip = await readFile(join(CLIPS_DIR, name)).catch(() => null);
    const frames = clip === null ? [] : splitMjpeg(clip);
    for (let i = 0; i < frames.length; i += CLIP_STEP) shots.push(await decode(frames[i] ?? new Uint8Array()));
  }
  const looks = rendered?.frames.flatMap(({ set }, i) => (set === 'states' ? [i] : [])) ?? [];
  for (let i = 0; i < looks.length; i += GRID_STEP) {
    shots.push(await decode(rendered?.jpegs[looks[i] ?? 0] ?? new Uint8Array()));
  }
  return shots;
}

async function measureUnlikeHeads(
  dir: string | null,
  looker: Looker,
  { progress }: Sinks,
  skip: (what: string) => void,
): Promise<HeadsResult | null> {
  if (dir === null) {
    skip('heads: no base mesh (name its folder with --heads)');
    return null;
  }
  try {
    return measureHeads(await lookAtHeads(dir, looker, progress));
  } catch (error) {
    skip(`heads: ${describeError(error)}`);
    return null;
  }
}

async function writeReport(report: AccuracyReport): Promise<void> {
  const file = join(root, 'docs/accuracy.md');
  const images = join(dirname(file), 'images');
  await mkdir(images, { recursive: true });
  for (const { name, svg } of chartsOf(report)) await writeFile(join(images, name), svg);
  await writeFile(file, markdownOf(report, chartsOf(report)));
}

/**
 * The accuracy report. Returns the exit status: 0 whatever was there to be measured (what was skipped
 * is said), 2 for wrong usage.
 */
export async function runAccuracy(args: readonly string[], sinks: Sinks): Promise<number> {
  let options: ReturnType<typeof parseOptions>;
  try {
    options = parseOptions(args);
  } catch (error) {
    sinks.progress(describeError(error));
    return 2;
  }
  if (options.help) {
    sinks.out(USAGE);
    return 0;
  }
  const skipped: string[] = [];
  const skip = (what: string): void => {
    skipped.push(what);
    sinks.progress(`skipped: ${what}`);
  };
  const said = { skip, progress: sinks.progress };
  const looker = await openLooker();
  try {
    const stills: StillsResult[] = [];
    for (const dir of options.dirs) {
      sinks.progress(`looking at ${dir}`);
      const seen = await lookAtFolder(dir, looker, said);
      if (seen !== null) stills.push(...evaluateGroups(seen.name, seen.rows));
    }
    const dots = options.dots === null ? null : await readDots(options.dots, options.images, looker, said);
    const clips: ClipResult[] = (await lookAtClips(CLIPS_DIR, looker, skip)).map(evaluateClip);
    if (!options.synthetic) skip('synthetic: left out by --no-synthetic');
    const rendered = options.synthetic ? await lookAtSynthetic(options.head, looker, sinks, skip) : null;
    if (!options.bandwidth) skip('bandwidth: left out by --no-bandwidth');
    const bandwidth: readonly BandwidthRow[] = options.bandwidth
      ? await measureBandwidth(await bandwidthShots(rendered), looker)
      : [];
    const sent: readonly SentRow[] =
      options.bandwidth && rendered !== null
        ? await measureSent(rendered.frames, rendered.jpegs, looker, sinks.progress)
        : [];
    const report: AccuracyReport = {
      stills,
      clips,
      dots: dots === null ? null : measureDots(dots),
      synthetic: rendered === null ? null : measureSynthetic(rendered.frames),
      frames: rendered?.frames ?? [],
      sent,
      bandwidth,
      covers: options.bandwidth ? await measureCovers(CLIPS_DIR, looker) : [],
      heads: await measureUnlikeHeads(options.heads, looker, sinks, skip),
      skipped,
    };
    sinks.out(`${tablesOf(report)}\n`);
    if (options.json) sinks.out(`${JSON.stringify(jsonOf(report))}\n`);
    else if (rendered === null || !options.bandwidth)
      sinks.progress('docs/accuracy.md is left as it is: parts are missing');
    else await writeReport(report);
    return 0;
  } finally {
    await looker.close();
  }
}
