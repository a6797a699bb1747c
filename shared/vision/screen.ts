import { DEG_PER_RAD } from './linear.ts';

/** A student's screen with the camera in the middle above it, and their distance from it. */
export interface ScreenSetup {
  readonly widthCm: number;
  readonly heightCm: number;
  /** From the camera down to the screen's upper edge. */
  readonly belowCameraCm: number;
  readonly distanceCm: number;
}

/** A 15-inch laptop at arm's length. */
export const DEFAULT_SETUP: ScreenSetup = { widthCm: 34, heightCm: 19, belowCameraCm: 1, distanceCm: 60 };

/**
 * The part of a student's view that counts as the screen, as gaze angles in degrees against the line from
 * face to camera. The camera sits above the screen, so its middle lies below 0.
 */
export interface ScreenRegion {
  readonly centerYawDeg: number;
  readonly centerPitchDeg: number;
  readonly halfWidthDeg: number;
  readonly aboveDeg: number;
  readonly belowDeg: number;
}

function degOf(lengthCm: number, distanceCm: number): number {
  return Math.atan2(lengthCm, distanceCm) * DEG_PER_RAD;
}

/**
 * Gaze angles of a place on the screen, given as shares of its width (0 = the left edge as the
 * student sees it) and height (0 = the upper edge). The student's left is the picture's right, so the
 * left edge has positive yaw.
 */
export function targetAnglesOf(
  across: number,
  down: number,
  setup: ScreenSetup = DEFAULT_SETUP,
): { readonly yawDeg: number; readonly pitchDeg: number } {
  return {
    yawDeg: degOf((0.5 - across) * setup.widthCm, setup.distanceCm),
    pitchDeg: -degOf(setup.belowCameraCm + down * setup.heightCm, setup.distanceCm),
  };
}

/** A screen's edges as gaze angles, and its middle's pitch; half its width, degrees. */
interface Edges {
  readonly halfWidthDeg: number;
  readonly topDeg: number;
  readonly middleDeg: number;
  readonly bottomDeg: number;
}

function edgesOf({ widthCm, heightCm, belowCameraCm, distanceCm }: ScreenSetup): Edges {
  return {
    halfWidthDeg: degOf(widthCm / 2, distanceCm),
    topDeg: -degOf(belowCameraCm, distanceCm),
    middleDeg: -degOf(belowCameraCm + heightCm / 2, distanceCm),
    bottomDeg: -degOf(belowCameraCm + heightCm, distanceCm),
  };
}

/** A phone is narrower than gaze is exact: three standard deviations of a single picture's yaw. */
const LEAST_HALF_WIDTH_DEG = 12;

/** The region between these edges, with room for the error of a gaze beside the screen. */
function regionOf({ middleDeg }: Edges, halfWidthDeg: number, topDeg: number, bottomDeg: number): ScreenRegion {
  return {
    centerYawDeg: 0,
    centerPitchDeg: middleDeg,
    halfWidthDeg: Math.max(halfWidthDeg, LEAST_HALF_WIDTH_DEG),
    aboveDeg: topDeg - middleDeg,
    belowDeg: middleDeg - bottomDeg,
  };
}

/**
 * Room around the screen of a student of whom nothing is known. Aside: people differ little in yaw. Above and
 * below: how high the eyes are read differs by 5° between people and sittings, so that the region reaches up to
 * HIGHEST_DEG over the camera and down to LOWEST_DEG at any distance.
 * Set on 320 frames of two people at laptops, each on the other's, so that no more is added than they need.
 */
const UNKNOWN_ASIDE_DEG = 3;
const HIGHEST_DEG = 4;
const LOWEST_DEG = -27;
const UNKNOWN_BELOW_DEG = 9;

/** The region in which an uncalibrated gaze counts as on the screen. */
export function uncalibratedScreenOf(setup: ScreenSetup = DEFAULT_SETUP): ScreenRegion {
  const edges = edgesOf(setup);
  const lowestDeg = Math.min(LOWEST_DEG, edges.bottomDeg - UNKNOWN_BELOW_DEG);
  return regionOf(edges, edges.halfWidthDeg + UNKNOWN_ASIDE_DEG, HIGHEST_DEG, lowestDeg);
}

/** Room for the error of a single gaze that is read with the student's own centre or calibration. */
const KNOWN_ASIDE_DEG = 4;
const KNOWN_UP_DOWN_DEG = 8;

/** The region in which a gaze with the student's own zero counts as on the screen. */
export function knownScreenOf(setup: ScreenSetup = DEFAULT_SETUP): ScreenRegion {
  const edges = edgesOf(setup);
  return regionOf(
    edges,
    edges.halfWidthDeg + KNOWN_ASIDE_DEG,
    edges.topDeg + KNOWN_UP_DOWN_DEG,
    edges.bottomDeg - KNOWN_UP_DOWN_DEG,
  );
}

/** The region of a student of whom nothing is known, at arm's length. */
export const DEFAULT_SCREEN: ScreenRegion = uncalibratedScreenOf();

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
