import type { RectPx } from '../../shared/geometry.ts';

/** Cells per side of a grid: about 8 px per cell on a 192 px crop, the size of an iris there. */
const CELLS = 24;

/**
 * Largest difference of one cell's mean luma, 0–255, that still counts as the same picture. Camera
 * noise of ±4 levels a pixel moves the mean of a cell by less than 2; an iris that moves by a third
 * of its width moves one by 10 and more.
 */
const SAME_WITHIN = 3;

/** Mean luma of each cell of a picture, rows first. */
export type LumaGrid = Float32Array<ArrayBuffer>;

/**
 * Luma grid of RGBA pixels, `widthPx` × `heightPx`. Luma by the weights of ITU-R BT.601, which
 * JPEG uses too.
 */
export function lumaGrid(rgba: Uint8ClampedArray, widthPx: number, heightPx: number): LumaGrid {
  const sums = new Float32Array(CELLS * CELLS);
  const counts = new Float32Array(CELLS * CELLS);
  for (let y = 0; y < heightPx; y++) {
    const row = Math.floor((y * CELLS) / heightPx) * CELLS;
    for (let x = 0; x < widthPx; x++) {
      const cell = row + Math.floor((x * CELLS) / widthPx);
      const at = (y * widthPx + x) * 4;
      sums[cell] =
        (sums[cell] ?? 0) + 0.299 * (rgba[at] ?? 0) + 0.587 * (rgba[at + 1] ?? 0) + 0.114 * (rgba[at + 2] ?? 0);
      counts[cell] = (counts[cell] ?? 0) + 1;
    }
  }
  for (let cell = 0; cell < sums.length; cell++) sums[cell] = (sums[cell] ?? 0) / Math.max(1, counts[cell] ?? 0);
  return sums;
}

/** Largest difference between two grids in one cell, 0–255. */
export function largestDifference(a: LumaGrid, b: LumaGrid): number {
  let largest = 0;
  for (let cell = 0; cell < a.length; cell++) {
    largest = Math.max(largest, Math.abs((a[cell] ?? 0) - (b[cell] ?? 0)));
  }
  return largest;
}

/** True when two pictures of the same part of the frame show the same. */
export function isSamePicture(a: LumaGrid, b: LumaGrid): boolean {
  return largestDifference(a, b) <= SAME_WITHIN;
}

/** A real picture is sent at least this often, even of a still student: it shows whether the camera is frozen. */
const REAL_FRAME_EVERY_MS = 2000;

/** The picture that was sent last. */
export interface SentPicture {
  readonly crop: RectPx;
  readonly sentAtMs: number;
}

/** True when `same` may replace a picture that looks the same: the last one has the same crop and is recent. */
export function isRepeatable(sent: SentPicture | null, crop: RectPx, nowMs: number): boolean {
  return (
    sent !== null &&
    nowMs - sent.sentAtMs < REAL_FRAME_EVERY_MS &&
    sent.crop.xPx === crop.xPx &&
    sent.crop.yPx === crop.yPx &&
    sent.crop.widthPx === crop.widthPx &&
    sent.crop.heightPx === crop.heightPx
  );
}
