import { describe, expect, it } from 'vitest';
import { createObserver } from '../../../client/device/observer.ts';
import type { FaceRoi } from '../../../shared/geometry.ts';
import { decodeObservation, encodeObservation, OBSERVATION_BYTES } from '../../../shared/observation.ts';
import type { PixelImage } from '../../../shared/vision/image.ts';
import type { Locate } from '../../../shared/vision/locate.ts';
import { renderFace } from '../../support/synthetic-face.ts';

const CAMERA = { widthPx: 640, heightPx: 480 };
const FACE = renderFace({
  yawDeg: 4,
  pitchDeg: -3,
  rollDeg: 1,
  eyeYawDeg: 0,
  eyePitchDeg: 0,
  distanceCm: 60,
  lids: 1,
  centerX: 0.5,
  centerY: 0.5,
  frame: CAMERA,
  focalPx: 640,
});

/** A picture that differs from others by its number. */
function picture(number: number): PixelImage {
  const data = new Uint8Array(64 * 48 * 4).fill(number);
  return { data, widthPx: 64, heightPx: 48, channels: 4 };
}

/** A locator that keeps the hints it was given; it finds a face, or none. */
function locator(found: boolean) {
  const hints: (FaceRoi | null)[] = [];
  const quality = { brightness: 0.5, sharpness: 0.5 };
  const locate: Locate = async (_seen, hint) => {
    hints.push(hint);
    const face = found ? { score: 0.97, landmarks: FACE } : null;
    return { face, faceCount: found ? 1 : 0, detectorRan: hint === null, quality };
  };
  return { hints, locate };
}

describe('the device’s observer', () => {
  it('looks first where the face was, unless that is over 2 s ago', async () => {
    const { hints, locate } = locator(true);
    const observer = createObserver(locate);
    const first = await observer.observe(picture(1), CAMERA, 0, false);
    await observer.observe(picture(2), CAMERA, 200, false);
    await observer.observe(picture(3), CAMERA, 2300, false);
    expect(hints[0]).toBeNull();
    expect(hints[1]).toEqual(first.observation?.face?.nextRoi);
    expect(hints[2]).toBeNull();
  });

  it('gives the numbers that the wire has, so that both placements hand on the same', async () => {
    const observer = createObserver(locator(true).locate);
    const { observation } = await observer.observe(picture(1), CAMERA, 0, false);
    if (observation === null) throw new Error('nothing was observed');
    const view = new DataView(new ArrayBuffer(OBSERVATION_BYTES));
    encodeObservation(view, 0, observation);
    expect(decodeObservation(view, 0)).toEqual(observation);
  });

  it('O-3 a picture that is bit for bit the one before is not inferred again', async () => {
    const { hints, locate } = locator(false);
    const observer = createObserver(locate);
    expect((await observer.observe(picture(1), CAMERA, 0, false)).observation).not.toBeNull();
    expect((await observer.observe(picture(1), CAMERA, 200, false)).observation).toBeNull();
    expect((await observer.observe(picture(2), CAMERA, 400, false)).observation).not.toBeNull();
    expect(hints).toHaveLength(2);
    observer.forget();
    expect((await observer.observe(picture(2), CAMERA, 600, false)).observation).not.toBeNull();
  });

  it('U-8 while the page rests, only an observation that differs from the one before is given to it', async () => {
    const { locate } = locator(true);
    const away = locator(false).locate;
    let isThere = true;
    const observer = createObserver((...seen) => (isThere ? locate : away)(...seen));
    expect(await observer.observe(picture(1), CAMERA, 0, true)).toMatchObject({ moved: false });
    expect(await observer.observe(picture(2), CAMERA, 200, true)).toEqual({ observation: null, moved: false });
    expect((await observer.observe(picture(3), CAMERA, 400, false)).observation).not.toBeNull();
    isThere = false;
    const gone = await observer.observe(picture(4), CAMERA, 600, true);
    expect(gone).toMatchObject({ observation: { face: null }, moved: true });
    expect(await observer.observe(picture(5), CAMERA, 800, true)).toEqual({ observation: null, moved: false });
  });
});
