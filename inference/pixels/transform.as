// Inverse DCT of one block, to the bit as libjpeg's "islow" (jidctint.c: Loeffler, Ligtenberg and
// Moschytz, "Practical fast 1-D DCT algorithms with 11 multiplications", ICASSP 1989), eight columns at a time.
import { BLOCK, PASS_ONE, PASS_TWO } from './layout';

// Constants times 2^13, in pairs for a multiplication of interleaved rows: a·first + b·second.
// @ts-ignore: decorator
@inline
function pair(first: i32, second: i32): v128 {
  return i32x4.splat((first & 0xffff) | (second << 16));
}

// @ts-ignore: decorator
@inline
function low(a: v128, b: v128): v128 {
  return v128.shuffle<i16>(a, b, 0, 8, 1, 9, 2, 10, 3, 11);
}

// @ts-ignore: decorator
@inline
function high(a: v128, b: v128): v128 {
  return v128.shuffle<i16>(a, b, 4, 12, 5, 13, 6, 14, 7, 15);
}

// @ts-ignore: decorator
@inline
function put(to: usize, row: usize, lowSum: v128, highSum: v128, shift: i32): void {
  v128.store(to + row * 16, v128.narrow<i32>(v128.shr<i32>(lowSum, shift), v128.shr<i32>(highSum, shift)));
}

/** One dimension over rows 0–7 at `from`. */
// @ts-ignore: decorator
@inline
function pass(from: usize, to: usize, shift: i32): void {
  const r0 = v128.load(from);
  const r1 = v128.load(from, 16);
  const r2 = v128.load(from, 32);
  const r3 = v128.load(from, 48);
  const r4 = v128.load(from, 64);
  const r5 = v128.load(from, 80);
  const r6 = v128.load(from, 96);
  const r7 = v128.load(from, 112);

  const half = i32x4.splat(1 << (shift - 1));
  const sumOf = pair(8192, 8192);
  const differenceOf = pair(8192, -8192);
  const evenA = pair(4433 + 6270, 4433);
  const evenB = pair(4433, 4433 - 15137);
  const l04 = low(r0, r4);
  const h04 = high(r0, r4);
  const l26 = low(r2, r6);
  const h26 = high(r2, r6);
  const l3 = v128.dot<i16>(l26, evenA);
  const h3 = v128.dot<i16>(h26, evenA);
  const l2 = v128.dot<i16>(l26, evenB);
  const h2 = v128.dot<i16>(h26, evenB);
  const l0 = v128.add<i32>(v128.dot<i16>(l04, sumOf), half);
  const h0 = v128.add<i32>(v128.dot<i16>(h04, sumOf), half);
  const l1 = v128.add<i32>(v128.dot<i16>(l04, differenceOf), half);
  const h1 = v128.add<i32>(v128.dot<i16>(h04, differenceOf), half);
  const l10 = v128.add<i32>(l0, l3);
  const h10 = v128.add<i32>(h0, h3);
  const l13 = v128.sub<i32>(l0, l3);
  const h13 = v128.sub<i32>(h0, h3);
  const l11 = v128.add<i32>(l1, l2);
  const h11 = v128.add<i32>(h1, h2);
  const l12 = v128.sub<i32>(l1, l2);
  const h12 = v128.sub<i32>(h1, h2);

  const z3 = v128.add<i16>(r7, r3);
  const z4 = v128.add<i16>(r5, r1);
  const lz = low(z3, z4);
  const hz = high(z3, z4);
  const z3Of = pair(9633 - 16069, 9633);
  const z4Of = pair(9633, 9633 - 3196);
  const lz3 = v128.dot<i16>(lz, z3Of);
  const hz3 = v128.dot<i16>(hz, z3Of);
  const lz4 = v128.dot<i16>(lz, z4Of);
  const hz4 = v128.dot<i16>(hz, z4Of);
  const l71 = low(r7, r1);
  const h71 = high(r7, r1);
  const l53 = low(r5, r3);
  const h53 = high(r5, r3);
  const odd0 = pair(2446 - 7373, -7373);
  const odd3 = pair(-7373, 12299 - 7373);
  const odd1 = pair(16819 - 20995, -20995);
  const odd2 = pair(-20995, 25172 - 20995);
  const lo0 = v128.add<i32>(v128.dot<i16>(l71, odd0), lz3);
  const ho0 = v128.add<i32>(v128.dot<i16>(h71, odd0), hz3);
  const lo3 = v128.add<i32>(v128.dot<i16>(l71, odd3), lz4);
  const ho3 = v128.add<i32>(v128.dot<i16>(h71, odd3), hz4);
  const lo1 = v128.add<i32>(v128.dot<i16>(l53, odd1), lz4);
  const ho1 = v128.add<i32>(v128.dot<i16>(h53, odd1), hz4);
  const lo2 = v128.add<i32>(v128.dot<i16>(l53, odd2), lz3);
  const ho2 = v128.add<i32>(v128.dot<i16>(h53, odd2), hz3);

  put(to, 0, v128.add<i32>(l10, lo3), v128.add<i32>(h10, ho3), shift);
  put(to, 7, v128.sub<i32>(l10, lo3), v128.sub<i32>(h10, ho3), shift);
  put(to, 1, v128.add<i32>(l11, lo2), v128.add<i32>(h11, ho2), shift);
  put(to, 6, v128.sub<i32>(l11, lo2), v128.sub<i32>(h11, ho2), shift);
  put(to, 2, v128.add<i32>(l12, lo1), v128.add<i32>(h12, ho1), shift);
  put(to, 5, v128.sub<i32>(l12, lo1), v128.sub<i32>(h12, ho1), shift);
  put(to, 3, v128.add<i32>(l13, lo0), v128.add<i32>(h13, ho0), shift);
  put(to, 4, v128.sub<i32>(l13, lo0), v128.sub<i32>(h13, ho0), shift);
}

