// Sequential Huffman JPEG of 8 bits, one interleaved scan, as cameras and browsers make it. Anything
// else is left to the other decoder; anything wrong ends the decoding.
import { toPixels } from './colour';
import {
  BROKEN,
  buildStandardTable,
  buildTable,
  markerPosition,
  naturalOrder,
  ranDry,
  readAc,
  readDc,
  startBits,
  tableAt,
} from './huffman';
import { BLOCK, COMPONENT_BYTES, COMPONENTS, INPUT, MAX_FILE_BYTES, MAX_LONG_SIDE, MAX_SHORT_SIDE, QUANT } from './layout';
import { fillBlock, transformBlock } from './transform';

/** What decode answers; inference/pixels/kernel.ts has the same numbers. */
const DONE: i32 = 0;
const UNSUPPORTED: i32 = 1;
const CORRUPT: i32 = 2;

let width: i32 = 0;
let height: i32 = 0;
let components: i32 = 0;
let sampling: i32 = 0;
let quantOf: i32 = 0;
let idOf: i32 = 0;
let dcOf: i32 = 0;
let acOf: i32 = 0;
let restartInterval: i32 = 0;
let haveQuant: i32 = 0;
let haveTables: i32 = 0;

// Small lists are bytes of an integer: the module has no heap.
// @ts-ignore: decorator
@inline
function item(list: i32, index: i32): i32 {
  return (list >> (index << 3)) & 255;
}

// @ts-ignore: decorator
@inline
function word(at: usize): i32 {
  return <i32>bswap<u16>(load<u16>(at));
}

export function pictureWidth(): i32 {
  return width;
}

export function pictureHeight(): i32 {
  return height;
}

function readQuant(from: usize, to: usize): i32 {
  let at = from;
  while (at < to) {
    const head = <i32>load<u8>(at++);
    const bytes = head >> 4 == 0 ? 64 : 128;
    if (head >> 4 > 1 || (head & 15) > 3 || at + bytes > to) return CORRUPT;
    const table = QUANT + <usize>(head & 15) * 128;
    for (let k = 0; k < 64; k++) {
      const value = bytes == 64 ? <i32>load<u8>(at + <usize>k) : word(at + <usize>(k * 2));
      if (value == 0) return CORRUPT;
      store<i16>(table + naturalOrder(k) * 2, <i16>value);
    }
    at += bytes;
    haveQuant |= 1 << (head & 15);
  }
  return DONE;
}

function readHuffman(from: usize, to: usize): i32 {
  let at = from;
  while (at < to) {
    if (at + 17 > to) return CORRUPT;
    const head = <i32>load<u8>(at++);
    let total = 0;
    for (let length: usize = 0; length < 16; length++) total += <i32>load<u8>(at + length);
    if (head >> 4 > 1 || (head & 15) > 3 || total > 256 || at + 16 + total > to) return CORRUPT;
    if ((head & 15) > 1) return UNSUPPORTED;
    const slot = (head >> 4) * 2 + (head & 15);
    if (!buildTable(slot, at, at + 16, total)) return CORRUPT;
    haveTables |= 1 << slot;
    at += 16 + total;
  }
  return DONE;
}

function readFrame(from: usize, to: usize): i32 {
  if (from + 6 > to || components != 0) return CORRUPT;
  height = word(from + 1);
  width = word(from + 3);
  components = <i32>load<u8>(from + 5);
  if (load<u8>(from) != 8 || (components != 1 && components != 3)) return UNSUPPORTED;
  if (width == 0 || height == 0 || from + 6 + <usize>components * 3 != to) return CORRUPT;
  if (max(width, height) > MAX_LONG_SIDE || min(width, height) > MAX_SHORT_SIDE) return UNSUPPORTED;
  // Below this libjpeg upsamples another way.
  if (width < 16 || height < 16) return UNSUPPORTED;
  idOf = 0;
  quantOf = 0;
  for (let index = 0; index < components; index++) {
    const at = from + 6 + <usize>index * 3;
    const factors = <i32>load<u8>(at + 1);
    idOf |= <i32>load<u8>(at) << (index << 3);
    if (load<u8>(at + 2) > 3) return CORRUPT;
    quantOf |= <i32>load<u8>(at + 2) << (index << 3);
    if (index == 0) sampling = components == 1 ? 0x11 : factors;
    else if (factors != 0x11) return UNSUPPORTED;
  }
  // "RGB": components that were never converted.
  if (idOf == 0x424752) return UNSUPPORTED;
  return sampling == 0x11 || sampling == 0x21 || sampling == 0x22 ? DONE : UNSUPPORTED;
}

