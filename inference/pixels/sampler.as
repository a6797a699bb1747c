// A turned square of the picture as three planes of floats: shared/vision/image.ts says what
// sampleRegion and measureQuality must give; this gives the same, four pixels at a time.
import { PICTURE, TENSOR } from './layout';

/** Weights of the two rows are parts of 2^14. */
const WEIGHT_ONE: f32 = 16384;

/** Added to a small number it leaves the nearest whole one in the last bits: 1.5 · 2^23. WebAssembly's own conversion takes ten instructions. */
const ROUNDER: f32 = 12582912;

/** The nearest whole numbers of |values| < 2^22, an even one of two as near. */
// @ts-ignore: decorator
@inline
function nearest(values: v128): v128 {
  const rounder = f32x4.splat(ROUNDER);
  return v128.sub<i32>(v128.add<f32>(values, rounder), rounder);
}

/** One sample: four channels (the last means nothing) between four pixels. */
// @ts-ignore: decorator
@inline
function sampleAt(offset: i32, pitch: usize, weights: v128, right: v128): v128 {
  const at = PICTURE + <usize>offset;
  const upper = v128.load64_zero(at);
  const lower = v128.load64_zero(at + pitch);
  // Bytes of both rows in turn, widened: channels of the left pixel, then of the right one.
  const both = v128.shuffle<i8>(upper, lower, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
  const leftSums = f32x4.convert_i32x4_s(v128.dot<i16>(i16x8.extend_low_i8x16_u(both), weights));
  const rightSums = f32x4.convert_i32x4_s(v128.dot<i16>(i16x8.extend_high_i8x16_u(both), weights));
  return v128.add<f32>(leftSums, v128.mul<f32>(v128.sub<f32>(rightSums, leftSums), right));
}

/**
 * Fills TENSOR, planes of size×size (a multiple of 4): image coordinates of a tensor's pixel are
 * x = ax·column + bx·row + cx, y likewise. `black`: what lies outside the picture is `low`, else the
 * nearest pixel. The picture is at least 2×2.
 */
export function sample(
  width: i32,
  height: i32,
  size: i32,
  ax: f64,
  bx: f64,
  cx: f64,
  ay: f64,
  by: f64,
  cy: f64,
  low: f32,
  high: f32,
  black: bool,
): void {
  const pitch = <usize>width << 2;
  const plane = <usize>(size * size) << 2;
  const scale = f32x4.splat((high - low) / (255 * WEIGHT_ONE));
  const lows = f32x4.splat(low);
  const zero = f32x4.splat(0);
  const half = f32x4.splat(0.5);
  const maxX = f32x4.splat(<f32>(width - 1));
  const maxY = f32x4.splat(<f32>(height - 1));
  const lastLeft = i32x4.splat(width - 2);
  const lastTop = i32x4.splat(height - 2);
  const pitches = i32x4.splat(width << 2);
  const edge = f32x4.splat(-0.5);
  const edgeX = f32x4.splat(<f32>width - 0.5);
  const edgeY = f32x4.splat(<f32>height - 0.5);
  const stepX = f32x4.splat(<f32>(4 * ax));
  const stepY = f32x4.splat(<f32>(4 * ay));
  const firstX = v128.mul<f32>(f32x4(0, 1, 2, 3), f32x4.splat(<f32>ax));
  const firstY = v128.mul<f32>(f32x4(0, 1, 2, 3), f32x4.splat(<f32>ay));
  let to = TENSOR;
  for (let row = 0; row < size; row++) {
    const rowX = f32x4.splat(<f32>(bx * row + cx));
    const rowY = f32x4.splat(<f32>(by * row + cy));
    for (let group = 0; group < size >> 2; group++) {
      const groups = f32x4.splat(<f32>group);
      const x = v128.add<f32>(v128.add<f32>(rowX, firstX), v128.mul<f32>(groups, stepX));
      const y = v128.add<f32>(v128.add<f32>(rowY, firstY), v128.mul<f32>(groups, stepY));
      const insideX = v128.pmin<f32>(maxX, v128.pmax<f32>(zero, x));
      const insideY = v128.pmin<f32>(maxY, v128.pmax<f32>(zero, y));
      // Of a whole coordinate either neighbour will do: it has all the weight.
      const left = i32x4.min_s(lastLeft, nearest(v128.sub<f32>(insideX, half)));
      const top = i32x4.min_s(lastTop, nearest(v128.sub<f32>(insideY, half)));
      const right = v128.sub<f32>(insideX, f32x4.convert_i32x4_s(left));
      const below = v128.sub<f32>(insideY, f32x4.convert_i32x4_s(top));
      const lowerWeight = nearest(v128.mul<f32>(below, f32x4.splat(WEIGHT_ONE)));
      const upperWeight = v128.sub<i32>(i32x4.splat(<i32>WEIGHT_ONE), lowerWeight);
      const rowWeights = v128.or(upperWeight, v128.shl<i32>(lowerWeight, 16));
      const offset = v128.add<i32>(v128.mul<i32>(top, pitches), v128.shl<i32>(left, 2));

      const a = sampleAt(
        i32x4.extract_lane(offset, 0),
        pitch,
        v128.shuffle<i32>(rowWeights, rowWeights, 0, 0, 0, 0),
        v128.shuffle<i32>(right, right, 0, 0, 0, 0),
      );
      const b = sampleAt(
        i32x4.extract_lane(offset, 1),
        pitch,
        v128.shuffle<i32>(rowWeights, rowWeights, 1, 1, 1, 1),
        v128.shuffle<i32>(right, right, 1, 1, 1, 1),
      );
      const c = sampleAt(
        i32x4.extract_lane(offset, 2),
        pitch,
        v128.shuffle<i32>(rowWeights, rowWeights, 2, 2, 2, 2),
        v128.shuffle<i32>(right, right, 2, 2, 2, 2),
      );
      const d = sampleAt(
        i32x4.extract_lane(offset, 3),
        pitch,
        v128.shuffle<i32>(rowWeights, rowWeights, 3, 3, 3, 3),
        v128.shuffle<i32>(right, right, 3, 3, 3, 3),
      );
      const ab = v128.shuffle<i32>(a, b, 0, 4, 1, 5);
      const cd = v128.shuffle<i32>(c, d, 0, 4, 1, 5);
      let red = v128.shuffle<i64>(ab, cd, 0, 2);
      let green = v128.shuffle<i64>(ab, cd, 1, 3);
      // Of all shuffles these are one instruction each.
      let blue = v128.shuffle<i64>(v128.shuffle<i32>(a, b, 2, 6, 3, 7), v128.shuffle<i32>(c, d, 2, 6, 3, 7), 0, 2);
      if (black) {
        const shown = v128.and(
          v128.and(v128.ge<f32>(x, edge), v128.ge<f32>(y, edge)),
          v128.and(v128.le<f32>(x, edgeX), v128.le<f32>(y, edgeY)),
        );
        red = v128.and(red, shown);
        green = v128.and(green, shown);
        blue = v128.and(blue, shown);
      }
      v128.store(to, v128.add<f32>(lows, v128.mul<f32>(red, scale)));
      v128.store(to + plane, v128.add<f32>(lows, v128.mul<f32>(green, scale)));
      v128.store(to + 2 * plane, v128.add<f32>(lows, v128.mul<f32>(blue, scale)));
      to += 16;
    }
  }
}

let meanLuma: f64 = 0;
let laplacianVariance: f64 = 0;

/** Every second value of eight from `at` on. */
// @ts-ignore: decorator
@inline
function everySecond(at: usize): v128 {
  return v128.shuffle<i32>(v128.load(at), v128.load(at, 16), 0, 2, 4, 6);
}

// @ts-ignore: decorator
@inline
function total(values: v128): f64 {
  return (
    <f64>f32x4.extract_lane(values, 0) +
    <f64>f32x4.extract_lane(values, 1) +
    <f64>f32x4.extract_lane(values, 2) +
    <f64>f32x4.extract_lane(values, 3)
  );
}

/** Mean luma, and variance of green's Laplacian, of every second value of every second row in TENSOR, in its units. */
export function measure(size: i32): void {
  const plane = <usize>(size * size) << 2;
  const line = <usize>size << 2;
  const four = f32x4.splat(4);
  let luma: f64 = 0;
  let sum: f64 = 0;
  let squares: f64 = 0;
  let counted = 0;
  // The last group of a row reaches past its inner columns.
  const inner = f32x4(1, 1, 1, 0);
  for (let row = 1; row < size - 1; row += 2) {
    let reds = f32x4.splat(0);
    let greens = f32x4.splat(0);
    let blues = f32x4.splat(0);
    let laplacians = f32x4.splat(0);
    let laplacianSquares = f32x4.splat(0);
    for (let column = 1; column < size - 1; column += 8) {
      const at = TENSOR + <usize>((row * size + column) << 2);
      const green = at + plane;
      const whole = column + 8 < size;
      const centre = everySecond(green);
      let laplacian = v128.sub<f32>(
        v128.add<f32>(
          v128.add<f32>(everySecond(green - 4), everySecond(green + 4)),
          v128.add<f32>(everySecond(green - line), everySecond(green + line)),
        ),
        v128.mul<f32>(centre, four),
      );
      let red = everySecond(at);
      let blue = everySecond(green + plane);
      let middle = centre;
      if (!whole) {
        laplacian = v128.mul<f32>(laplacian, inner);
        red = v128.mul<f32>(red, inner);
        blue = v128.mul<f32>(blue, inner);
        middle = v128.mul<f32>(middle, inner);
      }
      counted += whole ? 4 : 3;
      reds = v128.add<f32>(reds, red);
      greens = v128.add<f32>(greens, middle);
      blues = v128.add<f32>(blues, blue);
      laplacians = v128.add<f32>(laplacians, laplacian);
      laplacianSquares = v128.add<f32>(laplacianSquares, v128.mul<f32>(laplacian, laplacian));
    }
    luma += 0.299 * total(reds) + 0.587 * total(greens) + 0.114 * total(blues);
    sum += total(laplacians);
    squares += total(laplacianSquares);
  }
  meanLuma = luma / counted;
  laplacianVariance = squares / counted - (sum / counted) * (sum / counted);
}

export function luma(): f64 {
  return meanLuma;
}

export function variance(): f64 {
  return laplacianVariance;
}
