import type { FaceRoi } from '../geometry.ts';
import { DETECTOR_SIZE, type DetectedFace, decodeDetections, orderFaces } from './detector.ts';
import { type EyesPixels, eyesInPixels } from './eye-pixels.ts';
import { createPlainPictures, type FrameView, type ImageQuality, type Picture, type TensorFormat } from './image.ts';
import { MESH_SIZE, refineLandmarks, sigmoid } from './mesh-output.ts';
import { type PictureFault, pictureFaultOf } from './picture-fault.ts';
import { isUsableHint, landmarksToFrame, ROI_SCALE, roiFromDetection, roiFromLandmarks, roiOfCrop } from './roi.ts';

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
  /** What the pixels say of the eyes; left out where they were not judged. */
  readonly eyes?: EyesPixels;
}

export interface Location {
  readonly face: LocatedFace | null;
  /** Faces that the mesh is sure of, where the detector ran; else 1. */
  readonly faceCount: number;
  readonly detectorRan: boolean;
  /** Of the face's region, or of the whole picture when there is no face. */
  readonly quality: ImageQuality;
  /** Why a picture without a face says nothing; left out for one that does, and for one with a face. */
  readonly fault?: PictureFault;
}

/** The picture's fault, judged on all of it, as a part of its location. */
function faultOf(picture: Picture): Pick<Location, 'fault'> {
  const { planes } = picture.sample(roiOfCrop(picture.crop), DETECTOR_FORMAT);
  const fault = pictureFaultOf(planes, DETECTOR_FORMAT, picture.crop);
  return fault === null ? {} : { fault };
}

/**
 * Below this probability of the mesh there is no face. MediaPipe takes 0.5 (face_landmark_*.pbtxt); hair, walls and
 * cloth that it takes for a face score 0.5 to 0.9, and of true faces 98 in 100 more.
 */
export const MIN_FACE_SCORE = 0.9;

/**
 * Faces seen from the side score less, true ones too: from this turn of the head on, upright, MIN_PROFILE_SCORE is enough.
 * It keeps 8 of the 18 of CMU Face Images' 313 faces that MIN_FACE_SCORE would take away.
 */
const MIN_PROFILE_SCORE = 0.5;
const PROFILE_TURN = Math.tan((40 * Math.PI) / 180);
const UPRIGHT_NOD = Math.tan((20 * Math.PI) / 180);
const OUTER_CORNERS = [33, 263] as const;
const FOREHEAD_AND_CHIN = [10, 152] as const;

/** Depth between two landmarks over their distance in the picture: the tangent of the head's turn or nod. */
function slopeBetween(landmarks: Float32Array, [one, other]: readonly [number, number]): number {
  const between = (axis: number): number => (landmarks[other * 3 + axis] ?? 0) - (landmarks[one * 3 + axis] ?? 0);
  return Math.abs(between(2)) / Math.max(1e-6, Math.hypot(between(0), between(1)));
}

/** Whether the mesh is sure enough of a face. */
export function isFace({ score, landmarks }: LocatedFace): boolean {
  if (score >= MIN_FACE_SCORE) return true;
  const isProfile =
    slopeBetween(landmarks, OUTER_CORNERS) > PROFILE_TURN && slopeBetween(landmarks, FOREHEAD_AND_CHIN) < UPRIGHT_NOD;
  return score >= MIN_PROFILE_SCORE && isProfile;
}

/** The detector's false alarms are rarely larger than a true face; a second look covers those that are. */
const MAX_FACES_TRIED = 2;
/** Other faces that are made sure of: more of them change nothing. */
const MAX_OTHER_FACES = 2;
const MAX_CLOSER_LOOKS = 3;

/** The mesh model's input. */
export const MESH_FORMAT: TensorFormat = { sizePx: MESH_SIZE, low: 0, high: 1, outside: 'edge' };
/** The detector's input. */
export const DETECTOR_FORMAT: TensorFormat = { sizePx: DETECTOR_SIZE, low: -1, high: 1, outside: 'black' };