function readScan(from: usize, to: usize): i32 {
  if (components == 0 || from + 1 > to) return CORRUPT;
  const inScan = <i32>load<u8>(from);
  if (inScan < 1 || inScan > 4 || from + 4 + <usize>inScan * 2 != to) return CORRUPT;
  if (inScan != components) return UNSUPPORTED;
  dcOf = 0;
  acOf = 0;
  for (let index = 0; index < components; index++) {
    const at = from + 1 + <usize>index * 2;
    if (<i32>load<u8>(at) != item(idOf, index)) return CORRUPT;
    const tables = <i32>load<u8>(at + 1);
    const dc = tables >> 4;
    const ac = tables & 15;
    if (dc > 1 || ac > 1) return UNSUPPORTED;
    // Motion JPEG leaves the standard tables out; libjpeg takes them as given, too.
    if ((haveTables & (1 << dc)) == 0) buildStandardTable(dc);
    if ((haveTables & (4 << ac)) == 0) buildStandardTable(2 + ac);
    haveTables |= (1 << dc) | (4 << ac);
    if ((haveQuant & (1 << item(quantOf, index))) == 0) return CORRUPT;
    dcOf |= dc << (index << 3);
    acOf |= (2 + ac) << (index << 3);
  }
  // Spectral selection and approximation of a sequential scan. Some cameras write 0…0 and mean 0…63, as libjpeg reads it.
  const tail = from + 1 + <usize>components * 2;
  const last = load<u8>(tail + 1);
  return load<u8>(tail) == 0 && (last == 63 || last == 0) && load<u8>(tail + 2) == 0 ? DONE : CORRUPT;
}

let dc0: i32 = 0;
let dc1: i32 = 0;
let dc2: i32 = 0;

/** One block: into samples at `to`, or only read when `to` is 0. */
// @ts-ignore: decorator
@inline
function block(dc: i32, acTable: usize, quant: usize, to: usize, stride: usize): bool {
  if (to == 0) return readAc(acTable, quant, 0) != BROKEN;
  const last = readAc(acTable, quant, BLOCK);
  if (last == BROKEN) return false;
  const level = dc * <i32>load<i16>(quant);
  if (last == 0) {
    fillBlock(level, to, stride);
  } else {
    store<i16>(BLOCK, <i16>level);
    transformBlock(to, stride);
  }
  return true;
}

/**
 * The scan at `from`, as pixels where columns left…right and rows top…bottom need them. The whole
 * scan is read: a file that ends early or goes wrong anywhere is refused.
 */
