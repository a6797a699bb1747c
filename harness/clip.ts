import { readFileSync } from 'node:fs';
import sharp from 'sharp';
import type { InferenceRequest } from '../shared/link.ts';
import { splitMjpeg } from './mjpeg.ts';

/** The real webcam clip's frames, JPEG. */
export const CLIP_FRAMES: readonly Uint8Array[] = splitMjpeg(
  readFileSync(new URL('./clips/cap12.mjpeg', import.meta.url)),
);
export const CLIP_FPS = 10;
export const CLIP_SIZE = { widthPx: 400, heightPx: 300 };

export function clipFrame(index: number): Uint8Array {
  const frame = CLIP_FRAMES[index];
  if (frame === undefined) throw new Error(`the clip has no frame ${index}`);
  return frame;
}

type Request = Omit<InferenceRequest, 'requestId'>;

/** A request for a whole frame, without a hint unless one is given. */
export function wholeFrame(image: Uint8Array, changes: Partial<Request> = {}): Request {
  return {
    budgetMs: 5_000,
    frame: CLIP_SIZE,
    crop: { xPx: 0, yPx: 0, ...CLIP_SIZE },
    roi: null,
    image,
    ...changes,
  };
}

/** An empty wall, with a camera's noise: no face. */
export async function emptyRoom(): Promise<Uint8Array> {
  const { widthPx: width, heightPx: height } = CLIP_SIZE;
  const pixels = new Uint8Array(width * height * 3);
  let state = 12345;
  for (let at = 0; at < pixels.length; at++) {
    state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fff_ffff;
    pixels[at] = 120 + ((state >> 16) & 7);
  }
  return sharp(pixels, { raw: { width, height, channels: 3 } })
    .jpeg()
    .toBuffer();
}
