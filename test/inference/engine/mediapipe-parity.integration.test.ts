import { readFile } from 'node:fs/promises';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type MediapipePage, openMediapipe } from '../../../harness/mediapipe-page.ts';
import { splitMjpeg } from '../../../harness/mjpeg.ts';
import type { FaceEngine } from '../../../inference/engine/engine.ts';
import { createOnnxEngine, createWholeOnnxEngine } from '../../../inference/engine/onnx.ts';
import { loadModels } from '../../../inference/models/store.ts';
import type { FrameView } from '../../../shared/vision/image.ts';
import { LIPS } from '../../../shared/vision/mesh-output.ts';

const WIDTH = 640;
const HEIGHT = 480;
const FRAMES = [0, 25, 50, 75, 100, 125, 150, 175, 199];

/** Of a search without a hint; 478 × (x, y, z). */
async function landmarksOf(engine: FaceEngine, view: FrameView): Promise<Float32Array> {
  const { face, detectorRan } = await engine.locate(view, null);
  expect(detectorRan).toBe(true);
  expect(face?.landmarks).toHaveLength(478 * 3);
  return face?.landmarks ?? new Float32Array();
}

/** Between our landmarks in pixels and MediaPipe's in parts of the frame, px. */
function distancesOf(ours: Float32Array, theirs: ArrayLike<number>): number[] {
  return Array.from({ length: 478 }, (_, point) => {
    const at = point * 3;
    return Math.hypot(
      (ours[at] ?? 0) - (theirs[at] ?? 0) * WIDTH,
      (ours[at + 1] ?? 0) - (theirs[at + 1] ?? 0) * HEIGHT,
      (ours[at + 2] ?? 0) - (theirs[at + 2] ?? 0) * WIDTH,
    );
  });
}

/** The same pixels for both sides: decoded and enlarged once, here. */
async function pixelsOf(jpeg: Uint8Array): Promise<Uint8Array> {
  return sharp(jpeg).resize(WIDTH, HEIGHT, { fit: 'fill' }).ensureAlpha().raw().toBuffer();
}

describe('landmarks agree with MediaPipe’s own JavaScript build', () => {
  let mediapipe: MediapipePage;
  let whole: FaceEngine;
  let observed: FaceEngine;
  let frames: Uint8Array[];

  beforeAll(async () => {
    frames = splitMjpeg(await readFile(new URL('../../../harness/clips/cap12.mjpeg', import.meta.url)));
    mediapipe = await openMediapipe();
    const files = await loadModels();
    whole = await createWholeOnnxEngine(files);
    observed = await createOnnxEngine(files);
  });

  afterAll(async () => {
    await mediapipe?.close();
    await whole?.close();
    await observed?.close();
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
    const all = await landmarksOf(whole, view);
    const distances = distancesOf(all, theirs ?? new Float32Array());
    expect(distances.reduce((sum, distance) => sum + distance, 0) / distances.length).toBeLessThanOrEqual(0.1);
    expect(Math.max(...distances)).toBeLessThanOrEqual(1);

    // What serves requests leaves the lips as the mesh has them, and nothing else.
    const served = await landmarksOf(observed, view);
    for (let at = 0; at < all.length; at++) {
      if (!LIPS.includes(Math.floor(at / 3))) expect(served[at]).toBeCloseTo(all[at] ?? 0, 3);
    }
  });
});
