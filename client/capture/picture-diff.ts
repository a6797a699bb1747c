/** Cells per side of a grid: about 8 px per cell on a 192 px crop, the size of an iris there. */
const CELLS = 24;

/**
 * Largest difference of one cell's mean luma, 0–255, that still counts as the same picture. Camera
 * noise of ±4 levels a pixel moves the mean of a cell by less than 2; an iris that moves by a third
 * of its width moves one by 10 and more.
 */
export const SAME_WITHIN = 3;

/**
 * The same while the gateway asks for few pictures: an eye that turns by some 6°, as at the end of a line of text, or a head
 * that turns by 1° is more.
 */
export const CALM_WITHIN = 12;

/** A head that turns by 6° and more: a larger difference than this is a large movement. */
export const LARGE_MOVEMENT = 60;

/** Mean luma of each cell of a picture, rows first. */
export type LumaGrid = Float32Array<ArrayBuffer>;

/** Luma grid of grey RGBA pixels, `widthPx` × `heightPx`: their red is their luma. */
export function lumaGrid(rgba: Uint8ClampedArray, widthPx: number, heightPx: number): LumaGrid {
  const sums = new Float32Array(CELLS * CELLS);
  const counts = new Float32Array(CELLS * CELLS);
  for (let y = 0; y < heightPx; y++) {
    const row = Math.floor((y * CELLS) / heightPx) * CELLS;
    for (let x = 0; x < widthPx; x++) {
      const cell = row + Math.floor((x * CELLS) / widthPx);
      sums[cell] = (sums[cell] ?? 0) + (rgba[(y * widthPx + x) * 4] ?? 0);
      counts[cell] = (counts[cell] ?? 0) + 1;
    }
  }
  for (let cell = 0; cell < sums.length; cell++) sums[cell] = (sums[cell] ?? 0) / (counts[cell] || 1);
  return sums;
}

/** Largest difference between two grids in one cell, 0–255. */
export function largestDifference(a: LumaGrid, b: LumaGrid): number {
  return Math.max(...a.map((luma, cell) => Math.abs(luma - (b[cell] ?? 0))));
}

/**
 * A real picture is sent at least this often, even of a still student: it shows whether the camera is frozen. Before that
 * `same` may replace one of the very crop that was sent (chooseCrop keeps it).
 */
export const REAL_FRAME_EVERY_MS = 2000;
