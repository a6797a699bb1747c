import type { FrameSize, RectPx } from '../geometry.ts';
import type { FaceObservation } from '../observation.ts';

/** A region of interest is this many times the face's own box (see FaceRoi and the engine's tracking). */
const ROI_PER_BOX = 1.5;
/** A crop is this many times the box: the region itself and room for the face to move until the next frame. */
const CROP_PER_BOX = 1.6;
/** Sides are multiples of this, so that a face that breathes does not change the crop's size. */
const SIDE_STEP_PX = 16;
/** No crop is smaller, px. */
const MIN_SIDE_PX = 64;
/** A held crop stays while the face keeps this much room (in boxes) inside it and its size is right within a quarter. */
const HOLDING_PER_BOX = 1.3;
const HOLDING_SIZE = 1.25;

function isInside(center: number, half: number, start: number, length: number, frameLength: number): boolean {
  const reachesStart = center - half >= start || start === 0;
  const reachesEnd = center + half <= start + length || start + length >= frameLength;
  return reachesStart && reachesEnd;
}

/**
 * Which part of the next frame to send: a square about the face, shifted to lie inside the frame and
 * cut to the frame where it is larger; whole camera pixels. Null when there is no face to crop to:
 * then one small full frame is due. `held` is the crop in use; it is kept while it still fits, so that
 * the picture stands still while the student does.
 */
export function nextCrop(
  observation: FaceObservation | null,
  frame: FrameSize,
  held: RectPx | null = null,
): RectPx | null {
  const roi = observation?.face?.nextRoi ?? null;
  if (roi === null || !(roi.sizePx > 0)) return null;
  const boxPx = roi.sizePx / ROI_PER_BOX;
  const wantedPx = Math.max(MIN_SIDE_PX, Math.ceil((boxPx * CROP_PER_BOX) / SIDE_STEP_PX) * SIDE_STEP_PX);
  const widthPx = Math.min(frame.widthPx, wantedPx);
  const heightPx = Math.min(frame.heightPx, wantedPx);
  if (held !== null) {
    const half = (boxPx * HOLDING_PER_BOX) / 2;
    const hasSize = [held.widthPx / widthPx, held.heightPx / heightPx].every(
      (ratio) => ratio <= HOLDING_SIZE && ratio >= 1 / HOLDING_SIZE,
    );
    if (
      hasSize &&
      isInside(roi.centerXPx, half, held.xPx, held.widthPx, frame.widthPx) &&
      isInside(roi.centerYPx, half, held.yPx, held.heightPx, frame.heightPx)
    ) {
      return held;
    }
  }
  const start = (center: number, length: number, frameLength: number): number =>
    Math.min(frameLength - length, Math.max(0, Math.round(center - length / 2)));
  return {
    xPx: start(roi.centerXPx, widthPx, frame.widthPx),
    yPx: start(roi.centerYPx, heightPx, frame.heightPx),
    widthPx,
    heightPx,
  };
}
