// From components to pixels, to the bit as libjpeg does: "fancy" upsampling (jdsample.c) and
// YCbCr to RGB (jdcolor.c) in integers.
import { BLUE_ROW, COMPONENT_BYTES, COMPONENTS, PICTURE, RED_ROW } from './layout';

/** i16 values before the first of a row, so that its left neighbour has a place. */
const LEAD: usize = 16;

// @ts-ignore: decorator
@inline
function wide(at: usize): v128 {
  return v128.load_ext<u8>(at);
}

/**
 * One row of chroma as i16 into `row`, columns from…to of `width`: a row as it is, or three parts of
 * it and one of its neighbour. Its first and last value are repeated at the picture's edges.
 */
function chromaRow(row: usize, near: usize, far: usize, twoRows: bool, from: i32, to: i32, width: i32): void {
  const first = max(0, from - 8) & ~7;
  const last = min(width, to + 8);
  for (let x = first; x < last; x += 8) {
    let value = wide(near + x);
    if (twoRows) value = v128.add<i16>(v128.add<i16>(value, v128.add<i16>(value, value)), wide(far + x));
    v128.store(row + LEAD + (<usize>x << 1), value);
  }
  store<i16>(row + LEAD - 2, load<i16>(row + LEAD));
  const end = row + LEAD + (<usize>width << 1);
  if (last == width) store<i16>(end, load<i16>(end - 2));
}

// Eight pixels from luma and centred chroma. The factors are those of jdcolor.c times 2^16 less their whole parts.
// @ts-ignore: decorator
@inline
function scaled(blueRedLow: v128, blueRedHigh: v128, blue: i32, red: i32): v128 {
  const factors = i32x4.splat((blue & 0xffff) | (red << 16));
  const half = i32x4.splat(0x8000);
  return v128.narrow<i32>(
    v128.shr<i32>(v128.add<i32>(v128.dot<i16>(blueRedLow, factors), half), 16),
    v128.shr<i32>(v128.add<i32>(v128.dot<i16>(blueRedHigh, factors), half), 16),
  );
}

// @ts-ignore: decorator
@inline
function putPixels(to: usize, luma: v128, blueRaw: v128, redRaw: v128): void {
  const centre = i16x8.splat(128);
  const blue = v128.sub<i16>(blueRaw, centre);
  const red = v128.sub<i16>(redRaw, centre);
  const pairsLow = v128.shuffle<i16>(blue, red, 0, 8, 1, 9, 2, 10, 3, 11);
  const pairsHigh = v128.shuffle<i16>(blue, red, 4, 12, 5, 13, 6, 14, 7, 15);
  const r = v128.add<i16>(v128.add<i16>(luma, red), scaled(pairsLow, pairsHigh, 0, 26345));
  const g = v128.add<i16>(v128.sub<i16>(luma, red), scaled(pairsLow, pairsHigh, -22554, 18734));
  const b = v128.add<i16>(v128.add<i16>(luma, v128.add<i16>(blue, blue)), scaled(pairsLow, pairsHigh, -14942, 0));
  // narrow_u: eight red then eight blue bytes; eight green then eight opaque ones.
  const redBlue = i8x16.narrow_i16x8_u(r, b);
  const greenOpaque = i8x16.narrow_i16x8_u(g, i16x8.splat(255));
  v128.store(
    to,
    v128.shuffle<i8>(redBlue, greenOpaque, 0, 16, 8, 24, 1, 17, 9, 25, 2, 18, 10, 26, 3, 19, 11, 27),
  );
  v128.store(
    to,
    v128.shuffle<i8>(redBlue, greenOpaque, 4, 20, 12, 28, 5, 21, 13, 29, 6, 22, 14, 30, 7, 23, 15, 31),
    16,
  );
}