function readPixels(from: usize, to: usize, left: i32, top: i32, right: i32, bottom: i32): i32 {
  const across = (sampling >> 4) * 8;
  const down = (sampling & 15) * 8;
  const columns = (width + across - 1) / across;
  const rows = (height + down - 1) / down;
  const lumaStride = <usize>((width + 15) & ~15);
  const chromaStride = sampling == 0x11 ? lumaStride : lumaStride >> 1;
  // Upsampling looks one chroma sample further.
  const firstColumn = max(0, left - 2) / across;
  const lastColumn = min(width - 1, right + 1) / across;
  const firstRow = max(0, top - 2) / down;
  const lastRow = min(height - 1, bottom + 1) / down;

  const lumaDc = tableAt(item(dcOf, 0));
  const lumaAc = tableAt(item(acOf, 0));
  const blueDc = tableAt(item(dcOf, 1));
  const blueAc = tableAt(item(acOf, 1));
  const redDc = tableAt(item(dcOf, 2));
  const redAc = tableAt(item(acOf, 2));
  const lumaQuant = QUANT + <usize>item(quantOf, 0) * 128;
  const blueQuant = QUANT + <usize>item(quantOf, 1) * 128;
  const redQuant = QUANT + <usize>item(quantOf, 2) * 128;
  const lumaBlocks = (across * down) >> 6;

  memory.fill(BLOCK, 0, 128);
  startBits(from, to);
  dc0 = 0;
  dc1 = 0;
  dc2 = 0;
  let untilRestart = restartInterval;
  let restarts = 0;
  let marker: usize = 0;
  for (let row = 0; row < rows; row++) {
    const rowWanted = row >= firstRow && row <= lastRow;
    for (let column = 0; column < columns; column++) {
      if (restartInterval != 0 && untilRestart == 0) {
        marker = markerPosition();
        if (marker == 0 || <i32>load<u8>(marker + 1) != 0xd0 + (restarts & 7)) return CORRUPT;
        startBits(marker + 2, to);
        dc0 = 0;
        dc1 = 0;
        dc2 = 0;
        restarts++;
        untilRestart = restartInterval;
      }
      untilRestart--;
      const wanted = rowWanted && column >= firstColumn && column <= lastColumn;
      const luma = COMPONENTS + <usize>(row * down) * lumaStride + <usize>(column * across);
      for (let index = 0; index < lumaBlocks; index++) {
        const difference = readDc(lumaDc);
        if (difference == BROKEN) return CORRUPT;
        dc0 += difference;
        const at = luma + (index >= 2 ? lumaStride << 3 : 0) + (index & 1 ? 8 : 0);
        if (!block(dc0, lumaAc, lumaQuant, wanted ? at : 0, lumaStride)) return CORRUPT;
      }
      if (components == 1) continue;
      const chroma = COMPONENTS + COMPONENT_BYTES + <usize>(row * 8) * chromaStride + <usize>(column * 8);
      const blueDifference = readDc(blueDc);
      if (blueDifference == BROKEN) return CORRUPT;
      dc1 += blueDifference;
      if (!block(dc1, blueAc, blueQuant, wanted ? chroma : 0, chromaStride)) return CORRUPT;
      const redDifference = readDc(redDc);
      if (redDifference == BROKEN) return CORRUPT;
      dc2 += redDifference;
      if (!block(dc2, redAc, redQuant, wanted ? chroma + COMPONENT_BYTES : 0, chromaStride)) return CORRUPT;
    }
    if (ranDry()) return CORRUPT;
  }
  marker = markerPosition();
  if (marker == 0 || load<u8>(marker + 1) != 0xd9) return CORRUPT;
  const from16 = left & ~15;
  toPixels(
    width,
    height,
    components == 1,
    sampling != 0x11,
    sampling == 0x22,
    lumaStride,
    chromaStride,
    from16,
    top,
    min(<i32>lumaStride, (right + 15) & ~15),
    bottom,
  );
  return DONE;
}

/**
 * Decodes the file of `length` bytes at INPUT: pixels of columns left…right, rows top…bottom (cut to
 * the picture) are then right at their place in PICTURE; others are whatever they were.
 */
export function decode(length: i32, left: i32, top: i32, right: i32, bottom: i32): i32 {
  if (length < 4 || length > MAX_FILE_BYTES || word(INPUT) != 0xffd8) return CORRUPT;
  const end = INPUT + <usize>length;
  components = 0;
  restartInterval = 0;
  haveQuant = 0;
  haveTables = 0;
  let at = INPUT + 2;
  while (at + 4 <= end) {
    if (load<u8>(at) != 0xff) return CORRUPT;
    const marker = <i32>load<u8>(at + 1);
    if (marker == 0xff) {
      at++;
      continue;
    }
    const from = at + 4;
    const to = at + 2 + <usize>word(at + 2);
    if (to < from || to > end) return CORRUPT;
    let result = DONE;
    if (marker == 0xdb) result = readQuant(from, to);
    else if (marker == 0xc4) result = readHuffman(from, to);
    else if (marker == 0xc0 || marker == 0xc1) result = readFrame(from, to);
    else if (marker == 0xdd) {
      if (to - from != 2) return CORRUPT;
      restartInterval = word(from);
    } else if (marker == 0xda) {
      result = readScan(from, to);
      if (result != DONE) return result;
      return readPixels(
        to,
        end,
        min(width, max(0, left)),
        min(height, max(0, top)),
        min(width, max(0, right)),
        min(height, max(0, bottom)),
      );
    } else if (marker == 0xee && to - from >= 12 && load<u32>(from) == 0x626f6441) {
      // "Adob": the colour transform may be another than YCbCr.
      if (load<u8>(from + 11) != 1) return UNSUPPORTED;
    } else if (marker < 0xe0 && marker != 0xfe) return UNSUPPORTED;
    if (result != DONE) return result;
    at = to;
  }
  return CORRUPT;
}
