/**
 * The part of a student's view that is the screen, as gaze angles in degrees against the line from
 * face to camera. The camera sits above the screen, so its middle lies below 0.
 */
export interface ScreenRegion {
  readonly centerYawDeg: number;
  readonly centerPitchDeg: number;
  readonly halfWidthDeg: number;
  readonly aboveDeg: number;
  readonly belowDeg: number;
}

/**
 * A laptop or monitor of common size at arm's length, with room for the error of an uncalibrated
 * gaze: people who look at their screen are read between 10° below and 8° above the camera.
 */
export const DEFAULT_SCREEN: ScreenRegion = {
  centerYawDeg: 0,
  centerPitchDeg: -5,
  halfWidthDeg: 15.5,
  aboveDeg: 18,
  belowDeg: 13,
};

/** A gaze in units of the screen's half extents: the screen is −1…1 on each axis; across to image right, up is positive. */
export interface ScreenPlace {
  readonly across: number;
  readonly up: number;
}

/** Where a gaze falls relative to the screen. */
export function placeOnScreen(region: ScreenRegion, yawDeg: number, pitchDeg: number): ScreenPlace {
  const up = pitchDeg - region.centerPitchDeg;
  return {
    across: (yawDeg - region.centerYawDeg) / region.halfWidthDeg,
    up: up / (up >= 0 ? region.aboveDeg : region.belowDeg),
  };
}

/** A student's own centre, learnt slowly from where they look most. Plain data. */
export interface PersonalCenter {
  readonly yawDeg: number;
  readonly pitchDeg: number;
  /** Time of usable gaze it was learnt from. */
  readonly learntMs: number;
}

export const DEFAULT_CENTER: PersonalCenter = {
  yawDeg: DEFAULT_SCREEN.centerYawDeg,
  pitchDeg: DEFAULT_SCREEN.centerPitchDeg,
  learntMs: 0,
};

/**
 * Half a minute passes before the first step. Then the centre follows with a time constant as long as it has
 * learnt, which makes it a plain mean at first, up to two minutes.
 */
const LEARN_AFTER_MS = 30_000;
const LEARN_TAU_MS = 120_000;
/** A single reading pulls no harder than one this far away, and one further than `MAX_DISTANCE_DEG` not at all. */
const MAX_PULL_DEG = 6;
const MAX_DISTANCE_DEG = 16;
/** The centre stays this close to where a screen usually is. */
const MAX_YAW_SHIFT_DEG = 6;
const MAX_PITCH_SHIFT_DEG = 10;

function clamp(value: number, limit: number): number {
  return Math.min(limit, Math.max(-limit, value));
}

/**
 * The centre after `coveredMs` of gaze at (yawDeg, pitchDeg). A robust running mean: slow, limited in
 * pull and in reach, so that neither a few frames nor minutes of looking away move it far. The
 * result does not depend on how often the same time is sampled.
 */
export function learnCenter(
  center: PersonalCenter,
  yawDeg: number,
  pitchDeg: number,
  coveredMs: number,
): PersonalCenter {
  const dYaw = yawDeg - center.yawDeg;
  const dPitch = pitchDeg - center.pitchDeg;
  if (Math.hypot(dYaw, dPitch) > MAX_DISTANCE_DEG) return center;
  const learntMs = center.learntMs + coveredMs;
  if (learntMs < LEARN_AFTER_MS) return { ...center, learntMs };
  const rate = 1 - Math.exp(-coveredMs / Math.min(learntMs, LEARN_TAU_MS));
  const move = (from: number, difference: number, home: number, reach: number): number =>
    home + clamp(from + rate * clamp(difference, MAX_PULL_DEG) - home, reach);
  return {
    yawDeg: move(center.yawDeg, dYaw, DEFAULT_CENTER.yawDeg, MAX_YAW_SHIFT_DEG),
    pitchDeg: move(center.pitchDeg, dPitch, DEFAULT_CENTER.pitchDeg, MAX_PITCH_SHIFT_DEG),
    learntMs,
  };
}
