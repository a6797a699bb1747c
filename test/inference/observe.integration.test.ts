import fc from 'fast-check';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CLIP_FRAMES, clipFrame, emptyRoom, wholeFrame } from '../../harness/clip.ts';
import { mutate } from '../../harness/mutate.ts';
import { seededIntegers } from '../../harness/random.ts';
import { createOnnxEngine } from '../../inference/engine/onnx.ts';
import { loadModels } from '../../inference/models/store.ts';
import { type ObserveOutcome, type ObserveRequest, observe, type Vision } from '../../inference/observe.ts';
import { createPictureReader } from '../../inference/pixels/reader.ts';
import type { FaceRoi } from '../../shared/geometry.ts';

let vision: Vision;

beforeAll(async () => {
  const engine = await createOnnxEngine(await loadModels());
  vision = { engine, read: createPictureReader() };
});

afterAll(async () => {
  await vision?.engine.close();
});

async function statusOf(image: Uint8Array): Promise<string> {
  return (await observe(vision, wholeFrame(image))).status;
}

function roiOf(outcome: ObserveOutcome): FaceRoi {
  if (outcome.status !== 'ok' || outcome.observation.face === null) throw new Error(`no face: ${outcome.status}`);
  return outcome.observation.face.nextRoi;
}

describe('observe', () => {
  it('follows the face through the whole clip, searching once', async () => {
    let roi: FaceRoi | null = null;
    let searches = 0;
    for (const image of CLIP_FRAMES) {
      const outcome = await observe(vision, wholeFrame(image, { roi }));
      roi = roiOf(outcome);
      if (outcome.status === 'ok' && outcome.observation.detectorRan) searches++;
    }
    expect(searches).toBe(1);
  });

  it('takes WebP, and sees the same face', async () => {
    const webp = await sharp(clipFrame(0)).webp({ quality: 90 }).toBuffer();
    const [jpeg, other] = [await observe(vision, wholeFrame(clipFrame(0))), await observe(vision, wholeFrame(webp))];
    expect(roiOf(other).centerXPx).toBeCloseTo(roiOf(jpeg).centerXPx, -0.5);
  });

  it('takes grey pictures', async () => {
    const grey = await sharp(clipFrame(0)).greyscale().jpeg().toBuffer();
    expect(roiOf(await observe(vision, wholeFrame(grey))).sizePx).toBeGreaterThan(100);
  });

  it('reports an empty room as no face, not as a failure', async () => {
    expect(await observe(vision, wholeFrame(await emptyRoom()))).toMatchObject({
      status: 'ok',
      observation: { face: null, faceCount: 0, detectorRan: true },
    });
  });

  it('calls a cut JPEG corrupt, wherever it was cut, and serves the next', async () => {
    const frame = clipFrame(0);
    for (const share of [0.3, 0.5, 0.9, 0.98]) {
      expect(await statusOf(frame.subarray(0, Math.floor(frame.length * share))), `${share}`).toBe('imageCorrupt');
    }
    expect(await statusOf(frame)).toBe('ok');
  });

  it('gives each of 600 damaged pictures a status of its own, and serves the next', async () => {
    const below = seededIntegers(20_261_122);
    const small = await sharp(clipFrame(9)).resize(160, 120).jpeg().toBuffer();
    const webp = await sharp(clipFrame(9)).resize(160, 120).webp().toBuffer();
    const originals = [clipFrame(0), clipFrame(70), small, small, webp];
    const seen = new Set<string>();
    for (let index = 0; index < 600; index++) {
      const [original, other] = [originals[below(originals.length)], originals[below(originals.length)]];
      const status = await statusOf(mutate(original ?? small, other ?? small, below));
      expect(['ok', 'imageCorrupt', 'imageFormat', 'imageTooLarge']).toContain(status);
      seen.add(status);
    }
    expect(seen).toContain('imageCorrupt');
    expect(await statusOf(clipFrame(0))).toBe('ok');
  });

  it('survives any bytes', async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 200 }), async (bytes) => {
        expect(['imageCorrupt', 'imageFormat', 'imageTooLarge']).toContain(await statusOf(bytes));
      }),
      { numRuns: 300, seed: 20_261_122 },
    );
    expect(await statusOf(new Uint8Array())).toBe('imageFormat');
  });

  it('is a function of its request: interleaved students cannot change each other’s observations', async () => {
    // Three students at different places of the clip, each with the hint of its own frame before.
    const requests: ObserveRequest[] = [];
    for (const start of [0, 70, 140]) {
      let roi: FaceRoi | null = null;
      for (let index = start; index < start + 5; index++) {
        const request = wholeFrame(clipFrame(index), { roi });
        requests.push(request);
        roi = roiOf(await observe(vision, request));
      }
    }
    requests.push(wholeFrame(await emptyRoom()), wholeFrame(clipFrame(3).subarray(0, 4000)));
    const alone = new Map<ObserveRequest, ObserveOutcome>();
    for (const request of requests) alone.set(request, await observe(vision, request));
    await fc.assert(
      fc.asyncProperty(fc.shuffledSubarray(requests, { minLength: 5 }), async (order) => {
        for (const request of order) expect(await observe(vision, request)).toEqual(alone.get(request));
      }),
      { numRuns: 5, seed: 20_261_122 },
    );
  });
});
