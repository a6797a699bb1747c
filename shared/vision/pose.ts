import { RelayError } from '../errors.ts';
import type { FrameSize } from '../geometry.ts';
import { CANONICAL_INTER_OCULAR_CM, CANONICAL_POINTS, LANDMARK_VALUES } from './canonical-face.ts';
import {
  add,
  apply,
  headAnglesOfRotation,
  type Mat3,
  rotationFromForward,
  scale,
  transpose,
  type Vec3,
} from './linear.ts';
import { fitSimilarity } from './rigid-fit.ts';

/**
 * Diagonal field of view assumed for every webcam, degrees. Makers' figures for laptop and clip-on
 * webcams lie between 60° and 78°; an error of 10° moves the head angle of a face at the frame's edge by under 2°.
 */
export const DEFAULT_DIAGONAL_FOV_DEG = 70;

/** Focal length in pixels of a frame whose diagonal spans `diagonalFovDeg` (pinhole, square pixels, centred axis). */
export function focalLengthPx(frame: FrameSize, diagonalFovDeg: number = DEFAULT_DIAGONAL_FOV_DEG): number {
  const halfDiagonalPx = Math.hypot(frame.widthPx, frame.heightPx) / 2;
  return halfDiagonalPx / Math.tan((diagonalFovDeg * Math.PI) / 360);
}

/**
 * A pinhole camera at the same place as the real one, turned so that its axis meets the face. In it
 * a face that looks at the camera is seen frontally wherever it is in the frame.
 */
export interface FaceCamera {
  readonly focalPx: number;
  readonly frame: FrameSize;
  /** Takes directions of the real camera to those of the turned one. */
  readonly turnBack: Mat3;
}

/** The ray of a pixel in the real camera: x right, y up, z = −1 (the camera looks along −z). */
function rayOfPixel(xPx: number, yPx: number, frame: FrameSize, focalPx: number): Vec3 {
  return [(xPx - frame.widthPx / 2) / focalPx, (frame.heightPx / 2 - yPx) / focalPx, -1];
}

/** The camera turned towards the pixel (xPx, yPx). */
export function cameraTowards(xPx: number, yPx: number, frame: FrameSize, focalPx: number): FaceCamera {
  const turn = rotationFromForward(scale(rayOfPixel(xPx, yPx, frame, focalPx), -1));
  return { focalPx, frame, turnBack: transpose(turn) };
}

/** The ray of a pixel in the turned camera, scaled to z = −1. */
export function rayInFaceCamera(camera: FaceCamera, xPx: number, yPx: number): Vec3 {
  const ray = apply(camera.turnBack, rayOfPixel(xPx, yPx, camera.frame, camera.focalPx));
  return scale(ray, -1 / ray[2]);
}

/** Where the head is and how it is turned. Lengths are cm of a head of the canonical face's size. */
export interface HeadPose {
  readonly camera: FaceCamera;
  /** Head frame → turned camera's frame. */
  readonly rotation: Mat3;
  /** Place of the head frame's origin in the turned camera's frame. */
  readonly translation: Vec3;
  /** Distance from camera to face, cm. */
  readonly distanceCm: number;
  /** Pixels per cm at the face. */
  readonly pxPerCm: number;
  /** Against the line of sight from face to camera: 0/0 faces the camera, wherever the face is in the frame. */
  readonly yawDeg: number;
  readonly pitchDeg: number;
  readonly rollDeg: number;
  /** Weighted RMS distance of the landmarks from the fitted canonical face, over the inter-ocular distance. */
  readonly residual: number;
}

/** Place in the turned camera's frame of a point given in the head's frame (both cm). */
export function headToCamera(pose: HeadPose, place: Vec3): Vec3 {
  return add(apply(pose.rotation, place), pose.translation);
}

const WEIGHTS = CANONICAL_POINTS.map((point) => point.weight);
const WEIGHT_SUM = WEIGHTS.reduce((sum, weight) => sum + weight, 0);
const PLACES = CANONICAL_POINTS.map((point) => point.place);

/** Refinements of the distance; each makes the error of the scale about ten times smaller, and they end when it is small. */
const MAX_ROUNDS = 5;
const SCALE_TOLERANCE = 2e-4;
/** A face this small (about 1 px between the eyes) holds no pose; it keeps degenerate input finite. */
const MIN_PX_PER_CM = 0.2;

function isAllFinite(landmarks: Float32Array): boolean {
  for (const value of landmarks) if (!Number.isFinite(value)) return false;
  return true;
}

/**
 * Head pose from a mesh. `landmarks`: 478 × (x, y, z), x and y in camera pixels of the full
 * unmirrored frame, z in the same scale, smaller is nearer.
 *
 * The landmarks' depths are relative and in pixels, so distance and shape depend on each other:
 * a similarity fit of the pixels gives a first scale, hence a distance; with it each landmark is
 * put back on its ray at its depth, and the fit is repeated in cm until the scale is 1. This is the
 * scheme of MediaPipe's face geometry module (mediapipe/modules/face_geometry, "Geometry Pipeline").
 *
 * Throws RelayError `landmarks_invalid` for an array of another length or with values that are not finite.
 */
export function headPoseOf(landmarks: Float32Array, frame: FrameSize): HeadPose {
  if (landmarks.length !== LANDMARK_VALUES || !isAllFinite(landmarks)) {
    throw new RelayError('landmarks_invalid', `a face needs ${LANDMARK_VALUES} finite landmark values`);
  }
  const focalPx = focalLengthPx(frame);
  const pixels = CANONICAL_POINTS.map(({ index }): Vec3 => {
    const at = index * 3;
    return [landmarks[at] ?? 0, landmarks[at + 1] ?? 0, landmarks[at + 2] ?? 0];
  });
  const mean = pixels.reduce<Vec3>(
    (sum, pixel, i) => add(sum, scale(pixel, (WEIGHTS[i] ?? 0) / WEIGHT_SUM)),
    [0, 0, 0],
  );
  const camera = cameraTowards(mean[0], mean[1], frame, focalPx);
  const rays = pixels.map((pixel) => rayInFaceCamera(camera, pixel[0], pixel[1]));
  const depthsPx = pixels.map((pixel) => pixel[2] - mean[2]);

  const flat = rays.map((ray, i): Vec3 => [ray[0] * focalPx, ray[1] * focalPx, -(depthsPx[i] ?? 0)]);
  let fit = fitSimilarity(PLACES, flat, WEIGHTS);
  let pxPerCm = Math.max(fit.factor, MIN_PX_PER_CM);
  for (let round = 0; round < MAX_ROUNDS; round++) {
    const scaleNow = pxPerCm;
    const solid = rays.map((ray, i) => scale(ray, focalPx / scaleNow + (depthsPx[i] ?? 0) / scaleNow));
    fit = fitSimilarity(PLACES, solid, WEIGHTS);
    pxPerCm = Math.max(pxPerCm * fit.factor, MIN_PX_PER_CM);
    if (Math.abs(fit.factor - 1) < SCALE_TOLERANCE) break;
  }
  return {
    camera,
    rotation: fit.rotation,
    translation: fit.translation,
    distanceCm: focalPx / pxPerCm,
    pxPerCm,
    ...headAnglesOfRotation(fit.rotation),
    residual: fit.rms / CANONICAL_INTER_OCULAR_CM,
  };
}
