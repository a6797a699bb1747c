import type { FaceRoi, RectPx } from '../geometry.ts';
import type { DetectedFace } from './detector.ts';
import { FACE_POINTS, LIPS } from './mesh-output.ts';

/** Region over detected box and over the landmarks' box: MediaPipe, face_landmark/*_to_roi.pbtxt. */
export const ROI_SCALE = 1.5;

/** Outer corners of the eyes in the 478-point mesh: their line is the face's x axis. */
const IMAGE_LEFT_CORNER = 33;
const IMAGE_RIGHT_CORNER = 263;

/**
 * Landmarks that the box is put around: all but the lips, which no observation needs and which lie
 * inside of the face, so that it is the same box whether or not they were refined.
 */
const BOXED = Array.from({ length: FACE_POINTS }, (_, point) => point).filter((point) => !LIPS.includes(point));

/** Regions below this many pixels hold nothing that the mesh could use. */
const SMALLEST_ROI_PX = 8;

/** Region that the whole of a crop fits in, upright; camera pixels. */
export function roiOfCrop(crop: RectPx): FaceRoi {
  return {
    centerXPx: crop.xPx + crop.widthPx / 2,
    centerYPx: crop.yPx + crop.heightPx / 2,
    sizePx: Math.max(crop.widthPx, crop.heightPx),
    rotationRad: 0,
  };
}

/** Region around a detected face (camera pixels): 1.5 × its box, turned along the line of its eyes. */
export function roiFromDetection(face: DetectedFace): FaceRoi {
  const { box, imageLeftEye, imageRightEye } = face;
  return {
    centerXPx: box.xPx + box.widthPx / 2,
    centerYPx: box.yPx + box.heightPx / 2,
    sizePx: ROI_SCALE * Math.max(box.widthPx, box.heightPx),
    rotationRad: Math.atan2(imageRightEye.yPx - imageLeftEye.yPx, imageRightEye.xPx - imageLeftEye.xPx),
  };
}

/**
 * Region around the face's 478 landmarks (x, y, z each, camera pixels): 1.5 × the box that encloses
 * them, the lips aside, along the line of the outer eye corners. Where the next frame is searched first.
 */
export function roiFromLandmarks(landmarks: Float32Array): FaceRoi {
  const coordinate = (point: number, axis: number): number => landmarks[point * 3 + axis] ?? 0;
  const rotationRad = Math.atan2(
    coordinate(IMAGE_RIGHT_CORNER, 1) - coordinate(IMAGE_LEFT_CORNER, 1),
    coordinate(IMAGE_RIGHT_CORNER, 0) - coordinate(IMAGE_LEFT_CORNER, 0),
  );
  const cos = Math.cos(rotationRad);
  const sin = Math.sin(rotationRad);
  let left = Number.POSITIVE_INFINITY;
  let right = Number.NEGATIVE_INFINITY;
  let top = Number.POSITIVE_INFINITY;
  let bottom = Number.NEGATIVE_INFINITY;
  for (const point of BOXED) {
    const x = landmarks[point * 3] as number;
    const y = landmarks[point * 3 + 1] as number;
    const along = cos * x + sin * y;
    const across = cos * y - sin * x;
    if (along < left) left = along;
    if (along > right) right = along;
    if (across < top) top = across;
    if (across > bottom) bottom = across;
  }
  const along = (left + right) / 2;
  const across = (top + bottom) / 2;
  return {
    centerXPx: cos * along - sin * across,
    centerYPx: sin * along + cos * across,
    sizePx: ROI_SCALE * Math.max(right - left, bottom - top),
    rotationRad,
  };
}

/** Whether a hint is worth a look: it has a size, and its centre lies in the crop or less than half a region outside. */
export function isUsableHint(roi: FaceRoi, crop: RectPx): boolean {
  const reach = roi.sizePx / 2;
  return (
    roi.sizePx >= SMALLEST_ROI_PX &&
    roi.centerXPx > crop.xPx - reach &&
    roi.centerXPx < crop.xPx + crop.widthPx + reach &&
    roi.centerYPx > crop.yPx - reach &&
    roi.centerYPx < crop.yPx + crop.heightPx + reach
  );
}

/**
 * Moves landmarks (x, y, z each) from pixels of a tensor that was cut along `roi` to camera pixels
 * of the full frame, in place. Depth gets the same scale.
 */
export function landmarksToFrame(landmarks: Float32Array, roi: FaceRoi, tensorSizePx: number): void {
  const scale = roi.sizePx / tensorSizePx;
  const cos = Math.cos(roi.rotationRad) * scale;
  const sin = Math.sin(roi.rotationRad) * scale;
  const half = tensorSizePx / 2;
  for (let at = 0; at < landmarks.length; at += 3) {
    const x = (landmarks[at] as number) - half;
    const y = (landmarks[at + 1] as number) - half;
    landmarks[at] = roi.centerXPx + cos * x - sin * y;
    landmarks[at + 1] = roi.centerYPx + sin * x + cos * y;
    landmarks[at + 2] = (landmarks[at + 2] as number) * scale;
  }
}

/** The way back: camera pixels to pixels of a tensor that was cut along `roi`. A new array; depth gets the same scale. */
export function landmarksToTensor(landmarks: Float32Array, roi: FaceRoi, tensorSizePx: number): Float32Array {
  const scale = tensorSizePx / roi.sizePx;
  const cos = Math.cos(roi.rotationRad) * scale;
  const sin = Math.sin(roi.rotationRad) * scale;
  const half = tensorSizePx / 2;
  const moved = new Float32Array(landmarks.length);
  for (let at = 0; at < landmarks.length; at += 3) {
    const x = (landmarks[at] as number) - roi.centerXPx;
    const y = (landmarks[at + 1] as number) - roi.centerYPx;
    moved[at] = cos * x + sin * y + half;
    moved[at + 1] = cos * y - sin * x + half;
    moved[at + 2] = (landmarks[at + 2] as number) * scale;
  }
  return moved;
}
