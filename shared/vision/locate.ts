import type { FaceRoi } from '../geometry.ts';
import { DETECTOR_SIZE, type DetectedFace, decodeDetections, orderFaces } from './detector.ts';
import { type FrameView, type ImageQuality, measureQuality, sampleRegion, type TensorFormat } from './image.ts';
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

const MESH_FORMAT: TensorFormat = { sizePx: MESH_SIZE, low: 0, high: 1, outside: 'edge' };
const DETECTOR_FORMAT: TensorFormat = { sizePx: DETECTOR_SIZE, low: -1, high: 1, outside: 'black' };

interface Look {
  readonly face: LocatedFace;
  readonly quality: ImageQuality;
}

async function lookAt(models: FaceModels, view: FrameView, roi: FaceRoi): Promise<Look> {
  const planes = new Float32Array(3 * MESH_SIZE * MESH_SIZE);
  sampleRegion(view, roi, MESH_FORMAT, planes);
  const quality = measureQuality(planes, MESH_FORMAT);
  const { mesh, heads, flag } = await models.mesh(planes);
  const landmarks = refineLandmarks(mesh, heads);
  landmarksToFrame(landmarks, roi, MESH_SIZE);
  return { face: { score: sigmoid(flag), landmarks }, quality };
}

async function detectFaces(
  models: FaceModels,
  view: FrameView,
): Promise<{ faces: DetectedFace[]; quality: ImageQuality }> {
  const region = roiOfCrop(view.crop);
  const planes = new Float32Array(3 * DETECTOR_SIZE * DETECTOR_SIZE);
  sampleRegion(view, region, DETECTOR_FORMAT, planes);
  const { boxes, logits } = await models.detect(planes);
  return { faces: decodeDetections(boxes, logits, region), quality: measureQuality(planes, DETECTOR_FORMAT) };
}

/**
 * Finds one face: where the hint says (the region of the frame before), else with the detector,
 * taking the face nearest to the hint, or the largest. A pure function of its arguments as far as
 * `models` is.
 */
export async function locateFace(models: FaceModels, view: FrameView, hint: FaceRoi | null): Promise<Location> {
  if (hint !== null && isUsableHint(hint, view.crop)) {
    const look = await lookAt(models, view, hint);
    if (look.face.score >= MIN_FACE_SCORE) return { ...look, faceCount: 1, detectorRan: false };
  }
  const { faces, quality } = await detectFaces(models, view);
  for (const candidate of orderFaces(faces, hint).slice(0, MAX_FACES_TRIED)) {
    const look = await lookAt(models, view, roiFromDetection(candidate));
    if (look.face.score >= MIN_FACE_SCORE) return { ...look, faceCount: faces.length, detectorRan: true };
  }
  return { face: null, faceCount: faces.length, detectorRan: true, quality };
}
