/**
 * Coordinates used everywhere: camera pixels of the full, unmirrored frame as the camera delivers
 * it; x to the right of the stored picture, y down. "Left" and "right" are image sides: the
 * subject's right eye is `imageLeft`. Mirroring is a matter of display alone.
 */

/** Axis-aligned rectangle in camera pixels of the full frame. */
export interface RectPx {
  readonly xPx: number;
  readonly yPx: number;
  readonly widthPx: number;
  readonly heightPx: number;
}

/** Size of the full camera frame in pixels. */
export interface FrameSize {
  readonly widthPx: number;
  readonly heightPx: number;
}

/** True for frames of the same width and height. */
export function isSameSize(a: FrameSize, b: FrameSize): boolean {
  return a.widthPx === b.widthPx && a.heightPx === b.heightPx;
}

/**
 * Square, rotated face region in camera pixels of the full frame. `rotationRad` is the angle of
 * the face's own x axis against the image's, positive clockwise as seen in the picture (y down).
 */
export interface FaceRoi {
  readonly centerXPx: number;
  readonly centerYPx: number;
  readonly sizePx: number;
  readonly rotationRad: number;
}
