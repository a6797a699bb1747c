import type { FaceRoi } from '../geometry.ts';
import { DETECTOR_SIZE, type DetectedFace, decodeDetections, orderFaces } from './detector.ts';
import { createPlainPictures, type FrameView, type ImageQuality, type Picture, type TensorFormat } from './image.ts';
import { MESH_SIZE, refineLandmarks, sigmoid } from './mesh-output.ts';
import { isUsableHint, landmarksToFrame, roiFromDetection, roiFromLandmarks, roiOfCrop } from './roi.ts';

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
const MAX_CLOSER_LOOKS = 3;

/** What the mesh looks at. */
export const MESH_FORMAT: TensorFormat = { sizePx: MESH_SIZE, low: 0, high: 1, outside: 'edge' };
/** What the detector looks at. */
export const DETECTOR_FORMAT: TensorFormat = { sizePx: DETECTOR_SIZE, low: -1, high: 1, outside: 'black' };

/** What one look at a region found. */
export interface Look {
  readonly face: LocatedFace;
  readonly quality: ImageQuality;
}

/** The two steps of a search, whatever does them. */
export interface Eyes {
  /** Landmarks in a region (camera pixels), and how sure it is that a face is there. */
  look(picture: Picture, roi: FaceRoi): Promise<Look>;
  /** Faces in the whole picture, and how that looks. */
  detect(picture: Picture): Promise<{ readonly faces: readonly DetectedFace[]; readonly quality: ImageQuality }>;
}

/**
 * A face that the detector saw. One turned far aside sits badly in the detector's box, and the mesh then
 * says that there is none; looked at again where its own points are, and again, it is often sure. Of CMU
 * Face Images' 51 pictures without a face by one look, 14 have one by two looks and 13 more by four, three
 * of which are read to the wrong side.
 */
async function lookAtDetection(look: Eyes['look'], picture: Picture, detected: DetectedFace): Promise<Look> {
  let found = await look(picture, roiFromDetection(detected));
  for (let closer = 0; closer < MAX_CLOSER_LOOKS && found.face.score < MIN_FACE_SCORE; closer++) {
    const roi = roiFromLandmarks(found.face.landmarks);
    if (!isUsableHint(roi, picture.crop)) break;
    found = await look(picture, roi);
  }
  return found;
}

/**
 * Finds one face: where the hint says (the region of the frame before), else with the detector,
 * taking the face nearest to the hint, or the largest. A pure function of its arguments as far as
 * the models are. Not reentrant: await each call before the next.
 */
export type Locate = (seen: Picture | FrameView, hint: FaceRoi | null) => Promise<Location>;

/** A locator with the given eyes. It keeps tensors, which every call overwrites whole, and nothing else. */
export function createSearch({ look, detect }: Eyes): Locate {
  const plainPicture = createPlainPictures();
  return async (seen, hint) => {
    const picture = 'sample' in seen ? seen : plainPicture(seen);
    if (hint !== null && isUsableHint(hint, picture.crop)) {
      const found = await look(picture, hint);
      if (found.face.score >= MIN_FACE_SCORE) return { ...found, faceCount: 1, detectorRan: false };
    }
    const { faces, quality } = await detect(picture);
    for (const candidate of orderFaces(faces, hint).slice(0, MAX_FACES_TRIED)) {
      const found = await lookAtDetection(look, picture, candidate);
      if (found.face.score >= MIN_FACE_SCORE) return { ...found, faceCount: faces.length, detectorRan: true };
    }
    return { face: null, faceCount: faces.length, detectorRan: true, quality };
  };
}

/** A locator on the given models. */
export function createLocator(models: FaceModels): Locate {
  return createSearch({
    look: async (picture, roi) => {
      const { planes, quality } = picture.sample(roi, MESH_FORMAT);
      const { mesh, heads, flag } = await models.mesh(planes);
      const landmarks = refineLandmarks(mesh, heads);
      landmarksToFrame(landmarks, roi, MESH_SIZE);
      return { face: { score: sigmoid(flag), landmarks }, quality };
    },
    detect: async (picture) => {
      const region = roiOfCrop(picture.crop);
      const { planes, quality } = picture.sample(region, DETECTOR_FORMAT);
      const { boxes, logits } = await models.detect(planes);
      return { faces: decodeDetections(boxes, logits, region), quality };
    },
  });
}
