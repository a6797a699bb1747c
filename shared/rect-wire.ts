import type { RectPx } from './geometry.ts';

const X_OFFSET = 0;
const Y_OFFSET = 2;
const WIDTH_OFFSET = 4;
const HEIGHT_OFFSET = 6;
/** Bytes of a rectangle in a binary message: x, y, width and height, camera pixels, unsigned 16 bits each, big-endian. */
export const RECT_BYTES = 8;

/** Writes a rectangle as RECT_BYTES bytes at `offset`. */
export function writeRect(view: DataView, offset: number, rect: RectPx): void {
  view.setUint16(offset + X_OFFSET, rect.xPx);
  view.setUint16(offset + Y_OFFSET, rect.yPx);
  view.setUint16(offset + WIDTH_OFFSET, rect.widthPx);
  view.setUint16(offset + HEIGHT_OFFSET, rect.heightPx);
}

/** Reads what writeRect wrote. */
export function readRect(view: DataView, offset: number): RectPx {
  return {
    xPx: view.getUint16(offset + X_OFFSET),
    yPx: view.getUint16(offset + Y_OFFSET),
    widthPx: view.getUint16(offset + WIDTH_OFFSET),
    heightPx: view.getUint16(offset + HEIGHT_OFFSET),
  };
}