/** Rows become columns, 8×8 i16. */
// @ts-ignore: decorator
@inline
function transpose(at: usize): void {
  const r0 = v128.load(at);
  const r1 = v128.load(at, 16);
  const r2 = v128.load(at, 32);
  const r3 = v128.load(at, 48);
  const r4 = v128.load(at, 64);
  const r5 = v128.load(at, 80);
  const r6 = v128.load(at, 96);
  const r7 = v128.load(at, 112);
  const a0 = low(r0, r4);
  const a1 = high(r0, r4);
  const a2 = low(r2, r6);
  const a3 = high(r2, r6);
  const a4 = low(r1, r5);
  const a5 = high(r1, r5);
  const a6 = low(r3, r7);
  const a7 = high(r3, r7);
  const b0 = low(a0, a2);
  const b1 = high(a0, a2);
  const b2 = low(a1, a3);
  const b3 = high(a1, a3);
  const b4 = low(a4, a6);
  const b5 = high(a4, a6);
  const b6 = low(a5, a7);
  const b7 = high(a5, a7);
  v128.store(at, low(b0, b4));
  v128.store(at, high(b0, b4), 16);
  v128.store(at, low(b1, b5), 32);
  v128.store(at, high(b1, b5), 48);
  v128.store(at, low(b2, b6), 64);
  v128.store(at, high(b2, b6), 80);
  v128.store(at, low(b3, b7), 96);
  v128.store(at, high(b3, b7), 112);
}

/** Samples of a block that has nothing but its DC coefficient. */
export function fillBlock(dc: i32, to: usize, stride: usize): void {
  const level = min(255, max(0, ((<i32>(<i16>dc) + 4) >> 3) + 128));
  const row = <u64>level * 0x0101010101010101;
  for (let y: usize = 0; y < 8; y++) store<u64>(to + y * stride, row);
}

/** Samples of the block at BLOCK, which is left zero. */
export function transformBlock(to: usize, stride: usize): void {
  pass(BLOCK, PASS_ONE, 11);
  const zero = i64x2.splat(0);
  for (let row: usize = 0; row < 128; row += 16) v128.store(BLOCK + row, zero);
  transpose(PASS_ONE);
  pass(PASS_ONE, PASS_TWO, 18);
  transpose(PASS_TWO);
  const middle = i8x16.splat(-128);
  for (let y: usize = 0; y < 8; y += 2) {
    const two = v128.xor(v128.narrow<i16>(v128.load(PASS_TWO + y * 16), v128.load(PASS_TWO + y * 16, 16)), middle);
    v128.store_lane<u64>(to + y * stride, two, 0);
    v128.store_lane<u64>(to + (y + 1) * stride, two, 1);
  }
}
