import sharp from 'sharp';
import { normal } from '../../harness/random.ts';

/** Frames of the clip that are played to and fro, and how often each stretch gets new noise. */
const SPAN_FRAMES = 6;
const ROUNDS = 4;
/** Standard deviation of the light sensor noise, of 255: a webcam in a lit room. */
const NOISE = 1.5;
const JPEG_QUALITY = 92;

/**
 * A student who sits still: the calmest stretch of a clip, played to and fro, with fresh sensor noise
 * on every frame. `random` in [0, 1). JPEG frames at the clip's own rate.
 */
export async function stillClip(frames: readonly Uint8Array[], random: () => number): Promise<Uint8Array[]> {
  const grey = await Promise.all(frames.map((frame) => sharp(frame).resize(32, 24).greyscale().raw().toBuffer()));
  const changes = grey.slice(1).map((picture, index) => meanDifference(picture, grey[index] as Buffer));
  let calmest = 0;
  const changeOver = (from: number) => changes.slice(from, from + SPAN_FRAMES - 1).reduce((sum, one) => sum + one, 0);
  for (let from = 1; from + SPAN_FRAMES <= frames.length; from += 1) {
    if (changeOver(from) < changeOver(calmest)) calmest = from;
  }
  const there = frames.slice(calmest, calmest + SPAN_FRAMES);
  const thereAndBack = [...there, ...there.slice(1, -1).reverse()];
  const noisy: Uint8Array[] = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    for (const frame of thereAndBack) noisy.push(await withNoise(frame, random));
  }
  return noisy;
}

function meanDifference(a: Buffer, b: Buffer): number {
  return a.reduce((sum, value, index) => sum + Math.abs(value - (b[index] ?? 0)), 0) / a.length;
}

async function withNoise(frame: Uint8Array, random: () => number): Promise<Uint8Array> {
  const { data, info } = await sharp(frame).raw().toBuffer({ resolveWithObject: true });
  for (let at = 0; at < data.length; at += 1) {
    data[at] = Math.max(0, Math.min(255, Math.round((data[at] ?? 0) + NOISE * normal(random))));
  }
  const { width, height, channels } = info;
  return sharp(data, { raw: { width, height, channels } }).jpeg({ quality: JPEG_QUALITY }).toBuffer();
}
