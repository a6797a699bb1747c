// Huffman tables (ITU-T T.81, annex C and F.2.2) and the bits they are read from.
import { HUFFMAN, HUFFMAN_BYTES } from './layout';
import { standardTable } from './standard-tables';

const LOOKUP_BITS: i32 = 10;
/** A lookup entry: bits 0–4 bits used, bit 7 set when the value is in bits 16–31, bits 8–15 the symbol. */
const HAS_VALUE: u32 = 0x80;
const LIMITS: usize = 0x1000;
const OFFSETS: usize = 0x1080;
const SYMBOLS: usize = 0x1100;

const ZIGZAG: usize = memory.data<u8>([
  0, 1, 8, 16, 9, 2, 3, 10, 17, 24, 32, 25, 18, 11, 4, 5, 12, 19, 26, 33, 40, 48, 41, 34, 27, 20, 13, 6, 7, 14, 21, 28,
  35, 42, 49, 56, 57, 50, 43, 36, 29, 22, 15, 23, 30, 37, 44, 51, 58, 59, 52, 45, 38, 31, 39, 46, 53, 60, 61, 54, 47,
  55, 62, 63,
]);

// @ts-ignore: decorator
@inline
export function naturalOrder(k: i32): usize {
  return <usize>load<u8>(ZIGZAG + <usize>k);
}

// @ts-ignore: decorator
@inline
export function tableAt(slot: i32): usize {
  return HUFFMAN + <usize>slot * HUFFMAN_BYTES;
}

/** Signed value of `size` magnitude bits (T.81, F.2.2.1, EXTEND). */
// @ts-ignore: decorator
@inline
function extend(bits: i32, size: i32): i32 {
  return bits < 1 << (size - 1) ? bits - (1 << size) + 1 : bits;
}

/** Builds a table from its 16 counts and their symbols. False when the counts make no prefix code. */
export function buildTable(slot: i32, counts: usize, symbols: usize, total: i32): bool {
  const table = tableAt(slot);
  const isAc = slot >= 2;
  memory.fill(table, 0, LIMITS);
  memory.copy(table + SYMBOLS, symbols, <usize>total);
  let code = 0;
  let index = 0;
  for (let length = 1; length <= 16; length++) {
    const count = <i32>load<u8>(counts + <usize>(length - 1));
    // Symbol of a code of this length: SYMBOLS[code + offset].
    store<i32>(table + OFFSETS + <usize>length * 4, index - code);
    for (let i = 0; i < count; i++) {
      const symbol = <u32>load<u8>(symbols + <usize>index);
      // Sizes above 11 (DC) and 10 (AC) do not occur in pictures of 8 bits.
      if ((isAc ? symbol & 15 : symbol) > <u32>(isAc ? 10 : 11)) return false;
      if (length <= LOOKUP_BITS) {
        const spare = LOOKUP_BITS - length;
        const size = <i32>(symbol & 15);
        for (let rest = 0; rest < 1 << spare; rest++) {
          let entry = <u32>length | (symbol << 8);
          if (isAc && size > 0 && size <= spare) {
            const value = extend(rest >> (spare - size), size);
            entry = <u32>(length + size) | HAS_VALUE | (symbol << 8) | (<u32>value << 16);
          }
          store<u32>(table + <usize>((code << spare) + rest) * 4, entry);
        }
      }
      code++;
      index++;
    }
    if (code > 1 << length) return false;
    // First 16-bit pattern that is no code of this length or a shorter one.
    store<i32>(table + LIMITS + <usize>length * 4, code << (16 - length));
    code <<= 1;
  }
  return true;
}

/** Builds the standard table of a slot. */
export function buildStandardTable(slot: i32): void {
  const counts = standardTable(slot);
  buildTable(slot, counts, counts + 16, slot < 2 ? 12 : 162);
}

let position: usize = 0;
let end: usize = 0;
/** Bits not yet used, the next one on top, and their number; the last `invented` of them were not in the file. */
let bits: u64 = 0;
let count: i32 = 0;
let invented: i32 = 0;

export function startBits(from: usize, to: usize): void {
  position = from;
  end = to;
  bits = 0;
  count = 0;
  invented = 0;
}

