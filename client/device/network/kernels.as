// The layers of a small convolutional network: activations are rows of pixels with their channels side by side, padded to
// fours with zeros; weights lie in the order in which they are read. Addresses are bytes.

/** x where it is positive, slope·x where it is not. */
// @ts-ignore: decorator
@inline
function rectified(x: v128, slope: v128): v128 {
  const zero = f32x4.splat(0);
  return v128.add<f32>(v128.pmax<f32>(zero, x), v128.mul<f32>(slope, v128.pmin<f32>(zero, x)));
}

/** acc + a·b */
// @ts-ignore: decorator
@inline
function plus(acc: v128, a: v128, b: v128): v128 {
  return v128.add<f32>(acc, v128.mul<f32>(a, b));
}

/**
 * First layer: planes (channel after channel, already padded) to pixels. `kernel`×`kernel`, stride 2.
 * weights: [block of four outputs][channel][row][column][4].
 */
export function stem(
  input: usize,
  planePixels: i32,
  pitchPixels: i32,
  channels: i32,
  kernel: i32,
  weights: usize,
  bias: usize,
  slope: usize,
  output: usize,
  size: i32,
  blocks: i32,
): void {
  const outStride = <usize>blocks << 4;
  const pitch = <usize>pitchPixels << 2;
  const plane = <usize>planePixels << 2;
  const perBlock = <usize>(channels * kernel * kernel) << 4;
  for (let block = 0; block < blocks; block++) {
    const start = v128.load(bias + (<usize>block << 4));
    const slopes = v128.load(slope + (<usize>block << 4));
    const first = weights + perBlock * <usize>block;
    for (let y = 0; y < size; y++) {
      let to = output + outStride * <usize>(y * size) + (<usize>block << 4);
      // Four neighbouring pixels share every weight.
      for (let x = 0; x < size; x += 4) {
        let a = start;
        let b = start;
        let c = start;
        let d = start;
        let w = first;
        for (let channel = 0; channel < channels; channel++) {
          let row = input + plane * <usize>channel + pitch * <usize>(2 * y) + (<usize>x << 3);
          for (let ky = 0; ky < kernel; ky++) {
            let at = row;
            for (let kx = 0; kx < kernel; kx++) {
              const weight = v128.load(w);
              a = plus(a, v128.load32_splat(at), weight);
              b = plus(b, v128.load32_splat(at, 8), weight);
              c = plus(c, v128.load32_splat(at, 16), weight);
              d = plus(d, v128.load32_splat(at, 24), weight);
              w += 16;
              at += 4;
            }
            row += pitch;
          }
        }
        v128.store(to, rectified(a, slopes));
        v128.store(to + outStride, rectified(b, slopes));
        v128.store(to + 2 * outStride, rectified(c, slopes));
        v128.store(to + 3 * outStride, rectified(d, slopes));
        to += 4 * outStride;
      }
    }
  }
}

/** One pixel of a depthwise layer near the border. */
function atBorder(
  input: usize,
  size: i32,
  stride: usize,
  top: i32,
  left: i32,
  weights: usize,
  start: v128,
): v128 {
  let sum = start;
  for (let ky = 0; ky < 3; ky++) {
    const y = top + ky;
    if (y < 0 || y >= size) continue;
    for (let kx = 0; kx < 3; kx++) {
      const x = left + kx;
      if (x < 0 || x >= size) continue;
      sum = plus(sum, v128.load(input + stride * <usize>(y * size + x)), v128.load(weights + (<usize>(ky * 3 + kx) << 4)));
    }
  }
  return sum;
}

/** 3×3 for each channel by itself. `before`: rows and columns of padding at the start. weights: [block][9][4]. */
export function depthwise(
  input: usize,
  size: i32,
  step: i32,
  before: i32,
  weights: usize,
  bias: usize,
  output: usize,
  outSize: i32,
  blocks: i32,
): void {
  const stride = <usize>blocks << 4;
  const line = stride * <usize>size;
  const advance = stride * <usize>step;
  for (let block = 0; block < blocks; block++) {
    const offset = <usize>block << 4;
    const w = weights + <usize>(block * 9 << 4);
    const from = input + offset;
    const start = v128.load(bias + offset);
    const w0 = v128.load(w);
    const w1 = v128.load(w, 16);
    const w2 = v128.load(w, 32);
    const w3 = v128.load(w, 48);
    const w4 = v128.load(w, 64);
    const w5 = v128.load(w, 80);
    const w6 = v128.load(w, 96);
    const w7 = v128.load(w, 112);
    const w8 = v128.load(w, 128);
    let to = output + offset;
    for (let y = 0; y < outSize; y++) {
      const top = y * step - before;
      const inside = top >= 0 && top + 2 < size;
      let at = from + line * <usize>top - stride * <usize>before;
      for (let x = 0; x < outSize; x++) {
        const left = x * step - before;
        if (inside && left >= 0 && left + 2 < size) {
          let sum = plus(start, v128.load(at), w0);
          sum = plus(sum, v128.load(at + stride), w1);
          sum = plus(sum, v128.load(at + 2 * stride), w2);
          const middle = at + line;
          let other = v128.mul<f32>(v128.load(middle), w3);
          other = plus(other, v128.load(middle + stride), w4);
          other = plus(other, v128.load(middle + 2 * stride), w5);
          const last = middle + line;
          sum = plus(sum, v128.load(last), w6);
          sum = plus(sum, v128.load(last + stride), w7);
          other = plus(other, v128.load(last + 2 * stride), w8);
          v128.store(to, v128.add<f32>(sum, other));
        } else {
          v128.store(to, atBorder(from, size, stride, top, left, w, start));
        }
        at += advance;
        to += stride;
      }
    }
  }
}

