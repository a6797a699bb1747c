import type { Direction } from '../../../shared/direction.ts';
import type { FocusTrackerState } from '../../../shared/focus/tracker.ts';
import type { FaceObservation } from '../../../shared/observation.ts';

/**
 * Pictures per second that suffice while nothing changes: well within the 2 s that an observation may cover. A client with the
 * feature `calm` compares pictures at its full rate all the while and sends at once what has moved (PROTOCOL.md, U-8).
 */
export const CALM_FPS = 1.5;
/** How long everything must have been steady. */
const CALM_AFTER_MS = 1000;
/** A head within this much of where it was has not moved. */
const HEAD_WITHIN_DEG = 5;

/** Since when a student's head and direction have been steady, on the capture clock. */
export interface CalmWatch {
  readonly sinceMs: number;
  /** False while the newest pictures speak against the direction, or show a blink. */
  readonly isSure: boolean;
  readonly held: Direction;
  readonly headYawDeg: number;
  readonly headPitchDeg: number;
  readonly hasFace: boolean;
}

export const NOT_CALM: CalmWatch = {
  sinceMs: Number.POSITIVE_INFINITY,
  isSure: false,
  held: 'unknown',
  headYawDeg: Number.NaN,
  headPitchDeg: Number.NaN,
  hasFace: false,
};

/**
 * Notes an observation; `tracker` has counted it. Nothing is calm while the direction is unknown, or in doubt, or eyes may blink;
 * after a blink or a doubt that was none everything is as it was.
 */
export function noteCalm(
  before: CalmWatch,
  captureMs: number,
  observation: FaceObservation | null,
  { smoothing }: FocusTrackerState,
): CalmWatch {
  if (observation === null || smoothing.held === 'unknown') return NOT_CALM;
  const { face } = observation;
  const isSure = smoothing.doubtSinceMs === null && smoothing.closedRun === null;
  const isSteady =
    before.held === smoothing.held &&
    before.hasFace === (face !== null) &&
    (face === null ||
      (Math.abs(face.headYawDeg - before.headYawDeg) <= HEAD_WITHIN_DEG &&
        Math.abs(face.headPitchDeg - before.headPitchDeg) <= HEAD_WITHIN_DEG));
  if (isSteady) return before.isSure === isSure ? before : { ...before, isSure };
  return {
    sinceMs: captureMs,
    isSure,
    held: smoothing.held,
    headYawDeg: face?.headYawDeg ?? Number.NaN,
    headPitchDeg: face?.headPitchDeg ?? Number.NaN,
    hasFace: face !== null,
  };
}

/** True when pictures may come at CALM_FPS. */
export function isCalm({ sinceMs, isSure }: CalmWatch, captureMs: number): boolean {
  return isSure && captureMs - sinceMs >= CALM_AFTER_MS;
}
