import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { LIPS } from '../../../shared/vision/mesh-output.ts';
import {
  isUsableHint,
  landmarksToFrame,
  roiFromDetection,
  roiFromLandmarks,
  roiOfCrop,
} from '../../../shared/vision/roi.ts';

const IMAGE_LEFT_CORNER = 33;
const IMAGE_RIGHT_CORNER = 263;

/** Landmarks that fill a box of the given size around a centre, turned by an angle. */
function boxOfLandmarks(x: number, y: number, width: number, height: number, rotation: number): Float32Array {
  const landmarks = new Float32Array(478 * 3);
  const put = (point: number, along: number, across: number): void => {
    landmarks[point * 3] = x + Math.cos(rotation) * along - Math.sin(rotation) * across;
    landmarks[point * 3 + 1] = y + Math.sin(rotation) * along + Math.cos(rotation) * across;
  };
  for (let point = 0; point < 478; point++) put(point, 0, 0);
  put(1, -width / 2, -height / 2);
  put(2, width / 2, -height / 2);
  put(3, width / 2, height / 2);
  put(4, -width / 2, height / 2);
  put(IMAGE_LEFT_CORNER, -width / 4, 0);
  put(IMAGE_RIGHT_CORNER, width / 4, 0);
  return landmarks;
}

describe('roiOfCrop', () => {
  it('is the upright square around the whole crop', () => {
    expect(roiOfCrop({ xPx: 100, yPx: 50, widthPx: 400, heightPx: 300 })).toEqual({
      centerXPx: 300,
      centerYPx: 200,
      sizePx: 400,
      rotationRad: 0,
    });
  });
});

describe('roiFromDetection', () => {
  const face = {
    score: 0.9,
    box: { xPx: 100, yPx: 80, widthPx: 60, heightPx: 80 },
    imageLeftEye: { xPx: 115, yPx: 110 },
    imageRightEye: { xPx: 145, yPx: 110 },
  };

  it('is one and a half times the box’s longer side, around its centre', () => {
    expect(roiFromDetection(face)).toEqual({ centerXPx: 130, centerYPx: 120, sizePx: 120, rotationRad: 0 });
  });

  it('turns with the line of the eyes: clockwise when the image-right eye is lower', () => {
    const tilted = { ...face, imageRightEye: { xPx: 145, yPx: 140 } };
    expect(roiFromDetection(tilted).rotationRad).toBeCloseTo(Math.PI / 4, 6);
  });
});

describe('roiFromLandmarks', () => {
  it('is the same wherever the lips are, which are refined or not', () => {
    const landmarks = boxOfLandmarks(320, 240, 100, 120, 0.1);
    const before = roiFromLandmarks(landmarks);
    for (const point of LIPS) landmarks[point * 3] = 1000;
    expect(roiFromLandmarks(landmarks)).toEqual(before);
  });

  it('encloses the landmarks along the line of the eyes, at any angle', () => {
    fc.assert(
      fc.property(
        fc.double({ min: 0, max: 640, noNaN: true }),
        fc.double({ min: 0, max: 480, noNaN: true }),
        fc.double({ min: 20, max: 200, noNaN: true }),
        fc.double({ min: 20, max: 200, noNaN: true }),
        fc.double({ min: -1.2, max: 1.2, noNaN: true }),
        (x, y, width, height, rotation) => {
          const roi = roiFromLandmarks(boxOfLandmarks(x, y, width, height, rotation));
          expect(roi.centerXPx).toBeCloseTo(x, 2);
          expect(roi.centerYPx).toBeCloseTo(y, 2);
          expect(roi.sizePx).toBeCloseTo(1.5 * Math.max(width, height), 2);
          expect(roi.rotationRad).toBeCloseTo(rotation, 3);
        },
      ),
    );
  });
});

describe('isUsableHint', () => {
  const crop = { xPx: 100, yPx: 100, widthPx: 200, heightPx: 200 };
  const hint = (centerXPx: number, centerYPx: number, sizePx: number) => ({
    centerXPx,
    centerYPx,
    sizePx,
    rotationRad: 0,
  });

  it('takes a region in the crop, or one that reaches into it', () => {
    expect(isUsableHint(hint(200, 200, 100), crop)).toBe(true);
    expect(isUsableHint(hint(60, 200, 100), crop)).toBe(true);
  });

  it('refuses a region that misses the crop, and one without size', () => {
    expect(isUsableHint(hint(40, 200, 100), crop)).toBe(false);
    expect(isUsableHint(hint(200, 360, 100), crop)).toBe(false);
    expect(isUsableHint(hint(200, 200, 0), crop)).toBe(false);
  });
});

describe('landmarksToFrame', () => {
  it('puts the tensor’s middle on the region’s centre and its corner on the region’s corner', () => {
    const landmarks = Float32Array.from([96, 96, 10, 0, 0, 0]);
    landmarksToFrame(landmarks, { centerXPx: 300, centerYPx: 200, sizePx: 384, rotationRad: 0 }, 192);
    expect(Array.from(landmarks)).toEqual([300, 200, 20, 108, 8, 0]);
  });

  it('turns clockwise with the region', () => {
    const landmarks = Float32Array.from([192, 96, 0]);
    landmarksToFrame(landmarks, { centerXPx: 300, centerYPx: 200, sizePx: 192, rotationRad: Math.PI / 2 }, 192);
    expect(landmarks[0]).toBeCloseTo(300, 3);
    expect(landmarks[1]).toBeCloseTo(296, 3);
  });
});
