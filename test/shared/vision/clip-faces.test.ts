import { describe, expect, it } from 'vitest';
import { faceAtScreen } from '../../../harness/observations.ts';
import type { FrameSize } from '../../../shared/geometry.ts';
import { measureFace } from '../../../shared/vision/observe.ts';
import { verdictOf } from '../../../shared/vision/verdict.ts';
import { CLIP_FACES, CLIP_INDICES } from './clip-faces.ts';
import { LOOK_FACES } from './look-faces.ts';

function measuredOf(values: readonly number[], frame: FrameSize) {
  const landmarks = new Float32Array(478 * 3);
  CLIP_INDICES.forEach((index, i) => {
    landmarks.set(values.slice(i * 3, i * 3 + 3), index * 3);
  });
  const roi = { centerXPx: 200, centerYPx: 150, sizePx: 180, rotationRad: 0 };
  return measureFace(landmarks, 0.99, frame, roi);
}

/** A man who moves his head while he watches his screen, as measured in the frame in which he does `what`. */
function measured(what: string) {
  const face = CLIP_FACES.find((candidate) => candidate.what === what);
  if (face === undefined) throw new Error(`no frame of a face ${what}`);
  return measuredOf(face.values, { widthPx: 400, heightPx: 300 });
}

describe('a real face in a webcam clip', () => {
  it('has negative yaw when it is turned to image left and positive yaw to image right', () => {
    expect(measured('turned to image left').headYawDeg).toBeLessThan(-8);
    expect(measured('turned to image right').headYawDeg).toBeGreaterThan(12);
  });

  it('has a higher pitch with the chin up than straight on, and a lower one nodding down', () => {
    const straight = measured('straight on').headPitchDeg;
    expect(measured('chin up').headPitchDeg).toBeGreaterThan(straight + 8);
    expect(measured('nodding down').headPitchDeg).toBeLessThan(straight - 8);
  });

  it('has positive roll when its crown tilts to image right', () => {
    expect(measured('tilted clockwise').headRollDeg).toBeGreaterThan(4);
    expect(measured('tilted counter-clockwise').headRollDeg).toBeLessThan(-3);
  });

  it('has eyes that are open but for the blink', () => {
    for (const { what } of CLIP_FACES) {
      const { imageLeftEye, imageRightEye } = measured(what);
      const openness = (imageLeftEye.openness + imageRightEye.openness) / 2;
      if (what === 'blinking') expect(openness).toBeLessThan(0.1);
      else expect(openness).toBeGreaterThan(0.2);
    }
  });

  it('looks at the screen in every frame but the blink, however the head is turned', () => {
    for (const { what } of CLIP_FACES) {
      const { direction } = verdictOf({ ...faceAtScreen(), face: measured(what) });
      expect(direction).toBe(what === 'blinking' ? 'eyes_closed' : 'centered');
    }
  });

  it('fits the canonical face as faces usually do', () => {
    for (const { what } of CLIP_FACES) {
      expect(measured(what).fitResidual).toBeGreaterThan(0.01);
      expect(measured(what).fitResidual).toBeLessThan(0.08);
    }
  });
});

describe('a face in a clip that', () => {
  for (const { what, expected, frame, values } of LOOK_FACES) {
    it(`${what} is ${expected.join(' or ')}`, () => {
      expect(expected).toContain(verdictOf({ ...faceAtScreen(), face: measuredOf(values, frame) }).direction);
    });
  }
});
