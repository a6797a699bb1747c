import type { FaceRoi, FrameSize } from '../geometry.ts';
import type { EyeObservation, FaceMeasurement, FaceObservation } from '../observation.ts';
import { IMAGE_LEFT_EYE, IMAGE_RIGHT_EYE } from './canonical-face.ts';
import type { EyePixels, EyesPixels } from './eye-pixels.ts';
import { cornersShiftOf, interOcularPxOf, observeEye } from './eyes.ts';
import type { Location } from './locate.ts';
import { headPoseOf } from './pose.ts';
import { roiFromLandmarks } from './roi.ts';
import { seedDirectionOf } from './seed-rule.ts';
import { lightYawDegOf } from './side-light.ts';

/**
 * The mesh shows this much less of a nod than there is: slope of its pitch over exact poses of a
 * rendered head (0.88 downwards, 0.95 upwards).
 */
export const NOD_GAIN = 1.1;

/** An eye as the mesh has it, with what its pixels say; undefined: they were not judged. */
function withPixels(eye: EyeObservation, pixels: EyePixels | undefined): EyeObservation {
  return pixels === undefined ? eye : { ...eye, visibility: eye.visibility * pixels.seen, shut: pixels.shut };
}

/**
 * Everything the product keeps of one face in one frame. `landmarks`: 478 × (x, y, z), x and y in
 * camera pixels of the full unmirrored frame, z in the same scale (smaller is nearer); `score`: the
 * mesh's face probability 0–1; `nextRoi`: handed through; `pixels`: what they say of the eyes, where they were judged. Throws
 * RelayError `landmarks_invalid`.
 */
export function measureFace(
  landmarks: Float32Array,
  score: number,
  frame: FrameSize,
  nextRoi: FaceRoi,
  pixels?: EyesPixels,
): FaceMeasurement {
  const pose = headPoseOf(landmarks, frame);
  const shift = {
    cornersCm: cornersShiftOf(landmarks, pose),
    lightDeg: lightYawDegOf(pixels?.hardSideLight ?? 0, pose.yawDeg),
  };
  return {
    score,
    headYawDeg: pose.yawDeg,
    headPitchDeg: pose.pitchDeg * NOD_GAIN,
    headRollDeg: pose.rollDeg,
    fitResidual: pose.residual,
    imageLeftEye: withPixels(observeEye(landmarks, IMAGE_LEFT_EYE, pose, shift), pixels?.imageLeft),
    imageRightEye: withPixels(observeEye(landmarks, IMAGE_RIGHT_EYE, pose, shift), pixels?.imageRight),
    interOcularPx: interOcularPxOf(landmarks, IMAGE_LEFT_EYE, IMAGE_RIGHT_EYE),
    seedDirection: seedDirectionOf(landmarks, frame),
    nextRoi,
  };
}

/** The observation of a located face, or of a picture without one. `frame` is the full camera frame. Errors as measureFace. */
export function observationOf(location: Location, frame: FrameSize): FaceObservation {
  const { face, faceCount, detectorRan, quality, fault } = location;
  return {
    face:
      face === null
        ? null
        : measureFace(face.landmarks, face.score, frame, roiFromLandmarks(face.landmarks), face.eyes),
    faceCount,
    detectorRan,
    ...quality,
    ...(fault === undefined ? {} : { fault }),
  };
}
