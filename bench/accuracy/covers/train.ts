import { readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { seededRandom } from '../../../harness/random.ts';
import { IMAGE_LEFT_EYE, IMAGE_RIGHT_EYE } from '../../../shared/vision/canonical-face.ts';
import { chanceOf, eyeInputs, writeEyeNetwork } from '../../../shared/vision/eye-pixels.ts';
import { createPlainPictures } from '../../../shared/vision/image.ts';
import { MESH_FORMAT } from '../../../shared/vision/locate.ts';
import { MESH_SIZE } from '../../../shared/vision/mesh-output.ts';
import { landmarksToTensor } from '../../../shared/vision/roi.ts';
import { openHeadShop } from '../heads/head.ts';
import { lidScenes } from '../heads/lids.ts';
import { makeRecipes } from '../heads/recipes.ts';
import { decode, type Looker, openLooker, readStill, type Shot } from '../look.ts';
import { resend, type SendingWay, wayName } from '../resend.ts';
import { renderScenes } from '../synthetic/render.ts';
import { COVERS, drawCover } from './draw.ts';
import { fitEyeNetwork } from './fit.ts';

/**
 * Fits the networks of shared/vision/eye-pixels.ts:
 * `tsx bench/accuracy/covers/train.ts --out FILE.ts --open DIR… --covered DIR… --video DIR… --heads DIR`.
 * Pictures of --open show faces with open eyes, over which covers are drawn; those of --covered hide both eyes;
 * those of --video are frames of clips, whose eyes count as shut or open as the mesh says of the frame whole and unharmed;
 * --heads is the folder of the base mesh of which heads are rendered with open, narrow and shut eyes. The part of a
 * file's name before the first _ or - names its subject; every fourth subject is left out of a first fit and measured.
 */

const WAYS: readonly (SendingWay | null)[] = [
  null,
  { sizePx: 192, quality: 0.4, codec: 'webp', grey: true },
  { sizePx: 128, quality: 0.35, codec: 'webp', grey: true },
];
/** Share of the covers that are drawn on a picture. */
const COVER_SHARE = 0.7;
/** Eyes that the head hides already teach nothing. */
const LEAST_VISIBILITY = 0.4;

/** Openness of an eye that is surely shut, and surely open, in a frame whole and unharmed. */
const SHUT_UP_TO = 0.07;
const OPEN_FROM = 0.17;

type State = 'open' | 'covered' | 'shut' | 'as the mesh says';

interface Row {
  readonly inputs: Float32Array;
  readonly subject: string;
  readonly kind: string;
  readonly way: number;
  /** Null: says nothing to that network. */
  readonly covered: boolean | null;
  readonly shut: boolean | null;
}

interface Source {
  readonly shot: Shot;
  readonly subject: string;
  readonly state: State;
  readonly drawCovers: boolean;
}

async function rowsOf(
  { shot, subject, state, drawCovers }: Source,
  looker: Looker,
  random: () => number,
): Promise<Row[]> {
  const whole = await looker.still(shot);
  const { face } = whole.observation;
  if (whole.landmarks === null || face === null) return [];
  const isCovered = state === 'covered';
  const variants: { shot: Shot; kind: string; hides: readonly [boolean, boolean] }[] = [
    { shot, kind: state, hides: [isCovered, isCovered] },
  ];
  for (const cover of drawCovers ? COVERS : []) {
    if (random() > COVER_SHARE) continue;
    variants.push({ kind: cover, ...(await drawCover(shot, whole.landmarks, cover, random)) });
  }
  const rows: Row[] = [];
  for (const { shot: drawn, kind, hides } of variants) {
    for (const [way, sending] of WAYS.entries()) {
      const sent = sending === null ? drawn : (await resend(drawn, whole.observation, sending))?.shot;
      if (sent === undefined) continue;
      const roi = face.nextRoi;
      const seen = await looker.next(sent, roi);
      if (seen.landmarks === null || seen.observation.detectorRan) continue;
      const { planes } = createPlainPictures()(sent).sample(roi, MESH_FORMAT);
      const landmarks = landmarksToTensor(seen.landmarks, roi, MESH_SIZE);
      for (const [side, eye] of [IMAGE_LEFT_EYE, IMAGE_RIGHT_EYE].entries()) {
        const own = side === 0 ? face.imageLeftEye : face.imageRightEye;
        if (!isCovered && own.visibility < LEAST_VISIBILITY) continue;
        const covered = hides[side] ?? false;
        const byMesh = own.openness < SHUT_UP_TO ? true : own.openness > OPEN_FROM ? false : null;
        const shut = state === 'as the mesh says' ? byMesh : state === 'shut';
        rows.push({
          inputs: eyeInputs(planes, landmarks, eye),
          subject,
          kind,
          way,
          covered,
          shut: covered || isCovered ? null : shut,
        });
      }
    }
  }
  return rows;
}

const TRAINING_HEADS = 30;
const TRAINING_SEED = 99;

/** Heads with open, narrow, lowered and shut eyes. */
async function* renderedSources(dir: string): AsyncGenerator<Source> {
  const shop = await openHeadShop(dir);
  for (const [i, recipe] of makeRecipes(TRAINING_HEADS, TRAINING_SEED).entries()) {
    const scenes = lidScenes(TRAINING_SEED + i);
    let at = 0;
    for await (const jpeg of renderScenes(
      await shop.build(recipe),
      scenes.map(({ scene }) => scene),
    )) {
      const isShut = scenes[at++]?.isShut ?? false;
      const state = isShut ? 'shut' : 'open';
      yield { shot: await decode(jpeg), subject: `head${i}`, state, drawCovers: at % 4 === 0 };
    }
  }
}

async function* fileSources(dir: string, state: State): AsyncGenerator<Source> {
  for (const name of (await readdir(dir)).filter((file) => /\.(jpe?g|png|webp)$/i.test(file)).sort()) {
    const subject = name.split(/[_-]/)[0] ?? name;
    yield { shot: await readStill(join(dir, name)), subject, state, drawCovers: state === 'open' };
  }
}

const { values } = parseArgs({
  options: {
    out: { type: 'string' },
    open: { type: 'string', multiple: true, default: [] },
    covered: { type: 'string', multiple: true, default: [] },
    video: { type: 'string', multiple: true, default: [] },
    heads: { type: 'string' },
  },
});
const looker = await openLooker();
const random = seededRandom(11);
const rows: Row[] = [];
const sources: readonly (readonly [string, AsyncGenerator<Source>])[] = [
  ...values.open.map((dir) => [dir, fileSources(dir, 'open')] as const),
  ...values.covered.map((dir) => [dir, fileSources(dir, 'covered')] as const),
  ...values.video.map((dir) => [dir, fileSources(dir, 'as the mesh says')] as const),
  ...(values.heads === undefined ? [] : [[values.heads, renderedSources(values.heads)] as const]),
];
for (const [name, list] of sources) {
  for await (const source of list) rows.push(...(await rowsOf(source, looker, random)));
  process.stderr.write(`${name}: ${rows.length} eyes so far\n`);
}
await looker.close();

const subjects = [...new Set(rows.map(({ subject }) => subject))].sort();
const heldOut = new Set(subjects.filter((_, i) => i % 4 === 1));

/** Fits one network, after a first fit that is measured on the subjects it has not seen. */
function fitted(what: 'covered' | 'shut'): string {
  const samples = rows.flatMap((row) => {
    const positive = row[what];
    return positive === null ? [] : [{ ...row, positive }];
  });
  const trial = fitEyeNetwork(samples.filter(({ subject }) => !heldOut.has(subject)));
  for (const way of WAYS.keys()) {
    for (const kind of [...new Set(samples.map((row) => row.kind))]) {
      for (const positive of [true, false]) {
        const own = samples.filter(
          (row) => heldOut.has(row.subject) && row.way === way && row.kind === kind && row.positive === positive,
        );
        if (own.length === 0) continue;
        const said = own.filter(({ inputs }) => chanceOf(inputs, trial) > 0.7).length;
        const truth = `${positive ? '' : 'not '}${what}`;
        process.stdout.write(
          `${wayName(WAYS[way] ?? null)}, ${kind}, ${truth}: ${said} of ${own.length} said ${what}\n`,
        );
      }
    }
  }
  return writeEyeNetwork(fitEyeNetwork(samples));
}

const text = `/** Written by bench/accuracy/covers/train.ts from ${rows.length} eyes of ${subjects.length} subjects; see readEyeNetwork. */
export const COVERED_NUMBERS =
  '${fitted('covered')}';

export const SHUT_NUMBERS =
  '${fitted('shut')}';
`;
if (values.out !== undefined) await writeFile(values.out, text);
