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
    const first = await observer.observe(picture(1), CAMERA, 0);
    await observer.observe(picture(2), CAMERA, 200);
    await observer.observe(picture(3), CAMERA, 2300);
    expect(hints[0]).toBeNull();
    expect(hints[1]).toEqual(first?.face?.nextRoi);
    expect(hints[2]).toBeNull();
  });

  it('gives the numbers that the wire has, so that both placements hand on the same', async () => {
    const observer = createObserver(locator(true).locate);
    const observation = await observer.observe(picture(1), CAMERA, 0);
    if (observation === null) throw new Error('nothing was observed');
    const view = new DataView(new ArrayBuffer(OBSERVATION_BYTES));
    encodeObservation(view, 0, observation);
    expect(decodeObservation(view, 0)).toEqual(observation);
  });

  it('O-3 a picture that is bit for bit the one before is not inferred again', async () => {
    const { hints, locate } = locator(false);
    const observer = createObserver(locate);
    expect(await observer.observe(picture(1), CAMERA, 0)).not.toBeNull();
    expect(await observer.observe(picture(1), CAMERA, 200)).toBeNull();
    expect(await observer.observe(picture(2), CAMERA, 400)).not.toBeNull();
    expect(hints).toHaveLength(2);
    observer.forget();
    expect(await observer.observe(picture(2), CAMERA, 600)).not.toBeNull();
  });
});
