import { gazeOf } from '../../shared/vision/gaze.ts';
import { DEFAULT_SCREEN } from '../../shared/vision/screen.ts';
import { DEFAULT_CONTEXT, type VerdictContext, verdictOf } from '../../shared/vision/verdict.ts';
import { NO_SUBJECT, type SeenRow } from './labels.ts';

/** Fewer pictures say too little of where someone's screen is. */
const MIN_PICTURES = 30;
/** How far a centre may lie from the default, degrees; as for the centre that a session learns (screen.ts). */
const MAX_YAW_SHIFT_DEG = 6;
const MAX_PITCH_SHIFT_DEG = 10;
/** Pictures that pull a centre half-way from the default to the subject's own median. */
const HALF_WAY_PICTURES = 30;

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[sorted.length >> 1] ?? 0;
}

/**
 * Verdict contexts by subject for those with MIN_PICTURES or more: the screen's centre is moved
 * towards the median of the gazes that the default calls centered. Labels are not looked at.
 */
export function personalContexts(rows: readonly SeenRow[]): ReadonlyMap<string, VerdictContext> {
  const contexts = new Map<string, VerdictContext>();
  for (const subject of new Set(rows.map((row) => row.subject))) {
    if (subject === NO_SUBJECT) continue;
    const gazes = rows.flatMap(({ subject: of, observation }) =>
      of === subject && observation.face !== null && verdictOf(observation).direction === 'centered'
        ? [gazeOf(observation.face)]
        : [],
    );
    if (gazes.length < MIN_PICTURES) continue;
    const trust = gazes.length / (gazes.length + HALF_WAY_PICTURES);
    const moved = (home: number, values: readonly number[], reach: number): number =>
      home + Math.min(reach, Math.max(-reach, trust * (median(values) - home)));
    const screen = {
      ...DEFAULT_SCREEN,
      centerYawDeg: moved(
        DEFAULT_SCREEN.centerYawDeg,
        gazes.map((gaze) => gaze.yawDeg),
        MAX_YAW_SHIFT_DEG,
      ),
      centerPitchDeg: moved(
        DEFAULT_SCREEN.centerPitchDeg,
        gazes.map((gaze) => gaze.pitchDeg),
        MAX_PITCH_SHIFT_DEG,
      ),
    };
    contexts.set(subject, { ...DEFAULT_CONTEXT, screen });
  }
  return contexts;
}
