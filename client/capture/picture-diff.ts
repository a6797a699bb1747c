import type { RectPx } from '../../shared/geometry.ts';

/** Cells per side of a thumbprint: about 8 px a cell on a 192 px crop, the size of an iris there. */
const CELLS = 24;

/**
 * Largest difference of one cell's mean luma, 0–255, that still counts as the same picture. Camera
 * noise of ±4 levels a pixel moves the mean of a cell by less than 2; an iris that moves by a third
 * of its width moves one by 10 and more.
 */
const SAME_WITHIN = 3;

/** Mean luma of each cell of a picture, rows first. */
export type Thumbprint = Float32Array<ArrayBuffer>;

/**
 * Thumbprint of RGBA pixels, `widthPx` × `heightPx`. Luma by the weights of ITU-R BT.601, which
 * JPEG uses too.
 */
export function thumbprint(rgba: Uint8ClampedArray, widthPx: number, heightPx: number): Thumbprint {
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

/** Largest difference between two thumbprints in one cell, 0–255. */
export function largestDifference(a: Thumbprint, b: Thumbprint): number {
  let largest = 0;
  for (let cell = 0; cell < a.length; cell++) {
    largest = Math.max(largest, Math.abs((a[cell] ?? 0) - (b[cell] ?? 0)));
  }
  return largest;
}

/** True when two pictures of the same part of the frame show the same. */
export function looksTheSame(a: Thumbprint, b: Thumbprint): boolean {
  return largestDifference(a, b) <= SAME_WITHIN;
}

/** A picture leaves at least this often, however still the student sits: a frozen camera shows. */
const REAL_FRAME_EVERY_MS = 2000;

/** The picture that the gateway has from us. */
export interface SentPicture {
  readonly crop: RectPx;
  readonly sentAtMs: number;
}

/** True when a picture needs not be sent again if it looks the same: it is of the same part, and was sent lately. */
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
