import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { faceAtScreen } from '../../../harness/observations.ts';
import type { FaceRoi, FrameSize } from '../../../shared/geometry.ts';
import type { FaceObservation } from '../../../shared/observation.ts';
import { nextCrop } from '../../../shared/vision/crop.ts';

const VGA: FrameSize = { widthPx: 640, heightPx: 480 };

function faceAt(centerXPx: number, centerYPx: number, boxPx: number): FaceObservation {
  return faceAtScreen({ nextRoi: { centerXPx, centerYPx, sizePx: boxPx * 1.5, rotationRad: 0.1 } });
}

const anyRoi: fc.Arbitrary<FaceRoi> = fc.record({
  centerXPx: fc.double({ min: -200, max: 1500, noNaN: true }),
  centerYPx: fc.double({ min: -200, max: 900, noNaN: true }),
  sizePx: fc.double({ min: 1, max: 2000, noNaN: true }),
  rotationRad: fc.double({ min: -3, max: 3, noNaN: true }),
});
const anyFrame = fc.record({
  widthPx: fc.integer({ min: 64, max: 1920 }),
  heightPx: fc.integer({ min: 64, max: 1080 }),
});

describe('the next crop', () => {
  it('lies inside the frame in whole pixels, wherever the face is', () => {
    fc.assert(
      fc.property(anyRoi, anyRoi, anyFrame, (first, second, frame) => {
        const held = nextCrop(faceAtScreen({ nextRoi: first }), frame);
        for (const crop of [held, nextCrop(faceAtScreen({ nextRoi: second }), frame, held)]) {
          expect(crop).not.toBeNull();
          if (crop === null) return;
          expect(Object.values(crop).every(Number.isInteger)).toBe(true);
          expect(Math.min(crop.xPx, crop.yPx)).toBeGreaterThanOrEqual(0);
          expect(Math.min(crop.widthPx, crop.heightPx)).toBeGreaterThanOrEqual(64);
          expect(crop.xPx + crop.widthPx).toBeLessThanOrEqual(frame.widthPx);
          expect(crop.yPx + crop.heightPx).toBeLessThanOrEqual(frame.heightPx);
        }
      }),
    );
  });

  it('is a square of 1.6 face boxes about the face', () => {
    expect(nextCrop(faceAt(320, 240, 150), VGA)).toEqual({ xPx: 200, yPx: 120, widthPx: 240, heightPx: 240 });
  });

  it('keeps its size at the frame edge', () => {
    expect(nextCrop(faceAt(40, 470, 150), VGA)).toEqual({ xPx: 0, yPx: 240, widthPx: 240, heightPx: 240 });
  });

  it('is as high as the frame for a face that fills it', () => {
    expect(nextCrop(faceAt(300, 240, 400), VGA)).toEqual({ xPx: 0, yPx: 0, widthPx: 640, heightPx: 480 });
  });

  it('is none without a face: then a full frame is due', () => {
    expect(nextCrop(null, VGA)).toBeNull();
    expect(nextCrop({ ...faceAt(1, 1, 1), face: null }, VGA)).toBeNull();
  });

  it('stays while the face has room in it and moves when it does not', () => {
    const held = nextCrop(faceAt(320, 240, 150), VGA);
    expect(nextCrop(faceAt(335, 232, 160), VGA, held)).toBe(held);
    expect(nextCrop(faceAt(360, 240, 150), VGA, held)).toEqual({ xPx: 240, yPx: 120, widthPx: 240, heightPx: 240 });
    expect(nextCrop(faceAt(320, 240, 90), VGA, held)?.widthPx).toBe(144);
  });
});