/** True when more bits were used than there were before the next marker. */
export function ranDry(): bool {
  return invented > count;
}

/** Where the next marker must be, all whole bytes before it used; 0 when it is elsewhere. */
export function markerPosition(): usize {
  if (ranDry() || count - invented >= 8) return 0;
  while (position + 2 < end && load<u8>(position) == 0xff && load<u8>(position + 1) == 0xff) position++;
  return position + 1 < end && load<u8>(position) == 0xff && load<u8>(position + 1) != 0 ? position : 0;
}

function refill(): void {
  // Eight bytes past the end of the file are ours to read.
  if (position + 4 <= end) {
    const word = load<u32>(position);
    if (((~word - 0x01010101) & word & 0x80808080) == 0) {
      bits |= <u64>bswap<u32>(word) << (32 - count);
      count += 32;
      position += 4;
      return;
    }
  }
  while (count <= 56) {
    let byte: u64 = 0;
    if (position < end) {
      const next = load<u8>(position);
      if (next != 0xff) {
        byte = next;
        position++;
      } else if (position + 1 < end && load<u8>(position + 1) == 0) {
        byte = 0xff;
        position += 2;
      } else {
        invented += 8;
      }
    } else {
      invented += 8;
    }
    bits |= byte << (56 - count);
    count += 8;
  }
}

// @ts-ignore: decorator
@inline
function use(length: i32): void {
  bits <<= <u64>length;
  count -= length;
}

/** Symbol and length of a code longer than the lookup: length | symbol << 8, or 0 when there is no such code. */
function longCode(table: usize): u32 {
  const next = <i32>(bits >> 48);
  for (let length = LOOKUP_BITS + 1; length <= 16; length++) {
    if (next < load<i32>(table + LIMITS + <usize>length * 4)) {
      const index = (next >> (16 - length)) + load<i32>(table + OFFSETS + <usize>length * 4);
      return <u32>length | (<u32>load<u8>(table + SYMBOLS + <usize>(index & 255)) << 8);
    }
  }
  return 0;
}

/** Failure of readDc and readBlock. */
export const BROKEN: i32 = i32.MIN_VALUE;

/** The difference of a block's DC coefficient. */
// @ts-ignore: decorator
@inline
export function readDc(table: usize): i32 {
  if (count < 32) refill();
  let entry = load<u32>(table + <usize>(bits >> 54) * 4);
  if (entry == 0) {
    entry = longCode(table);
    if (entry == 0) return BROKEN;
  }
  use(<i32>(entry & 31));
  const size = <i32>((entry >> 8) & 15);
  if (size == 0) return 0;
  const value = extend(<i32>(bits >> <u64>(64 - size)), size);
  use(size);
  return value;
}

/**
 * AC coefficients of a block, multiplied by `quant`, into `block` (natural order, zero before), or
 * read and dropped when `block` is 0. Gives the index of the last one, 0 when there is none.
 */
export function readAc(table: usize, quant: usize, block: usize): i32 {
  let k = 1;
  let last = 0;
  while (k < 64) {
    if (count < 32) refill();
    let entry = load<u32>(table + <usize>(bits >> 54) * 4);
    let value: i32;
    if (entry & HAS_VALUE) {
      k += <i32>((entry >> 12) & 15);
      value = <i32>entry >> 16;
      use(<i32>(entry & 31));
    } else {
      if (entry == 0) {
        entry = longCode(table);
        if (entry == 0) return BROKEN;
      }
      use(<i32>(entry & 31));
      const size = <i32>((entry >> 8) & 15);
      const run = <i32>((entry >> 12) & 15);
      if (size == 0) {
        if (run != 15) break;
        k += 16;
        continue;
      }
      k += run;
      value = extend(<i32>(bits >> <u64>(64 - size)), size);
      use(size);
    }
    if (k > 63) return BROKEN;
    if (block != 0) {
      const at = naturalOrder(k) * 2;
      store<i16>(block + at, <i16>(value * <i32>load<i16>(quant + at)));
    }
    last = k;
    k++;
  }
  return k > 64 ? BROKEN : last;
}
