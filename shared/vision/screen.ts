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

/** Room for the error of a gaze beside the screen's edges, degrees. */
interface Room {
  readonly asideDeg: number;
  readonly aboveDeg: number;
  readonly belowDeg: number;
}

function screenWithRoom(setup: ScreenSetup, room: Room): ScreenRegion {
  const middleDeg = targetAnglesOf(0.5, 0.5, setup).pitchDeg;
  return {
    centerYawDeg: 0,
    centerPitchDeg: middleDeg,
    halfWidthDeg: targetAnglesOf(0, 0.5, setup).yawDeg + room.asideDeg,
    aboveDeg: targetAnglesOf(0.5, 0, setup).pitchDeg - middleDeg + room.aboveDeg,
    belowDeg: middleDeg - targetAnglesOf(0.5, 1, setup).pitchDeg + room.belowDeg,
  };
}

/**
 * Room around the screen of a student of whom nothing is known. Aside: people differ little in yaw. Above and
 * below: how high the eyes are read differs by 5° between people and sittings, so that the region reaches up to
 * HIGHEST_DEG over the camera and down to LOWEST_DEG at any distance.
 * Set on 320 frames of two people at laptops, each on the other's, so that no more is added than they need.
 */
const UNKNOWN_ASIDE_DEG = 3;
const HIGHEST_DEG = 2;
const LOWEST_DEG = -29;
const UNKNOWN_BELOW_DEG = 9.5;

/** The region in which an uncalibrated gaze counts as on the screen. */
export function uncalibratedScreenOf(setup: ScreenSetup = DEFAULT_SETUP): ScreenRegion {
  const topDeg = targetAnglesOf(0.5, 0, setup).pitchDeg;
  const bottomDeg = targetAnglesOf(0.5, 1, setup).pitchDeg;
  return screenWithRoom(setup, {
    asideDeg: UNKNOWN_ASIDE_DEG,
    aboveDeg: HIGHEST_DEG - topDeg,
    belowDeg: Math.max(UNKNOWN_BELOW_DEG, bottomDeg - LOWEST_DEG),
  });
}

/** Room for the error of a single gaze that is read with the student's own centre or calibration. */
const KNOWN_ROOM: Room = { asideDeg: 4, aboveDeg: 8, belowDeg: 8 };

/** The region in which a gaze with the student's own zero counts as on the screen. */
export function knownScreenOf(setup: ScreenSetup = DEFAULT_SETUP): ScreenRegion {
  return screenWithRoom(setup, KNOWN_ROOM);
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
