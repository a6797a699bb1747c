import type { FrameSize } from '../../../shared/geometry.ts';
import type { FaceMeasurement, FaceObservation } from '../../../shared/observation.ts';
import { IMAGE_LEFT_EYE, IMAGE_RIGHT_EYE } from '../../../shared/vision/canonical-face.ts';
import { DEG_PER_RAD } from '../../../shared/vision/linear.ts';
import { focalLengthPx } from '../../../shared/vision/pose.ts';

/** Where a dot was, as the person saw it: CSS pixels from the page's upper left, and the page's size and place in mm. */
export interface Dot {
  readonly xPx: number;
  readonly yPx: number;
  readonly pageWidthPx: number;
  readonly pageHeightPx: number;
  readonly pageWidthMm: number;
  /** From the camera, in the middle above the page, down to the page's upper edge. */
  readonly cameraAboveMm: number;
}

/** One picture of a person who looks at a dot. */
export interface DotFrame {
  readonly person: string;
  readonly session: string;
  readonly dot: Dot;
  readonly camera: FrameSize;
  /** Where the person looked, degrees against the line from face to camera; null where no face was found. */
  readonly truth: { readonly yawDeg: number; readonly pitchDeg: number } | null;
  /** What was seen of the picture unharmed and as a page sends it. */
  readonly whole: FaceObservation;
  readonly asSent: FaceObservation;
}

/** Focal length of the truth, from the slope of yaw on laptops, as a diagonal field of view; 60–70° are plausible. */
const TRUE_DIAGONAL_FOV_DEG = 2 * Math.atan(400 / 630) * DEG_PER_RAD;
/** Distance of adults' eyes, mm (N. A. Dodgson, "Variation and extrema of human interpupillary distance", 2004: mean 63). */
const EYES_APART_MM = 63;
const MIN_COSINE = 0.6;

/** Middle between both eyes' corners in camera pixels. */
function eyesMiddlePx(landmarks: Float32Array): { readonly xPx: number; readonly yPx: number } {
  const corners = [IMAGE_LEFT_EYE, IMAGE_RIGHT_EYE].flatMap(({ outer, inner }) => [outer, inner]);
  const mean = (axis: 0 | 1): number =>
    corners.reduce((sum, index) => sum + (landmarks[index * 3 + axis] ?? 0) / corners.length, 0);
  return { xPx: mean(0), yPx: mean(1) };
}

/**
 * Where a person who looks at a dot looks: the angles of the line from the eyes to the dot less those of the line to the camera,
 * yaw to image right, pitch up. `landmarks` in camera pixels; the eyes' place follows from how far apart they are in the picture.
 */
export function truthOf(
  dot: Dot,
  landmarks: Float32Array,
  face: FaceMeasurement,
  camera: FrameSize,
): { readonly yawDeg: number; readonly pitchDeg: number } {
  const focalPx = focalLengthPx(camera, TRUE_DIAGONAL_FOV_DEG);
  const turned = Math.max(MIN_COSINE, Math.cos(face.headYawDeg / DEG_PER_RAD));
  const zMm = (focalPx * EYES_APART_MM * turned) / face.interOcularPx;
  const eyes = eyesMiddlePx(landmarks);
  const xMm = ((eyes.xPx - camera.widthPx / 2) * zMm) / focalPx;
  const downMm = ((eyes.yPx - camera.heightPx / 2) * zMm) / focalPx;
  const mmPerPx = dot.pageWidthMm / dot.pageWidthPx;
  // The person's left is image right.
  const dotXMm = (dot.pageWidthPx / 2 - dot.xPx) * mmPerPx;
  const dotDownMm = dot.cameraAboveMm + dot.yPx * mmPerPx;
  const yaw = (targetXMm: number): number => Math.atan2(targetXMm - xMm, zMm);
  const pitch = (targetXMm: number, targetDownMm: number): number =>
    Math.atan2(downMm - targetDownMm, Math.hypot(zMm, targetXMm - xMm));
  return {
    yawDeg: (yaw(dotXMm) - yaw(0)) * DEG_PER_RAD,
    pitchDeg: (pitch(dotXMm, dotDownMm) - pitch(0, 0)) * DEG_PER_RAD,
  };
}
