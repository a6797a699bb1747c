import * as z from 'zod';
import { type OpenLevel, openLevelSchema } from '../vision/open-level.ts';
import type { ScreenRegion } from '../vision/screen.ts';

/** How far a centre may lie from the screen's middle, degrees: people differ in yaw by little, in pitch by much. */
const MAX_YAW_SHIFT_DEG = 6;
const MAX_PITCH_SHIFT_DEG = 16;

const ownCentreSchema = z.strictObject({
  yawDeg: z.number().min(-MAX_YAW_SHIFT_DEG).max(MAX_YAW_SHIFT_DEG),
  pitchDeg: z.number().min(-MAX_PITCH_SHIFT_DEG).max(MAX_PITCH_SHIFT_DEG),
  learntMs: z.number().nonnegative(),
});

/**
 * Where a student's gaze is read in the mean while they look at their screen, degrees from the screen's middle: their own
 * zero, learnt without asking them anything. Plain data.
 */
export interface OwnCentre {
  readonly yawDeg: number;
  readonly pitchDeg: number;
  /** Time of usable gaze it was learnt from. */
  readonly learntMs: number;
}

export const NO_CENTRE: OwnCentre = { yawDeg: 0, pitchDeg: 0, learntMs: 0 };

/**
 * Version of the stored form and of how the eyes are read. Centres are kept beside calibrations, for the same student and device: their versions begin at
 * FIRST_CENTRE_VERSION, which tells one from the other.
 */
export const FIRST_CENTRE_VERSION = 1000;
export const CENTRE_VERSION = 1002;

/** What a session without a calibration learnt of its student, as it is stored. */
export interface StoredCentre {
  readonly version: typeof CENTRE_VERSION;
  readonly centre: OwnCentre;
  readonly openLevel: OpenLevel;
}

const storedCentreSchema = z.strictObject({
  version: z.literal(CENTRE_VERSION),
  centre: ownCentreSchema,
  openLevel: openLevelSchema,
});

/** A centre read back from a store; null for another version or anything else. */
export function storedCentreOf(value: unknown): StoredCentre | null {
  const read = storedCentreSchema.safeParse(value);
  return read.success ? read.data : null;
}

/**
 * The screen's middle counts as if this long had been learnt from it: the centre moves from the first second on, and a student
 * who begins by looking away draws it by no more than their share of the time.
 */
const PRIOR_MS = 10_000;
/** Then the centre is a mean of all that was seen, and later of the last minutes. */
const LONGEST_MEMORY_MS = 120_000;
/** A single reading pulls no harder than one this far away, and one further than REACH not at all: it is a look elsewhere. */
const MAX_PULL = { yawDeg: 4, pitchDeg: 8 } as const;
const REACH = { yawDeg: 25, pitchDeg: 28 } as const;

function clamp(value: number, limit: number): number {
  return Math.min(limit, Math.max(-limit, value));
}

/**
 * The centre after `coveredMs` of gaze at (yawDeg, pitchDeg), while the screen itself is `screen`. A robust running mean that does
 * not depend on how often the same time is sampled.
 */
export function learnCentre(
  centre: OwnCentre,
  screen: ScreenRegion,
  gaze: { readonly yawDeg: number; readonly pitchDeg: number },
  coveredMs: number,
): OwnCentre {
  const yawDeg = gaze.yawDeg - screen.centerYawDeg;
  const pitchDeg = gaze.pitchDeg - screen.centerPitchDeg;
  if (Math.abs(yawDeg) > REACH.yawDeg || Math.abs(pitchDeg) > REACH.pitchDeg) return centre;
  const learntMs = centre.learntMs + coveredMs;
  const rate = 1 - Math.exp(-coveredMs / Math.min(PRIOR_MS + learntMs, LONGEST_MEMORY_MS));
  const move = (from: number, to: number, pull: number, reach: number): number =>
    clamp(from + rate * clamp(to - from, pull), reach);
  return {
    yawDeg: move(centre.yawDeg, yawDeg, MAX_PULL.yawDeg, MAX_YAW_SHIFT_DEG),
    pitchDeg: move(centre.pitchDeg, pitchDeg, MAX_PULL.pitchDeg, MAX_PITCH_SHIFT_DEG),
    learntMs,
  };
}

/** A centre that was kept counts for this long at most: in another sitting, the place may be another. */
const KEPT_MS = 20_000;

/** A centre of less time than this is not worth keeping. */
export const WORTH_KEEPING_MS = 30_000;

/** The centre to begin a session with, from one that was kept. */
export function keptCentre(centre: OwnCentre): OwnCentre {
  return { ...centre, learntMs: Math.min(centre.learntMs, KEPT_MS) };
}

/** Time after which a centre is known half as well as it ever will be. */
const HALF_KNOWN_MS = 30_000;

/** The region for a student with this centre: from the one for strangers to the one for a known student, by how long was learnt. */
export function screenWithCentre(unknown: ScreenRegion, known: ScreenRegion, centre: OwnCentre): ScreenRegion {
  const trust = centre.learntMs / (centre.learntMs + HALF_KNOWN_MS);
  const between = (a: number, b: number): number => a + trust * (b - a);
  return {
    centerYawDeg: unknown.centerYawDeg + centre.yawDeg,
    centerPitchDeg: unknown.centerPitchDeg + centre.pitchDeg,
    halfWidthDeg: between(unknown.halfWidthDeg, known.halfWidthDeg),
    aboveDeg: between(unknown.aboveDeg, known.aboveDeg),
    belowDeg: between(unknown.belowDeg, known.belowDeg),
  };
}
