import { describe, expect, it } from 'vitest';
import { seedDirectionOf } from '../../../shared/vision/seed-rule.ts';

const FRAME = { widthPx: 1000, heightPx: 500 };

interface SeedFace {
  /** Place of each iris between the eye's corners, 0 = image left. */
  readonly leftAcross: number;
  readonly rightAcross: number;
  /** Place of each iris between the lids, 0 = upper. */
  readonly leftDown: number;
  readonly rightDown: number;
  /** The nose's place off the middle of the outer corners, over their distance. */
  readonly nose: number;
  readonly gapPx: number;
  readonly eyePx: number;
}

const STRAIGHT: SeedFace = {
  leftAcross: 0.5,
  rightAcross: 0.5,
  leftDown: 0.5,
  rightDown: 0.5,
  nose: 0,
  gapPx: 10,
  eyePx: 40,
};

/** Landmarks of a face whose ratios are the given ones: image-left eye at x 400, image-right eye at x 560, y 200. */
function direction(change: Partial<SeedFace>): string {
  const face = { ...STRAIGHT, ...change };
  const landmarks = new Float32Array(478 * 3);
  const put = (index: number, x: number, y: number): void => landmarks.set([x, y, 0], index * 3);
  const top = 200 - face.gapPx / 2;
  put(33, 400, 200);
  put(133, 400 + face.eyePx, 200);
  put(159, 420, top);
  put(145, 420, top + face.gapPx);
  put(468, 400 + face.leftAcross * face.eyePx, top + face.leftDown * face.gapPx);
  put(362, 560, 200);
  put(263, 560 + face.eyePx, 200);
  put(386, 580, top);
  put(374, 580, top + face.gapPx);
  put(473, 560 + face.rightAcross * face.eyePx, top + face.rightDown * face.gapPx);
  const span = 160 + face.eyePx;
  put(1, 400 + span / 2 + face.nose * span, 300);
  return seedDirectionOf(landmarks, FRAME);
}

describe('the seed’s rule', () => {
  it('is centered while every ratio lies strictly between 0.3 and 0.7', () => {
    expect(direction({})).toBe('centered');
    expect(direction({ leftAcross: 0.35, rightAcross: 0.6, leftDown: 0.32, rightDown: 0.68 })).toBe('centered');
  });

  it('takes left and right from the image-left eye’s ratio, up and down from its lids', () => {
    expect(direction({ leftAcross: 0.25 })).toBe('looking_left');
    expect(direction({ leftAcross: 0.75 })).toBe('looking_right');
    expect(direction({ leftDown: 0.25 })).toBe('looking_up');
    expect(direction({ leftDown: 0.75 })).toBe('looking_down');
  });

  it('looks left and right before up and down, and at both before the nose', () => {
    expect(direction({ leftAcross: 0.2, leftDown: 0.9, nose: 0.3 })).toBe('looking_left');
    expect(direction({ leftDown: 0.9, nose: 0.3 })).toBe('looking_down');
  });

  it('is face_turned when the nose is 0.15 or more off the middle, to either side', () => {
    expect(direction({ nose: 0.16 })).toBe('face_turned');
    expect(direction({ nose: -0.16 })).toBe('face_turned');
    expect(direction({ nose: 0.14 })).toBe('centered');
  });

  it('is distracted when only the image-right eye is off, or the two eyes differ by 0.3 or more', () => {
    expect(direction({ rightAcross: 0.8 })).toBe('distracted');
    expect(direction({ rightDown: 0.1 })).toBe('distracted');
    expect(direction({ leftAcross: 0.35, rightAcross: 0.68 })).toBe('distracted');
  });

  it('calls eyes closed by shares of the frame, as it did: a far eye is closed', () => {
    expect(direction({ gapPx: 2.4 })).toBe('eyes_closed');
    expect(direction({ gapPx: 2.6 })).toBe('centered');
    expect(direction({ eyePx: 9.9 })).toBe('eyes_closed');
    expect(direction({ eyePx: 10.1 })).toBe('centered');
  });
});
