import type { RectPx } from '../../shared/geometry.ts';
import type { PixelMap } from '../../shared/vision/image.ts';

export interface Size {
  readonly widthPx: number;
  readonly heightPx: number;
}

export function wholeOf(size: Size): RectPx {
  return { xPx: 0, yPx: 0, ...size };
}

/** First pixel and one past the last that sampling between `min` and `max` may read, of `length`. */
function span(min: number, max: number, length: number): [number, number] {
  const clamp = (value: number, low: number, high: number): number => Math.min(high, Math.max(low, value));
  // Coordinates are clamped to the picture, their neighbour is read too, and the sampler rounds to 32 bits.
  const from = clamp(Math.floor(min) - 1, 0, Math.max(0, length - 2));
  return [from, clamp(Math.ceil(max) + 3, Math.min(length, from + 2), length)];
}

/** Pixels of an image that sampling a tensor of sizePx along `map` reads; whole pixels, inside the image. */
export function regionTouched(map: PixelMap, sizePx: number, size: Size): RectPx {
  const last = sizePx - 1;
  const corners = [0, last].flatMap((row) => [0, last].map((column) => [column, row] as const));
  const xs = corners.map(([column, row]) => map.ax * column + map.bx * row + map.cx);
  const ys = corners.map(([column, row]) => map.ay * column + map.by * row + map.cy);
  const [left, right] = span(Math.min(...xs), Math.max(...xs), size.widthPx);
  const [top, bottom] = span(Math.min(...ys), Math.max(...ys), size.heightPx);
  return { xPx: left, yPx: top, widthPx: right - left, heightPx: bottom - top };
}

export function contains(outer: RectPx, inner: RectPx): boolean {
  return (
    outer.xPx <= inner.xPx &&
    outer.yPx <= inner.yPx &&
    outer.xPx + outer.widthPx >= inner.xPx + inner.widthPx &&
    outer.yPx + outer.heightPx >= inner.yPx + inner.heightPx
  );
}