/**
 * Every pixel's channels times a matrix, with bias, an optional value added (its first `addBlocks` blocks) and the
 * rectifier. weights: [block of four outputs][input channel][4].
 */
export function pointwise(
  input: usize,
  pixels: i32,
  channels: i32,
  weights: usize,
  bias: usize,
  slope: usize,
  added: usize,
  addBlocks: i32,
  output: usize,
  blocks: i32,
): void {
  const inStride = <usize>channels << 2;
  const outStride = <usize>blocks << 4;
  const addStride = <usize>addBlocks << 4;
  const perBlock = <usize>channels << 4;
  for (let block = 0; block < blocks; block += 2) {
    const offset = <usize>block << 4;
    const pair = block + 1 < blocks;
    const first = weights + perBlock * <usize>block;
    // A last block without a partner computes itself twice and stores once.
    const second = pair ? first + perBlock : first;
    const bias0 = v128.load(bias + offset);
    const bias1 = pair ? v128.load(bias + offset, 16) : bias0;
    const slope0 = v128.load(slope + offset);
    const slope1 = pair ? v128.load(slope + offset, 16) : slope0;
    const add0 = block < addBlocks;
    const add1 = block + 1 < addBlocks;
    let pixel = 0;
    let from = input;
    let to = output + offset;
    let extra = added + offset;
    for (; pixel + 4 <= pixels; pixel += 4) {
      let a0 = bias0;
      let b0 = bias0;
      let c0 = bias0;
      let d0 = bias0;
      let a1 = bias1;
      let b1 = bias1;
      let c1 = bias1;
      let d1 = bias1;
      if (add0) {
        a0 = v128.add<f32>(a0, v128.load(extra));
        b0 = v128.add<f32>(b0, v128.load(extra + addStride));
        c0 = v128.add<f32>(c0, v128.load(extra + 2 * addStride));
        d0 = v128.add<f32>(d0, v128.load(extra + 3 * addStride));
      }
      if (add1) {
        a1 = v128.add<f32>(a1, v128.load(extra, 16));
        b1 = v128.add<f32>(b1, v128.load(extra + addStride, 16));
        c1 = v128.add<f32>(c1, v128.load(extra + 2 * addStride, 16));
        d1 = v128.add<f32>(d1, v128.load(extra + 3 * addStride, 16));
      }
      let w0 = first;
      let w1 = second;
      let at = from;
      const bAt = inStride;
      const cAt = 2 * inStride;
      const dAt = 3 * inStride;
      const end = from + inStride;
      while (at < end) {
        const u = v128.load(w0);
        const v = v128.load(w1);
        const a = v128.load32_splat(at);
        a0 = plus(a0, a, u);
        a1 = plus(a1, a, v);
        const b = v128.load32_splat(at + bAt);
        b0 = plus(b0, b, u);
        b1 = plus(b1, b, v);
        const c = v128.load32_splat(at + cAt);
        c0 = plus(c0, c, u);
        c1 = plus(c1, c, v);
        const d = v128.load32_splat(at + dAt);
        d0 = plus(d0, d, u);
        d1 = plus(d1, d, v);
        w0 += 16;
        w1 += 16;
        at += 4;
      }
      v128.store(to, rectified(a0, slope0));
      v128.store(to + outStride, rectified(b0, slope0));
      v128.store(to + 2 * outStride, rectified(c0, slope0));
      v128.store(to + 3 * outStride, rectified(d0, slope0));
      if (pair) {
        v128.store(to, rectified(a1, slope1), 16);
        v128.store(to + outStride, rectified(b1, slope1), 16);
        v128.store(to + 2 * outStride, rectified(c1, slope1), 16);
        v128.store(to + 3 * outStride, rectified(d1, slope1), 16);
      }
      from += 4 * inStride;
      to += 4 * outStride;
      extra += 4 * addStride;
    }
    for (; pixel < pixels; pixel++) {
      let a0 = bias0;
      let a1 = bias1;
      if (add0) a0 = v128.add<f32>(a0, v128.load(extra));
      if (add1) a1 = v128.add<f32>(a1, v128.load(extra, 16));
      let w0 = first;
      let w1 = second;
      const end = from + inStride;
      for (let at = from; at < end; at += 4) {
        const a = v128.load32_splat(at);
        a0 = plus(a0, a, v128.load(w0));
        a1 = plus(a1, a, v128.load(w1));
        w0 += 16;
        w1 += 16;
      }
      v128.store(to, rectified(a0, slope0));
      if (pair) v128.store(to, rectified(a1, slope1), 16);
      from += inStride;
      to += outStride;
      extra += addStride;
    }
  }
}

/** The largest of each 2×2 pixels. `size` is even. */
export function pool(input: usize, size: i32, output: usize, blocks: i32): void {
  const stride = <usize>blocks << 4;
  const line = stride * <usize>size;
  const half = size >> 1;
  let to = output;
  for (let y = 0; y < half; y++) {
    let from = input + line * <usize>(2 * y);
    for (let x = 0; x < half; x++) {
      for (let block: usize = 0; block < stride; block += 16) {
        const at = from + block;
        const upper = v128.pmax<f32>(v128.load(at), v128.load(at + stride));
        const lower = v128.pmax<f32>(v128.load(at + line), v128.load(at + line + stride));
        v128.store(to + block, v128.pmax<f32>(upper, lower));
      }
      from += 2 * stride;
      to += stride;
    }
  }
}
