import { readFile } from 'node:fs/promises';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { FaceEngine } from '../../inference/engine/engine.ts';
import { createOnnxEngine } from '../../inference/engine/onnx.ts';
import { loadModels } from '../../inference/models/store.ts';
import { splitMjpeg } from '../support/mjpeg.ts';
import { type MediapipePage, openMediapipe } from './support/mediapipe-page.ts';

const WIDTH = 640;
const HEIGHT = 480;
const FRAMES = [0, 25, 50, 75, 100, 125, 150, 175, 199];

/** The same pixels for both sides: decoded and enlarged once, here. */
async function pixelsOf(jpeg: Uint8Array): Promise<Uint8Array> {
  return sharp(jpeg).resize(WIDTH, HEIGHT, { fit: 'fill' }).ensureAlpha().raw().toBuffer();
}

describe('landmarks agree with MediaPipe’s own JavaScript build', () => {
  let mediapipe: MediapipePage;
  let engine: FaceEngine;
  let frames: Uint8Array[];

  beforeAll(async () => {
    frames = splitMjpeg(await readFile(new URL('../clips/cap12.mjpeg', import.meta.url)));
    mediapipe = await openMediapipe();
    engine = await createOnnxEngine((await loadModels()).files);
  });

  afterAll(async () => {
    await mediapipe?.close();
    await engine?.close();
  });

  it.each(FRAMES)('on frame %i of the clip, within 0.1 px on average and 1 px at most', async (index) => {
    const rgba = await pixelsOf(frames[index] ?? new Uint8Array());
    const [theirs, ...others] = await mediapipe.landmarksOf(rgba, WIDTH, HEIGHT);
    expect(theirs).toHaveLength(478 * 3);
    expect(others).toEqual([]);

    const view = {
      image: { data: rgba, widthPx: WIDTH, heightPx: HEIGHT, channels: 4 as const },
      crop: { xPx: 0, yPx: 0, widthPx: WIDTH, heightPx: HEIGHT },
    };
    const { face, detectorRan } = await engine.locate(view, null);
    expect(detectorRan).toBe(true);
    const ours = face?.landmarks ?? new Float32Array();
    expect(ours).toHaveLength(478 * 3);

    const distances = Array.from({ length: 478 }, (_, point) => {
      const at = point * 3;
      return Math.hypot(
        (ours[at] ?? 0) - (theirs?.[at] ?? 0) * WIDTH,
        (ours[at + 1] ?? 0) - (theirs?.[at + 1] ?? 0) * HEIGHT,
        (ours[at + 2] ?? 0) - (theirs?.[at + 2] ?? 0) * WIDTH,
      );
    });
    expect(distances.reduce((sum, distance) => sum + distance, 0) / distances.length).toBeLessThanOrEqual(0.1);
    expect(Math.max(...distances)).toBeLessThanOrEqual(1);
  });
});
