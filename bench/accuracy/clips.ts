import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { splitMjpeg } from '../../harness/mjpeg.ts';
import type { Direction } from '../../shared/direction.ts';
import {
  createFocusTracker,
  type FocusTrackerState,
  observeSample,
  settle,
  totalsOf,
} from '../../shared/focus/tracker.ts';
import type { FrameSize } from '../../shared/geometry.ts';
import type { FaceObservation } from '../../shared/observation.ts';
import { verdictOf } from '../../shared/vision/verdict.ts';
import { strangerContext } from './context.ts';
import { directionsOfWord, parseCsv } from './labels.ts';
import { decode, type Looker } from './look.ts';
import { type Judged, type Score, scoreOf } from './score.ts';

/** A stretch of a clip, ms since its start, and the directions that count as right in it. */
export interface Interval {
  readonly fromMs: number;
  readonly toMs: number;
  readonly expected: readonly Direction[];
}

/** Intervals from a CSV with the columns fromMs, toMs and expect. Lines that name no direction are left out. */
export function parseIntervals(text: string): Interval[] {
  const [header = [], ...lines] = parseCsv(text);
  const column = (name: string): number => header.findIndex((each) => each.trim() === name);
  return lines.flatMap((cells) => {
    const fromMs = Number(cells[column('fromMs')]);
    const toMs = Number(cells[column('toMs')]);
    const expected = (cells[column('expect')] ?? '').split('|').flatMap(directionsOfWord);
    return toMs > fromMs && expected.length > 0 ? [{ fromMs, toMs, expected }] : [];
  });
}

/** A clip's frames as they were seen, in order. */
export interface SeenClip {
  readonly name: string;
  readonly intervalMs: number;
  readonly observations: readonly FaceObservation[];
  /** Size of its frames. */
  readonly camera: FrameSize;
  readonly intervals: readonly Interval[];
}

export interface ClipRule {
  readonly score: Score;
  /** Time the tracker calls focused, and of it the part within labelled time, ms. */
  readonly focusedMs: number;
}

export interface ClipResult {
  readonly name: string;
  readonly labelledMs: number;
  readonly labelledFocusedMs: number;
  readonly ours: ClipRule;
  readonly seed: ClipRule;
}

function focusedMsOf(clip: SeenClip, rule: 'geometric' | 'seed'): number {
  let state: FocusTrackerState = createFocusTracker({ rule, view: { camera: clip.camera, screen: null } });
  let focusedMs = 0;
  clip.observations.forEach((observation, i) => {
    state = observeSample(state, { atMs: Math.round(i * clip.intervalMs), observation });
  });
  state = settle(state, Math.round(clip.observations.length * clip.intervalMs));
  focusedMs += totalsOf(state).focusedMs;
  return focusedMs;
}

/** Both rules on one clip: frame by frame against the labels, and through the tracker as in a session. */
export function evaluateClip(clip: SeenClip): ClipResult {
  const judged = (said: (observation: FaceObservation) => Direction): Judged[] =>
    clip.observations.flatMap((observation, i) => {
      const atMs = i * clip.intervalMs;
      const interval = clip.intervals.find(({ fromMs, toMs }) => atMs >= fromMs && atMs < toMs);
      if (interval === undefined) return [];
      const { expected } = interval;
      const focused = expected.every((direction) => direction === 'centered');
      return [{ subject: clip.name, expected, focused, said: said(observation), faceFound: observation.face !== null }];
    });
  const length = (of: readonly Interval[]): number => of.reduce((sum, { fromMs, toMs }) => sum + toMs - fromMs, 0);
  return {
    name: clip.name,
    labelledMs: length(clip.intervals),
    // A blink is no look away: short closed intervals count as what surrounds them.
    labelledFocusedMs: length(
      clip.intervals.filter(
        ({ fromMs, toMs, expected }) =>
          expected[0] === 'centered' || (expected[0] === 'eyes_closed' && toMs - fromMs <= 400),
      ),
    ),
    ours: {
      score: scoreOf(judged((o) => verdictOf(o, strangerContext(o, clip.camera)).direction)),
      focusedMs: focusedMsOf(clip, 'geometric'),
    },
    seed: {
      score: scoreOf(judged((o) => o.face?.seedDirection ?? 'no_face')),
      focusedMs: focusedMsOf(clip, 'seed'),
    },
  };
}

/** Looks at every NAME.mjpeg of a folder that has a NAME.labels.csv beside it, ten frames a second. */
export async function lookAtClips(dir: string, looker: Looker, skip: (what: string) => void): Promise<SeenClip[]> {
  const files: string[] = await readdir(dir).catch(() => []);
  const clips: SeenClip[] = [];
  for (const file of files.filter((name) => name.endsWith('.mjpeg')).sort()) {
    const name = file.replace(/\.mjpeg$/, '');
    if (!files.includes(`${name}.labels.csv`)) {
      skip(`clip ${name}: no ${name}.labels.csv beside it`);
      continue;
    }
    const intervals = parseIntervals(await readFile(join(dir, `${name}.labels.csv`), 'utf8'));
    const observations: FaceObservation[] = [];
    let camera: FrameSize = { widthPx: 1, heightPx: 1 };
    for (const bytes of splitMjpeg(await readFile(join(dir, file)))) {
      const hint = observations.at(-1)?.face?.nextRoi ?? null;
      const shot = await decode(bytes);
      camera = shot.frame;
      observations.push((await looker.next(shot, hint)).observation);
    }
    clips.push({ name, intervalMs: 100, observations, camera, intervals });
  }
  return clips;
}
