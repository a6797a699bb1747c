/** Largest picture that is decoded, either way up: four times the usual webcam frame. */
export const MAX_IMAGE_LONG_SIDE_PX = 1280;
export const MAX_IMAGE_SHORT_SIDE_PX = 960;

/** A file with more segments than this before its picture is no camera frame. */
const MAX_JPEG_SEGMENTS = 64;

export type GuardFault = 'imageFormat' | 'imageTooLarge' | 'imageCorrupt';

export type GuardVerdict =
  | { readonly ok: true; readonly format: 'jpeg' | 'webp'; readonly widthPx: number; readonly heightPx: number }
  | { readonly ok: false; readonly fault: GuardFault; readonly reason: string };

function refuse(fault: GuardFault, reason: string): GuardVerdict {
  return { ok: false, fault, reason };
}

function accept(format: 'jpeg' | 'webp', widthPx: number, heightPx: number): GuardVerdict {
  if (widthPx === 0 || heightPx === 0) return refuse('imageCorrupt', 'a picture without area');
  const [long, short] = [MAX_IMAGE_LONG_SIDE_PX, MAX_IMAGE_SHORT_SIDE_PX];
  if (Math.max(widthPx, heightPx) > long || Math.min(widthPx, heightPx) > short) {
    return refuse('imageTooLarge', `${widthPx}×${heightPx}, the limit is ${long}×${short} or ${short}×${long}`);
  }
  return { ok: true, format, widthPx, heightPx };
}

// JPEG markers, ITU-T T.81, table B.1.
const MARKER = { tem: 0x01, firstRestart: 0xd0, start: 0xd8, end: 0xd9, scan: 0xda, dht: 0xc4, jpg: 0xc8, dac: 0xcc };
const FRAME_BASELINE = 0xc0;
const FRAME_EXTENDED = 0xc1;

function isFrameMarker(marker: number): boolean {
  return (
    marker >= FRAME_BASELINE &&
    marker <= 0xcf &&
    marker !== MARKER.dht &&
    marker !== MARKER.jpg &&
    marker !== MARKER.dac
  );
}

function checkFrame(view: DataView, at: number, marker: number): GuardVerdict {
  if (marker !== FRAME_BASELINE && marker !== FRAME_EXTENDED) {
    return refuse('imageFormat', 'only sequential Huffman JPEG is taken, not progressive, lossless or arithmetic');
  }
  if (view.byteLength < at + 8) return refuse('imageCorrupt', 'the frame header is cut off');
  const precision = view.getUint8(at + 2);
  const components = view.getUint8(at + 7);
  if (precision !== 8) return refuse('imageFormat', `${precision} bits a sample, expected 8`);
  if (components !== 1 && components !== 3) return refuse('imageFormat', `${components} components, expected 1 or 3`);
  const verdict = accept('jpeg', view.getUint16(at + 5), view.getUint16(at + 3));
  if (!verdict.ok) return verdict;
  return hasEnd(view, at) ? verdict : refuse('imageCorrupt', 'the file ends before its picture');
}

/** True if the picture's end marker comes after `from`. Cameras pad their files, so it need not be the last. */
function hasEnd(view: DataView, from: number): boolean {
  for (let at = view.byteLength - 2; at > from; at--) {
    if (view.getUint8(at) === 0xff && view.getUint8(at + 1) === MARKER.end) return true;
  }
  return false;
}

function guardJpeg(view: DataView): GuardVerdict {
  let at = 2;
  for (let segment = 0; segment < MAX_JPEG_SEGMENTS; segment++) {
    while (at + 1 < view.byteLength && view.getUint8(at) === 0xff && view.getUint8(at + 1) === 0xff) at++;
    if (at + 4 > view.byteLength) return refuse('imageCorrupt', 'the file ends before its picture');
    const marker = view.getUint8(at + 1);
    if (
      view.getUint8(at) !== 0xff ||
      marker <= MARKER.tem ||
      (marker >= MARKER.firstRestart && marker <= MARKER.scan)
    ) {
      return refuse('imageCorrupt', 'no marker where one is due');
    }
    if (isFrameMarker(marker)) return checkFrame(view, at + 2, marker);
    const length = view.getUint16(at + 2);
    if (length < 2) return refuse('imageCorrupt', 'a segment shorter than its own length');
    at += 2 + length;
  }
  return refuse('imageFormat', `more than ${MAX_JPEG_SEGMENTS} segments before the picture`);
}

function tagAt(view: DataView, at: number): string {
  return at + 4 <= view.byteLength
    ? String.fromCharCode(view.getUint8(at), view.getUint8(at + 1), view.getUint8(at + 2), view.getUint8(at + 3))
    : '';
}

const WEBP_HEADER_BYTES = 30;

// RFC 9649: chunks of the WebP container.
function guardWebp(view: DataView): GuardVerdict {
  if (view.byteLength < WEBP_HEADER_BYTES) return refuse('imageCorrupt', 'the file ends before its picture');
  if (view.getUint32(4, true) + 8 > view.byteLength) return refuse('imageCorrupt', 'the file is shorter than it says');
  const chunk = tagAt(view, 12);
  if (chunk === 'VP8 ') {
    return accept('webp', view.getUint16(26, true) & 0x3fff, view.getUint16(28, true) & 0x3fff);
  }
  if (chunk === 'VP8L') {
    const bits = view.getUint32(21, true);
    return accept('webp', (bits & 0x3fff) + 1, ((bits >>> 14) & 0x3fff) + 1);
  }
  if (chunk === 'VP8X') {
    if ((view.getUint8(20) & 0b10) !== 0) return refuse('imageFormat', 'an animation is no camera frame');
    const width = (view.getUint32(24, true) & 0xff_ffff) + 1;
    const height = ((view.getUint8(27) | (view.getUint8(28) << 8) | (view.getUint8(29) << 16)) & 0xff_ffff) + 1;
    return accept('webp', width, height);
  }
  return refuse('imageFormat', 'a WebP file of unknown kind');
}

/**
 * Judges a picture by its header alone, before any decoder sees it: format by its magic bytes,
 * whatever it is called; dimensions; for JPEG the coding process, the components and that it has an end.
 */
export function guardImage(bytes: Uint8Array): GuardVerdict {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes[0] === 0xff && bytes[1] === MARKER.start) return guardJpeg(view);
  if (tagAt(view, 0) === 'RIFF' && tagAt(view, 8) === 'WEBP') return guardWebp(view);
  return refuse('imageFormat', 'neither JPEG nor WebP');
}
