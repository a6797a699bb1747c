import fc from 'fast-check';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CLIP_FRAMES, CLIP_SIZE, clipFrame, emptyRoom, tapedLens, wholeFrame } from '../../harness/clip.ts';
import { mutate } from '../../harness/mutate.ts';
import { seededIntegers } from '../../harness/random.ts';
import { createOnnxEngine } from '../../inference/engine/onnx.ts';
import { loadModels } from '../../inference/models/store.ts';
import { type ObserveOutcome, type ObserveRequest, observe, type Vision } from '../../inference/observe.ts';
import { createPictureReader } from '../../inference/pixels/reader.ts';
import type { FaceRoi } from '../../shared/geometry.ts';
import { IMAGE_LEFT_EYE, IMAGE_RIGHT_EYE } from '../../shared/vision/canonical-face.ts';
import { roiFromLandmarks } from '../../shared/vision/roi.ts';
import { verdictOf } from '../../shared/vision/verdict.ts';

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

/** Where the eyes are in the clip's first frame, and the face's region; camera pixels. */
async function eyesOfClip({ engine, read }: Vision) {
  const { frame } = wholeFrame(clipFrame(0));
  const file = { bytes: clipFrame(0), format: 'jpeg', ...CLIP_SIZE, crop: { xPx: 0, yPx: 0, ...frame } } as const;
  const { face } = await engine.locate(await read(file, null), null);
  if (face === null) throw new Error('a face is expected');
  const { landmarks } = face;
  const middle = ({ outer, inner }: typeof IMAGE_LEFT_EYE) => ({
    x: ((landmarks[outer * 3] ?? 0) + (landmarks[inner * 3] ?? 0)) / 2,
    y: ((landmarks[outer * 3 + 1] ?? 0) + (landmarks[inner * 3 + 1] ?? 0)) / 2,
  });
  return { left: middle(IMAGE_LEFT_EYE), right: middle(IMAGE_RIGHT_EYE), all: roiFromLandmarks(landmarks) };
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
    const room = await observe(vision, wholeFrame(await emptyRoom()));
    expect(room.status === 'ok' && room.observation.fault).toBeUndefined();
  });

  it('says of a taped, dark or blinded camera that it is, with a hint and without, whole and as a crop', async () => {
    const roi = { centerXPx: 200, centerYPx: 150, sizePx: 150, rotationRad: 0 };
    const crop = { xPx: 100, yPx: 50, widthPx: 200, heightPx: 200 };
    const grey = (background: string) =>
      sharp({ create: { width: 200, height: 200, channels: 3, background } })
        .jpeg()
        .toBuffer();
    for (const [image, fault] of [
      [await tapedLens(), 'camera_covered'],
      [await grey('#0a0a0a'), 'too_dark'],
      [await grey('#ffffff'), 'overexposed'],
    ] as const) {
      for (const changes of [{}, { roi }, { roi, crop }]) {
        const outcome = await observe(vision, wholeFrame(image, changes));
        expect(outcome).toMatchObject({ status: 'ok', observation: { face: null, fault } });
        expect(outcome.status === 'ok' && verdictOf(outcome.observation).direction).toBe('unknown');
      }
    }
  });

  it('sees that eyes are hidden by dark lenses, glare or a patch, and gives them no direction', async () => {
    const { left, right, all } = await eyesOfClip(vision);
    const cover = (fill: string, places: readonly { x: number; y: number }[]) =>
      places.map(({ x, y }) => `<ellipse cx="${x}" cy="${y}" rx="22" ry="15" fill="${fill}"/>`).join('');
    const covered = async (shapes: string) => {
      const { widthPx, heightPx } = CLIP_SIZE;
      const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="${widthPx}" height="${heightPx}">${shapes}</svg>`;
      const image = await sharp(clipFrame(0))
        .composite([{ input: Buffer.from(svg) }])
        .jpeg({ quality: 90 })
        .toBuffer();
      const outcome = await observe(vision, wholeFrame(image, { roi: all }));
      if (outcome.status !== 'ok' || outcome.observation.face === null) throw new Error('a face is expected');
      const { face } = outcome.observation;
      return {
        seen: [face.imageLeftEye.visibility, face.imageRightEye.visibility],
        direction: verdictOf(outcome.observation).direction,
      };
    };
    const open = await covered('');
    expect(Math.min(...open.seen)).toBeGreaterThan(0.9);
    expect(open.direction).toBe('centered');
    for (const fill of ['#101010', '#f4f8ff']) {
      const hidden = await covered(cover(fill, [left, right]));
      expect(Math.max(...hidden.seen), fill).toBeLessThan(0.1);
      expect(hidden.direction).toBe('unknown');
    }
    const patched = await covered(cover('#181818', [right]));
    expect(patched.seen[0]).toBeGreaterThan(0.9);
    expect(patched.seen[1]).toBeLessThan(0.1);
    expect(patched.direction).not.toBe('unknown');
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