/** Chroma for sixteen pixels from eight values: each is three parts the nearer one and one part the next. */
// @ts-ignore: decorator
@inline
function putWidened(to: usize, luma: usize, blueAt: usize, redAt: usize, twoRows: bool): void {
  const evenBias = i16x8.splat(twoRows ? 8 : 1);
  const oddBias = i16x8.splat(twoRows ? 7 : 2);
  const shift = twoRows ? 4 : 2;
  const three = i16x8.splat(3);
  const blue3 = v128.mul<i16>(v128.load(blueAt), three);
  const red3 = v128.mul<i16>(v128.load(redAt), three);
  const blueEven = v128.shr<u16>(v128.add<i16>(v128.add<i16>(blue3, v128.load(blueAt - 2)), evenBias), shift);
  const blueOdd = v128.shr<u16>(v128.add<i16>(v128.add<i16>(blue3, v128.load(blueAt + 2)), oddBias), shift);
  const redEven = v128.shr<u16>(v128.add<i16>(v128.add<i16>(red3, v128.load(redAt - 2)), evenBias), shift);
  const redOdd = v128.shr<u16>(v128.add<i16>(v128.add<i16>(red3, v128.load(redAt + 2)), oddBias), shift);
  putPixels(
    to,
    wide(luma),
    v128.shuffle<i16>(blueEven, blueOdd, 0, 8, 1, 9, 2, 10, 3, 11),
    v128.shuffle<i16>(redEven, redOdd, 0, 8, 1, 9, 2, 10, 3, 11),
  );
  putPixels(
    to + 32,
    wide(luma + 8),
    v128.shuffle<i16>(blueEven, blueOdd, 4, 12, 5, 13, 6, 14, 7, 15),
    v128.shuffle<i16>(redEven, redOdd, 4, 12, 5, 13, 6, 14, 7, 15),
  );
}

/**
 * Pixels of rows top…bottom, columns left…right (a multiple of 16; what lies past the picture's
 * width is written over by the row below, or is spare) of a picture whose components have `stride`
 * bytes a row, chroma half as many where it is narrow. `halves`: chroma is half as wide, half as high.
 */
export function toPixels(
  width: i32,
  height: i32,
  grey: bool,
  halfWidth: bool,
  halfHeight: bool,
  lumaStride: usize,
  chromaStride: usize,
  left: i32,
  top: i32,
  right: i32,
  bottom: i32,
): void {
  const blue = COMPONENTS + COMPONENT_BYTES;
  const red = COMPONENTS + 2 * COMPONENT_BYTES;
  const chromaWidth = halfWidth ? (width + 1) >> 1 : width;
  const chromaHeight = halfHeight ? (height + 1) >> 1 : height;
  const neutral = i16x8.splat(128);
  for (let y = top; y < bottom; y++) {
    const luma = COMPONENTS + <usize>y * lumaStride;
    const to = PICTURE + (<usize>(y * width) << 2);
    if (grey) {
      for (let x = left; x < right; x += 8) putPixels(to + (<usize>x << 2), wide(luma + x), neutral, neutral);
      continue;
    }
    const row = halfHeight ? y >> 1 : y;
    const other = halfHeight ? min(chromaHeight - 1, max(0, y & 1 ? row + 1 : row - 1)) : row;
    const near = <usize>row * chromaStride;
    const far = <usize>other * chromaStride;
    if (!halfWidth) {
      for (let x = left; x < right; x += 8) {
        putPixels(to + (<usize>x << 2), wide(luma + x), wide(blue + near + x), wide(red + near + x));
      }
      continue;
    }
    const from = left >> 1;
    const past = right >> 1;
    chromaRow(BLUE_ROW, blue + near, blue + far, halfHeight, from, past, chromaWidth);
    chromaRow(RED_ROW, red + near, red + far, halfHeight, from, past, chromaWidth);
    for (let x = left; x < right; x += 16) {
      const at = LEAD + <usize>x;
      if (halfHeight) putWidened(to + (<usize>x << 2), luma + x, BLUE_ROW + at, RED_ROW + at, true);
      else putWidened(to + (<usize>x << 2), luma + x, BLUE_ROW + at, RED_ROW + at, false);
    }
  }
}