/** What the model found in a region. */
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
 * says that there is none; analysed again where its own points are, and again, it is often sure. Of CMU
 * Face Images' 51 pictures without a face by one look, 14 have one by two looks and 13 more by four, three
 * of which are read to the wrong side.
 */
async function lookAtDetection(look: Eyes['look'], picture: Picture, detected: DetectedFace): Promise<Look> {
  let found = await look(picture, roiFromDetection(detected));
  for (let closer = 0; closer < MAX_CLOSER_LOOKS && !isFace(found.face); closer++) {
    const roi = roiFromLandmarks(found.face.landmarks);
    if (!isUsableHint(roi, picture.crop)) break;
    found = await look(picture, roi);
  }
  return found;
}

/** True for a detected face whose middle lies in the region around these landmarks: it is the same face. */
function isSameFace({ box }: DetectedFace, landmarks: Float32Array): boolean {
  const { centerXPx, centerYPx, sizePx } = roiFromLandmarks(landmarks);
  const distance = Math.hypot(box.xPx + box.widthPx / 2 - centerXPx, box.yPx + box.heightPx / 2 - centerYPx);
  return distance < sizePx / (2 * ROI_SCALE);
}

/**
 * Finds one face: where the hint says (the region of the frame before), else with the detector,
 * taking the face nearest to the hint, or the largest. `countFaces` lets the detector run although the hint
 * holds, for other faces beside it. A pure function of its arguments as far as the models are. Not reentrant: await
 * each call before the next.
 */
export type Locate = (seen: Picture | FrameView, hint: FaceRoi | null, countFaces?: boolean) => Promise<Location>;

/** A locator with the given eyes. It keeps tensors, which every call overwrites whole, and nothing else. */
export function createSearch({ look, detect }: Eyes): Locate {
  const plainPicture = createPlainPictures();

  /** The face that was found and the others that the detector saw and the mesh is sure of. */
  const countOf = async (picture: Picture, faces: readonly DetectedFace[], { face }: Look): Promise<number> => {
    let count = 1;
    for (const other of faces.filter((each) => !isSameFace(each, face.landmarks)).slice(0, MAX_OTHER_FACES)) {
      if (isFace((await look(picture, roiFromDetection(other))).face)) count++;
    }
    return count;
  };

  return async (seen, hint, countFaces = false) => {
    const picture = 'sample' in seen ? seen : plainPicture(seen);
    if (hint !== null && isUsableHint(hint, picture.crop)) {
      const found = await look(picture, hint);
      if (isFace(found.face)) {
        if (!countFaces) return { ...found, faceCount: 1, detectorRan: false };
        const { faces } = await detect(picture);
        return { ...found, faceCount: await countOf(picture, faces, found), detectorRan: true };
      }
    }
    const { faces, quality } = await detect(picture);
    for (const candidate of orderFaces(faces, hint).slice(0, MAX_FACES_TRIED)) {
      const found = await lookAtDetection(look, picture, candidate);
      if (!isFace(found.face)) continue;
      return { ...found, faceCount: await countOf(picture, faces, found), detectorRan: true };
    }
    return { face: null, faceCount: 0, detectorRan: true, quality, ...faultOf(picture) };
  };
}

/** A locator on the given models. */
export function createLocator(models: FaceModels): Locate {
  return createSearch({
    look: async (picture, roi) => {
      const { planes, quality } = picture.sample(roi, MESH_FORMAT);
      const { mesh, heads, flag } = await models.mesh(planes);
      const landmarks = refineLandmarks(mesh, heads);
      const eyes = eyesInPixels(planes, landmarks);
      landmarksToFrame(landmarks, roi, MESH_SIZE);
      return { face: { score: sigmoid(flag), landmarks, eyes }, quality };
    },
    detect: async (picture) => {
      const region = roiOfCrop(picture.crop);
      const { planes, quality } = picture.sample(region, DETECTOR_FORMAT);
      const { boxes, logits } = await models.detect(planes);
      return { faces: decodeDetections(boxes, logits, region), quality };
    },
  });
}
