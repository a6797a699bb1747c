import type { FaceRoi } from '../geometry.ts';
import { DETECTOR_SIZE, type DetectedFace, decodeDetections, orderFaces } from './detector.ts';
import { createPlainPictures, type FrameView, type ImageQuality, type Picture, type TensorFormat } from './image.ts';
import { MESH_SIZE, refineLandmarks, sigmoid } from './mesh-output.ts';
import { isUsableHint, landmarksToFrame, roiFromDetection, roiOfCrop } from './roi.ts';

/** The two models, whatever runs them. Inputs and outputs as detector.ts and mesh-output.ts describe them. */
export interface FaceModels {
  detect(planes: Float32Array): Promise<{ readonly boxes: Float32Array; readonly logits: Float32Array }>;
  mesh(
    planes: Float32Array,
  ): Promise<{ readonly mesh: Float32Array; readonly heads: Float32Array; readonly flag: number }>;
}

/** A face that was found. */
export interface LocatedFace {
  /** Probability that the region holds a face, 0–1. */
  readonly score: number;
  /** 478 landmarks, x, y, z each, camera pixels of the full frame. */
  readonly landmarks: Float32Array;
}

export interface Location {
  readonly face: LocatedFace | null;
  /** From the detector when it ran, else 1. */
  readonly faceCount: number;
  readonly detectorRan: boolean;
  /** Of the face's region, or of the whole picture when there is no face. */
  readonly quality: ImageQuality;
}

/** Below this probability the mesh says that there is no face; MediaPipe, face_landmark_*.pbtxt. */
export const MIN_FACE_SCORE = 0.5;

/** The detector's false alarms are rarely larger than a true face; a second look covers those that are. */
const MAX_FACES_TRIED = 2;

/** What the mesh looks at. */
export const MESH_FORMAT: TensorFormat = { sizePx: MESH_SIZE, low: 0, high: 1, outside: 'edge' };
/** What the detector looks at. */
export const DETECTOR_FORMAT: TensorFormat = { sizePx: DETECTOR_SIZE, low: -1, high: 1, outside: 'black' };

interface Look {
  readonly face: LocatedFace;
  readonly quality: ImageQuality;
}

/**
 * Finds one face: where the hint says (the region of the frame before), else with the detector,
 * taking the face nearest to the hint, or the largest. A pure function of its arguments as far as
 * the models are. Not reentrant: await each call before the next.
 */
export type Locate = (seen: Picture | FrameView, hint: FaceRoi | null) => Promise<Location>;

/** A locator on the given models. It keeps its tensors, which every call overwrites whole, and nothing else. */
export function createLocator(models: FaceModels): Locate {
  const lookAt = async (picture: Picture, roi: FaceRoi): Promise<Look> => {
    const { planes, quality } = picture.sample(roi, MESH_FORMAT);
    const { mesh, heads, flag } = await models.mesh(planes);
    const landmarks = refineLandmarks(mesh, heads);
    landmarksToFrame(landmarks, roi, MESH_SIZE);
    return { face: { score: sigmoid(flag), landmarks }, quality };
  };

  const detectFaces = async (picture: Picture): Promise<{ faces: DetectedFace[]; quality: ImageQuality }> => {
    const region = roiOfCrop(picture.crop);
    const { planes, quality } = picture.sample(region, DETECTOR_FORMAT);
    const { boxes, logits } = await models.detect(planes);
    return { faces: decodeDetections(boxes, logits, region), quality };
  };

  const plainPicture = createPlainPictures();
  return async (seen, hint) => {
    const picture = 'sample' in seen ? seen : plainPicture(seen);
    if (hint !== null && isUsableHint(hint, picture.crop)) {
      const look = await lookAt(picture, hint);
      if (look.face.score >= MIN_FACE_SCORE) return { ...look, faceCount: 1, detectorRan: false };
    }
    const { faces, quality } = await detectFaces(picture);
    for (const candidate of orderFaces(faces, hint).slice(0, MAX_FACES_TRIED)) {
      const look = await lookAt(picture, roiFromDetection(candidate));
      if (look.face.score >= MIN_FACE_SCORE) return { ...look, faceCount: faces.length, detectorRan: true };
    }
    return { face: null, faceCount: faces.length, detectorRan: true, quality };
  };
}
