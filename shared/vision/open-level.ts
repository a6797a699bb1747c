import * as z from 'zod';
import type { FaceMeasurement } from '../observation.ts';

/**
 * How wide a student's eyes are open as a rule: a running upper quantile of openness, so that blinks and looks down
 * do not lower it. People differ by a factor of two, and what is nearly shut for one is wide open for another. Plain data.
 */
export interface OpenLevel {
  /** Openness as FaceMeasurement has it. */
  readonly level: number;
  /** Time of well seen eyes it was learnt from, ms. */
  readonly learntMs: number;
}

/** The median of what people show who look at their screen: two people at laptops 0.28 and 0.31, rendered heads 0.33. */
export const USUAL_OPENNESS = 0.28;
export const NO_OPEN_LEVEL: OpenLevel = { level: USUAL_OPENNESS, learntMs: 0 };

/** The share of open eyes' readings that lie below the level. */
const QUANTILE = 0.7;
/** The level moves by this much in the time constant, which is as long as was learnt, between these two. */
const SPREAD = 0.2;
const SHORTEST_TAU_MS = 4_000;
const LONGEST_TAU_MS = 120_000;
const LOWEST = 0.12;
const HIGHEST = 0.5;
/** Heads that are turned or bowed further show their eyes narrower or wider than they are. */
const MAX_YAW_DEG = 20;
const MIN_PITCH_DEG = -18;
const WELL_SEEN = 0.6;
/** A level counts in full when it was learnt from some multiples of this. */
const HALF_TRUST_MS = 8_000;
/** How far limits follow a level, as shares of the usual one. */
const LEAST_SHARE = 0.6;
const MOST_SHARE = 1.15;

/** A level that was kept counts for this long at most: light and glasses may be others in another sitting. */
const KEPT_MS = 20_000;

/** The level to begin a session with, from one that was kept. */
export function keptOpenLevel(kept: OpenLevel): OpenLevel {
  return { ...kept, learntMs: Math.min(kept.learntMs, KEPT_MS) };
}

/** A level as it is stored. */
export const openLevelSchema = z.strictObject({
  level: z.number().min(LOWEST).max(HIGHEST),
  learntMs: z.number().nonnegative(),
}) satisfies z.ZodType<OpenLevel>;

/** The level after `coveredMs` of this face. A face that does not show its eyes well changes nothing. */
export function learnOpenLevel(known: OpenLevel, face: FaceMeasurement, coveredMs: number): OpenLevel {
  const { imageLeftEye: left, imageRightEye: right } = face;
  const isSeen = Math.min(left.visibility, right.visibility) >= WELL_SEEN;
  if (!isSeen || Math.abs(face.headYawDeg) > MAX_YAW_DEG || face.headPitchDeg < MIN_PITCH_DEG) return known;
  const openness = (left.openness + right.openness) / 2;
  const tauMs = Math.min(LONGEST_TAU_MS, Math.max(SHORTEST_TAU_MS, known.learntMs));
  const pull = openness > known.level ? QUANTILE : QUANTILE - 1;
  const moved = known.level + SPREAD * pull * Math.min(1, coveredMs / tauMs);
  // A single step does not pass the reading itself.
  const level = openness > known.level ? Math.min(openness, moved) : Math.max(openness, moved);
  return { level: Math.min(HIGHEST, Math.max(LOWEST, level)), learntMs: known.learntMs + coveredMs };
}

/** What to multiply the usual limits of openness by for this student. */
export function opennessShare({ level, learntMs }: OpenLevel): number {
  const trust = learntMs / (learntMs + HALF_TRUST_MS);
  const share = Math.min(MOST_SHARE, Math.max(LEAST_SHARE, level / USUAL_OPENNESS));
  return 1 + trust * (share - 1);
}
