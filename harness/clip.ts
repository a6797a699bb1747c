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

/** A wall with a door, and a camera's noise: no face. As JPEG of this quality, 1–100. */
export function emptyRoom(quality = 80): Promise<Uint8Array> {
  return noisyPicture((x, y) => (x > 240 && x < 330 && y > 80 ? 165 : 120), quality);
}

/** A taped lens: one grey, and a camera's noise. */
export function tapedLens(): Promise<Uint8Array> {
  return noisyPicture(() => 90);
}

async function noisyPicture(luma: (x: number, y: number) => number, quality = 80): Promise<Uint8Array> {
  const { widthPx: width, heightPx: height } = CLIP_SIZE;
  const pixels = new Uint8Array(width * height * 3);
  let state = 12345;
  for (let at = 0; at < pixels.length; at++) {
    state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fff_ffff;
    const pixel = Math.floor(at / 3);
    pixels[at] = luma(pixel % width, Math.floor(pixel / width)) + ((state >> 16) & 7);
  }
  return sharp(pixels, { raw: { width, height, channels: 3 } })
    .jpeg({ quality })
    .toBuffer();
}
