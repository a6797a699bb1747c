import type { EyeObservation, FaceMeasurement } from '../observation.ts';
import { anglesOfDirection, apply, directionOfAngles, rotationOfHead } from './linear.ts';

/**
 * Correction of the eye part of the gaze, and of the zero. Gains belong to the eyes alone: applied
 * to the whole gaze they would stretch head movements that are measured without them.
 */
export interface GazeCorrection {
  readonly eyeYawGain: number;
  readonly eyePitchGain: number;
  /** Added to the gaze after head and eyes are combined, degrees. */
  readonly yawOffsetDeg: number;
  readonly pitchOffsetDeg: number;
}

export const NO_CORRECTION: GazeCorrection = { eyeYawGain: 1, eyePitchGain: 1, yawOffsetDeg: 0, pitchOffsetDeg: 0 };

/** Where a student looks, degrees against the line from face to camera: yaw to image right, pitch up. */
export interface Gaze {
  readonly yawDeg: number;
  readonly pitchDeg: number;
  /** How much of the eyes stands behind it, 0 (head alone) – 1. */
  readonly eyeWeight: number;
  /** Difference of the two eyes' yaw, degrees; null when only one eye counts. */
  readonly eyeDifferenceDeg: number | null;
}

/** Lids closer than this hide the iris entirely; from the upper figure on it is seen well enough. */
const IRIS_HIDDEN_OPENNESS = 0.08;
const IRIS_SEEN_OPENNESS = 0.16;

/** An eye's say in the gaze, 0–1: seen by the camera and open. */
export function eyeWeightOf(eye: EyeObservation): number {
  const open = (eye.openness - IRIS_HIDDEN_OPENNESS) / (IRIS_SEEN_OPENNESS - IRIS_HIDDEN_OPENNESS);
  return eye.visibility * Math.min(1, Math.max(0, open));
}

/**
 * Gaze of a face: the eyes' direction in the head (mean of both, weighted by how well each is seen),
 * turned by the head. Without a visible eye it is the direction of the head.
 */
export function gazeOf(face: FaceMeasurement, correction: GazeCorrection = NO_CORRECTION): Gaze {
  const left = eyeWeightOf(face.imageLeftEye);
  const right = eyeWeightOf(face.imageRightEye);
  const sum = left + right;
  const mean = (of: (eye: EyeObservation) => number): number =>
    sum < 0.05 ? 0 : (left * of(face.imageLeftEye) + right * of(face.imageRightEye)) / sum;
  const inHead = directionOfAngles(
    mean((eye) => eye.yawDeg) * correction.eyeYawGain,
    mean((eye) => eye.pitchDeg) * correction.eyePitchGain,
  );
  const head = rotationOfHead(face.headYawDeg, face.headPitchDeg, face.headRollDeg);
  const seen = anglesOfDirection(apply(head, inHead));
  return {
    yawDeg: seen.yawDeg + correction.yawOffsetDeg,
    pitchDeg: seen.pitchDeg + correction.pitchOffsetDeg,
    eyeWeight: Math.min(1, sum),
    eyeDifferenceDeg:
      Math.min(left, right) < 0.3 ? null : Math.abs(face.imageLeftEye.yawDeg - face.imageRightEye.yawDeg),
  };
}
