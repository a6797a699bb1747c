import type { EyeObservation, FaceMeasurement } from '../observation.ts';
import { anglesOfDirection, apply, directionOfAngles, rotationOfHead } from './linear.ts';

/** How one eye's angles in the head are put right: gain times the measured angle, plus an offset in degrees. */
export interface EyeCorrection {
  readonly yawGain: number;
  readonly pitchGain: number;
  readonly yawOffsetDeg: number;
  readonly pitchOffsetDeg: number;
  /** How far this eye is trusted against the other one, 0–1. */
  readonly weight: number;
}

/**
 * Correction of the gaze. What belongs to a person's eyes is applied to each eye by itself before the head turns it, and so
 * holds wherever the head is; what belongs to the place is added to the gaze.
 */
export interface GazeCorrection {
  readonly imageLeftEye: EyeCorrection;
  readonly imageRightEye: EyeCorrection;
  /** The student's zero where camera and screen stand, degrees. */
  readonly placeYawDeg: number;
  readonly placePitchDeg: number;
}

const AS_MEASURED: EyeCorrection = { yawGain: 1, pitchGain: 1, yawOffsetDeg: 0, pitchOffsetDeg: 0, weight: 1 };

export const NO_CORRECTION: GazeCorrection = {
  imageLeftEye: AS_MEASURED,
  imageRightEye: AS_MEASURED,
  placeYawDeg: 0,
  placePitchDeg: 0,
};

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
/** With less of both eyes than this the head alone counts. */
const LEAST_EYE_WEIGHT = 0.05;

/**
 * How high eyes that are not seen are taken to look, in the head: people hold their head higher than their gaze while they look at a
 * screen (by 11° to 19° in the mean on laptops).
 */
const UNSEEN_EYES_PITCH_DEG = -11;

/** An eye's say in the gaze, 0–1: seen by the camera and open. */
export function eyeWeightOf(eye: EyeObservation): number {
  const open = (eye.openness - IRIS_HIDDEN_OPENNESS) / (IRIS_SEEN_OPENNESS - IRIS_HIDDEN_OPENNESS);
  return eye.visibility * Math.min(1, Math.max(0, open));
}

/**
 * Gaze of a face: the eyes' direction in the head (mean of both, weighted by how well each is seen),
 * turned by the head. Without a visible eye it follows the head.
 */
export function gazeOf(face: FaceMeasurement, correction: GazeCorrection = NO_CORRECTION): Gaze {
  const { imageLeftEye: leftEye, imageRightEye: rightEye } = face;
  const { imageLeftEye: ofLeft, imageRightEye: ofRight } = correction;
  const left = eyeWeightOf(leftEye) * ofLeft.weight;
  const right = eyeWeightOf(rightEye) * ofRight.weight;
  const sum = left + right;
  const mean = (ofLeftEye: number, ofRightEye: number, unseen: number): number =>
    sum < LEAST_EYE_WEIGHT ? unseen : (left * ofLeftEye + right * ofRightEye) / sum;
  const leftYawDeg = leftEye.yawDeg * ofLeft.yawGain + ofLeft.yawOffsetDeg;
  const rightYawDeg = rightEye.yawDeg * ofRight.yawGain + ofRight.yawOffsetDeg;
  const inHead = directionOfAngles(
    mean(leftYawDeg, rightYawDeg, 0),
    mean(
      leftEye.pitchDeg * ofLeft.pitchGain + ofLeft.pitchOffsetDeg,
      rightEye.pitchDeg * ofRight.pitchGain + ofRight.pitchOffsetDeg,
      UNSEEN_EYES_PITCH_DEG,
    ),
  );
  const head = rotationOfHead(face.headYawDeg, face.headPitchDeg, face.headRollDeg);
  const seen = anglesOfDirection(apply(head, inHead));
  return {
    yawDeg: seen.yawDeg + correction.placeYawDeg,
    pitchDeg: seen.pitchDeg + correction.placePitchDeg,
    eyeWeight: Math.min(1, sum),
    eyeDifferenceDeg: Math.min(left, right) < 0.3 ? null : Math.abs(leftYawDeg - rightYawDeg),
  };
}
