import * as z from 'zod';
import { RelayError } from '../errors.ts';
import type { FaceMeasurement } from '../observation.ts';
import { type GazeCorrection, gazeOf, NO_CORRECTION } from '../vision/gaze.ts';
import type { ScreenRegion } from '../vision/screen.ts';

/** Version of the stored form; a calibration of another version is not used. */
export const CALIBRATION_VERSION = 1;

const angle = z.number().min(-90).max(90);
const gain = z.number().min(0.25).max(4);
const calibrationSchema = z.strictObject({
  version: z.literal(CALIBRATION_VERSION),
  correction: z.strictObject({
    eyeYawGain: gain,
    eyePitchGain: gain,
    yawOffsetDeg: angle,
    pitchOffsetDeg: angle,
  }),
  screen: z.strictObject({
    centerYawDeg: angle,
    centerPitchDeg: angle,
    halfWidthDeg: z.number().min(1).max(90),
    aboveDeg: z.number().min(1).max(90),
    belowDeg: z.number().min(1).max(90),
  }),
  validationYawDeg: z.number().nonnegative().nullable(),
  validationPitchDeg: z.number().nonnegative().nullable(),
});

/**
 * What a student's short calibration on one device yielded. Plain data, kept with the student and the
 * device. The validation errors are mean absolute errors in degrees of each point predicted from the
 * others, null when there were too few points for that.
 */
export interface Calibration {
  readonly version: typeof CALIBRATION_VERSION;
  readonly correction: GazeCorrection;
  readonly screen: ScreenRegion;
  readonly validationYawDeg: number | null;
  readonly validationPitchDeg: number | null;
}

/** A calibration read back from a store or a client; null for another version or anything else. */
export function calibrationOf(value: unknown): Calibration | null {
  const read = calibrationSchema.safeParse(value);
  return read.success ? read.data : null;
}

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

/** Room around the screen within which a calibrated gaze still counts as on it, degrees. */
const SCREEN_MARGIN_DEG = 5;

function degOf(lengthCm: number, distanceCm: number): number {
  return (Math.atan2(lengthCm, distanceCm) * 180) / Math.PI;
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

/** The screen of a setup as a region of gaze angles, with a margin. */
export function screenOf(setup: ScreenSetup = DEFAULT_SETUP): ScreenRegion {
  const left = targetAnglesOf(0, 0.5, setup);
  const top = targetAnglesOf(0.5, 0, setup);
  const middle = targetAnglesOf(0.5, 0.5, setup);
  const bottom = targetAnglesOf(0.5, 1, setup);
  return {
    centerYawDeg: middle.yawDeg,
    centerPitchDeg: middle.pitchDeg,
    halfWidthDeg: left.yawDeg + SCREEN_MARGIN_DEG,
    aboveDeg: top.pitchDeg - middle.pitchDeg + SCREEN_MARGIN_DEG,
    belowDeg: middle.pitchDeg - bottom.pitchDeg + SCREEN_MARGIN_DEG,
  };
}

/** One point of a calibration: where the student was asked to look, and the faces measured meanwhile. */
export interface CalibrationPoint {
  readonly targetYawDeg: number;
  readonly targetPitchDeg: number;
  readonly faces: readonly FaceMeasurement[];
}

/** Fewer points or readings than this say too little. */
export const MIN_POINTS = 3;
export const MIN_READINGS = 3;

/** How far gains differ between people and how far a point's reading lies off, degrees: they set how hard gains are held at 1. */
const GAIN_SPREAD = 0.25;
const POINT_ERROR_DEG = 3;
const MIN_GAIN = 0.6;
const MAX_GAIN = 1.6;

/** A point on one axis: the target, the gaze by the head alone, and what the eyes add to it; degrees. */
interface AxisPoint {
  readonly target: number;
  readonly head: number;
  readonly eye: number;
}

/** The middle of the values, or the mean of the two middle ones; 0 of none. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? 0;
  return sorted.length % 2 === 1 ? upper : (upper + (sorted[middle - 1] ?? upper)) / 2;
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** Offset and gain with the least squares of target − (head + gain · eye + offset), the gain held towards 1 (ridge). */
function fitAxis(points: readonly AxisPoint[]): { readonly gain: number; readonly offset: number } {
  const eyeMean = mean(points.map((point) => point.eye));
  const restMean = mean(points.map((point) => point.target - point.head));
  let eyeSquares = (POINT_ERROR_DEG / GAIN_SPREAD) ** 2;
  let products = eyeSquares;
  for (const { target, head, eye } of points) {
    eyeSquares += (eye - eyeMean) ** 2;
    products += (eye - eyeMean) * (target - head - restMean);
  }
  const gain = Math.min(MAX_GAIN, Math.max(MIN_GAIN, products / eyeSquares));
  return { gain, offset: restMean - gain * eyeMean };
}

function axisError(points: readonly AxisPoint[]): number | null {
  if (points.length <= MIN_POINTS) return null;
  const errors = points.map((point, i) => {
    const { gain, offset } = fitAxis(points.filter((_, other) => other !== i));
    return Math.abs(point.target - (point.head + gain * point.eye + offset));
  });
  return mean(errors);
}

function axisPoint(point: CalibrationPoint, axis: 'yawDeg' | 'pitchDeg', target: number): AxisPoint {
  const alone = { ...NO_CORRECTION, eyeYawGain: 0, eyePitchGain: 0 };
  const head = median(point.faces.map((face) => gazeOf(face, alone)[axis]));
  return { target, head, eye: median(point.faces.map((face) => gazeOf(face)[axis])) - head };
}

/**
 * A calibration from what was measured while a student looked at known points. Gains apply to the eyes
 * alone and are held towards 1; offsets take up the rest. Throws RelayError `calibration_too_few` when
 * fewer than MIN_POINTS points have MIN_READINGS readings.
 */
export function fitCalibration(points: readonly CalibrationPoint[], screen: ScreenRegion): Calibration {
  const usable = points.filter((point) => point.faces.length >= MIN_READINGS);
  if (usable.length < MIN_POINTS) {
    throw new RelayError('calibration_too_few', `${usable.length} of ${points.length} points have enough readings`, {
      hint: `look at each point until it is done; at least ${MIN_POINTS} are needed`,
    });
  }
  const yawPoints = usable.map((point) => axisPoint(point, 'yawDeg', point.targetYawDeg));
  const pitchPoints = usable.map((point) => axisPoint(point, 'pitchDeg', point.targetPitchDeg));
  const yaw = fitAxis(yawPoints);
  const pitch = fitAxis(pitchPoints);
  return {
    version: CALIBRATION_VERSION,
    correction: {
      eyeYawGain: yaw.gain,
      eyePitchGain: pitch.gain,
      yawOffsetDeg: yaw.offset,
      pitchOffsetDeg: pitch.offset,
    },
    screen,
    validationYawDeg: axisError(yawPoints),
    validationPitchDeg: axisError(pitchPoints),
  };
}
