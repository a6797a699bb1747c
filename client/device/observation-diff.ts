import type { EyeObservation, FaceMeasurement, FaceObservation } from '../../shared/observation.ts';

/**
 * What two observations of a student who keeps still differ by at most: about three times the scatter of one measurement
 * (docs/accuracy.md), for the eyes of the mean of both.
 */
const HEAD_WITHIN_DEG = 2;
const EYES_WITHIN_DEG = 5;
/** An open eye measures about 0.3; a lid that begins to shut changes it by more. */
const OPENNESS_WITHIN = 0.08;
/** Of probabilities and visibilities, 0–1. */
const SHARE_WITHIN = 0.3;
/** A head that turned further than this is a large movement. */
const LARGE_TURN_DEG = 6;

function eyeChanged(before: EyeObservation, now: EyeObservation): boolean {
  return (
    Math.abs(now.openness - before.openness) > OPENNESS_WITHIN ||
    Math.abs(now.visibility - before.visibility) > SHARE_WITHIN ||
    Math.abs((now.shut ?? 0) - (before.shut ?? 0)) > SHARE_WITHIN
  );
}

function turnedDeg(before: FaceMeasurement, now: FaceMeasurement): number {
  return Math.max(Math.abs(now.headYawDeg - before.headYawDeg), Math.abs(now.headPitchDeg - before.headPitchDeg));
}

function eyesTurnedDeg(before: FaceMeasurement, now: FaceMeasurement): number {
  const meanOf = (face: FaceMeasurement, angle: 'yawDeg' | 'pitchDeg') =>
    (face.imageLeftEye[angle] + face.imageRightEye[angle]) / 2;
  return Math.max(
    Math.abs(meanOf(now, 'yawDeg') - meanOf(before, 'yawDeg')),
    Math.abs(meanOf(now, 'pitchDeg') - meanOf(before, 'pitchDeg')),
  );
}

/** True where the student has moved, or something else about the picture, between two observations of one camera. */
export function hasChanged(before: FaceObservation, now: FaceObservation): boolean {
  if (before.faceCount !== now.faceCount || before.fault !== now.fault) return true;
  if (before.face === null || now.face === null) return before.face !== now.face;
  return (
    turnedDeg(before.face, now.face) > HEAD_WITHIN_DEG ||
    eyesTurnedDeg(before.face, now.face) > EYES_WITHIN_DEG ||
    eyeChanged(before.face.imageLeftEye, now.face.imageLeftEye) ||
    eyeChanged(before.face.imageRightEye, now.face.imageRightEye)
  );
}

/** True where more observations should follow soon: the head has turned far, or a face has come or gone. */
export function hasMovedFar(before: FaceObservation, now: FaceObservation): boolean {
  if (before.face === null || now.face === null) return before.face !== now.face;
  return turnedDeg(before.face, now.face) > LARGE_TURN_DEG;
}
