const MARKER_START = 0xd8;
const MARKER_END = 0xd9;
const MARKER_SCAN = 0xda;

function unreadable(offset: number): Error {
  return new Error(`not a sequence of JPEG images: byte ${offset} starts no marker`);
}

/** Offset just past the entropy-coded data that begins at `offset`: stuffed bytes and restarts belong to it. */
function skipScan(bytes: Uint8Array, offset: number): number {
  let at = offset;
  while (at + 1 < bytes.length) {
    const next = bytes[at + 1] ?? 0;
    if (bytes[at] === 0xff && next !== 0 && !(next >= 0xd0 && next <= 0xd7)) return at;
    at++;
  }
  return bytes.length;
}

/**
 * Splits concatenated JPEG files (Motion-JPEG without a container, as ffmpeg's `-f mjpeg` writes
 * it) into its frames, in order. Each frame is a view into `bytes`, from its start marker to its
 * end marker. Walks the segments, so that a thumbnail inside one is no frame. Throws when the
 * bytes are anything else, or end within a frame.
 */
export function splitMjpeg(bytes: Uint8Array): Uint8Array[] {
  const frames: Uint8Array[] = [];
  let start = 0;
  while (start < bytes.length) {
    if (bytes[start] !== 0xff || bytes[start + 1] !== MARKER_START) throw unreadable(start);
    let at = start + 2;
    for (;;) {
      if (bytes[at] !== 0xff || at + 1 >= bytes.length) throw unreadable(at);
      const marker = bytes[at + 1] ?? 0;
      if (marker === MARKER_END) break;
      const length = ((bytes[at + 2] ?? 0) << 8) | (bytes[at + 3] ?? 0);
      at += 2 + length;
      if (marker === MARKER_SCAN) at = skipScan(bytes, at);
    }
    frames.push(bytes.subarray(start, at + 2));
    start = at + 2;
  }
  return frames;
}
