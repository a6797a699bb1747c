// Browsers put a colour profile into every picture that a canvas encodes: a fifth of a face crop as JPEG, a third as
// WebP. Inference does not read it.

// Markers of ITU-T T.81, table B.1.
const START_OF_IMAGE = 0xffd8;
const START_OF_SCAN = 0xffda;
const COMMENT = 0xfffe;
const FIRST_APPLICATION = 0xffe0;
const LAST_APPLICATION = 0xffef;
/** Adobe's: says how colours are to be read where they are not the usual. */
const ADOBE = 0xffee;

function concatenate(parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(parts.reduce((length, part) => length + part.byteLength, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.byteLength;
  }
  return whole;
}

/** The same JPEG without comments and application segments, Adobe's apart; unchanged if it is no JPEG. Same pixels. */
export function stripJpeg(file: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  if (file.byteLength < 4 || view.getUint16(0) !== START_OF_IMAGE) return file;
  const kept = [file.subarray(0, 2)];
  let at = 2;
  while (at + 4 <= file.byteLength) {
    const marker = view.getUint16(at);
    const end = at + 2 + view.getUint16(at + 2);
    if (marker === START_OF_SCAN) return concatenate([...kept, file.subarray(at)]);
    if (marker < 0xff01 || end > file.byteLength) return file;
    const isApplication = marker >= FIRST_APPLICATION && marker <= LAST_APPLICATION;
    if (marker === ADOBE || !(isApplication || marker === COMMENT)) kept.push(file.subarray(at, end));
    at = end;
  }
  return file;
}

// Chunks of RFC 9649.
const RIFF_HEADER_BYTES = 12;
const CHUNK_HEADER_BYTES = 8;
const PICTURE_CHUNKS: readonly string[] = ['VP8 ', 'VP8L'];
/** What makes a picture more than its one chunk: transparency, animation. */
const MORE_THAN_PICTURE: readonly string[] = ['ALPH', 'ANIM', 'ANMF'];

/** The same WebP as its picture alone; unchanged if it is no WebP, or has transparency or animation. Same pixels. */
export function stripWebp(file: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  const tagAt = (at: number): string => String.fromCharCode(...file.subarray(at, at + 4));
  if (file.byteLength < RIFF_HEADER_BYTES || tagAt(0) !== 'RIFF' || tagAt(8) !== 'WEBP') return file;
  let picture: Uint8Array | null = null;
  for (let at = RIFF_HEADER_BYTES; at + CHUNK_HEADER_BYTES <= file.byteLength; ) {
    const tag = tagAt(at);
    const length = view.getUint32(at + 4, true);
    // Chunks have an even length, the last byte of an odd one is not counted.
    const end = at + CHUNK_HEADER_BYTES + length + (length % 2);
    if (end > file.byteLength || MORE_THAN_PICTURE.includes(tag)) return file;
    if (PICTURE_CHUNKS.includes(tag)) picture = file.subarray(at, end);
    at = end;
  }
  if (picture === null) return file;
  const bare = concatenate([file.subarray(0, RIFF_HEADER_BYTES), picture]);
  new DataView(bare.buffer).setUint32(4, bare.byteLength - 8, true);
  return bare;
}
