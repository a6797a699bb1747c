import type { FrameSize } from './geometry.ts';
import type { EyeObservation, FaceObservation } from './observation.ts';

/** Beyond these no face is and no engine measures: head and eye angles, degrees. */
const MOST_YAW_DEG = 180;
const MOST_PITCH_DEG = 120;
const MOST_EYE_DEG = 120;
/** An eye is never opened this far: lid gap over eye width. */
const MOST_OPENNESS = 3;
/** Engines report no face below a half; the wire rounds. */
const LEAST_SCORE = 0.49;
/** A region may reach beyond the frame, not be many times as large. */
const MOST_ROI_PER_FRAME = 4;

function eyeFault(eye: EyeObservation): string | null {
  if (Math.abs(eye.yawDeg) > MOST_EYE_DEG || Math.abs(eye.pitchDeg) > MOST_EYE_DEG) return 'an eye turned that far';
  return eye.openness > MOST_OPENNESS ? 'an eye opened that far' : null;
}

/**
 * What is wrong with an observation that comes from a device, in words; null when an engine may have
 * made it. `camera` is the full frame that it was made of, camera pixels.
 */
export function implausibility(observation: FaceObservation, camera: FrameSize): string | null {
  const { face, faceCount } = observation;
  if (face === null) return null;
  if (faceCount < 1) return 'a face was found and none counted';
  if (face.score < LEAST_SCORE) return `a face of score ${face.score.toFixed(2)}`;
  if (Math.abs(face.headYawDeg) > MOST_YAW_DEG || Math.abs(face.headRollDeg) > MOST_YAW_DEG) {
    return 'a head turned further than all the way round';
  }
  if (Math.abs(face.headPitchDeg) > MOST_PITCH_DEG) return 'a head nodding that far';
  const eye = eyeFault(face.imageLeftEye) ?? eyeFault(face.imageRightEye);
  if (eye !== null) return eye;
  const longerPx = Math.max(camera.widthPx, camera.heightPx);
  if (!(face.interOcularPx > 0) || face.interOcularPx > longerPx) return 'eyes further apart than the picture is wide';
  const { sizePx, centerXPx, centerYPx } = face.nextRoi;
  const outside =
    centerXPx < -sizePx ||
    centerYPx < -sizePx ||
    centerXPx > camera.widthPx + sizePx ||
    centerYPx > camera.heightPx + sizePx;
  if (!(sizePx > 0) || sizePx > MOST_ROI_PER_FRAME * longerPx || outside) return 'a face outside the picture';
  return null;
}
