import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { chooseCrop, drawSize, widenHint } from '../../../client/capture/crop-choice.ts';

const CAMERA = { widthPx: 640, heightPx: 480 };

describe('crop', () => {
  const hint = { xPx: 200, yPx: 100, widthPx: 180, heightPx: 180 };

  it('is the whole frame where the gateway has none', () => {
    const whole = { crop: { xPx: 0, yPx: 0, ...CAMERA }, fullFrame: true };
    expect(chooseCrop(null, CAMERA, null)).toEqual(whole);
    expect(chooseCrop({ xPx: 636, yPx: 0, widthPx: 90, heightPx: 90 }, CAMERA, null)).toEqual(whole);
  });

  it("is the gateway's hint, cut at the edges of the frame", () => {
    expect(chooseCrop(hint, CAMERA, null)).toEqual({ crop: hint, fullFrame: false });
    expect(chooseCrop({ xPx: 560, yPx: 400, widthPx: 180, heightPx: 180 }, CAMERA, null).crop).toEqual({
      xPx: 560,
      yPx: 400,
      widthPx: 80,
      heightPx: 80,
    });
  });

  it('stays where it is while the hint moves by little, and follows when it moves by more', () => {
    const before = chooseCrop(hint, CAMERA, null);
    expect(chooseCrop({ ...hint, xPx: 206, widthPx: 176 }, CAMERA, before)).toBe(before);
    expect(chooseCrop({ ...hint, xPx: 230 }, CAMERA, before).crop.xPx).toBe(230);
    expect(chooseCrop({ ...hint, widthPx: 240, heightPx: 240 }, CAMERA, before).crop.widthPx).toBe(240);
  });

  it('is never outside the frame', () => {
    const side = fc.integer({ min: -50, max: 900 });
    fc.assert(
      fc.property(side, side, side, side, (xPx, yPx, widthPx, heightPx) => {
        const { crop } = chooseCrop({ xPx, yPx, widthPx, heightPx }, CAMERA, null);
        expect(crop.xPx).toBeGreaterThanOrEqual(0);
        expect(crop.yPx).toBeGreaterThanOrEqual(0);
        expect(crop.widthPx).toBeGreaterThanOrEqual(16);
        expect(crop.heightPx).toBeGreaterThanOrEqual(16);
        expect(crop.xPx + crop.widthPx).toBeLessThanOrEqual(640);
        expect(crop.yPx + crop.heightPx).toBeLessThanOrEqual(480);
      }),
    );
  });
});

describe('drawn size', () => {
  it('has the asked-for longer side and the proportions of the crop', () => {
    expect(drawSize({ xPx: 0, yPx: 0, widthPx: 640, heightPx: 480 }, 192)).toEqual({ widthPx: 192, heightPx: 144 });
    expect(drawSize({ xPx: 0, yPx: 0, widthPx: 300, heightPx: 400 }, 192)).toEqual({ widthPx: 144, heightPx: 192 });
  });

  it('is never larger than the crop itself', () => {
    expect(drawSize({ xPx: 0, yPx: 0, widthPx: 90, heightPx: 80 }, 192)).toEqual({ widthPx: 90, heightPx: 80 });
  });
});

describe('a crop without guidance', () => {
  it('is wider about the same middle, and stays in the frame', () => {
    const wide = widenHint({ xPx: 200, yPx: 100, widthPx: 200, heightPx: 200 });
    expect(wide).toEqual({ xPx: 140, yPx: 40, widthPx: 320, heightPx: 320 });
    expect(
      chooseCrop(widenHint({ xPx: 10, yPx: 10, widthPx: 100, heightPx: 100 }), { widthPx: 640, heightPx: 480 }, null),
    ).toEqual({
      crop: { xPx: 0, yPx: 0, widthPx: 140, heightPx: 140 },
      fullFrame: false,
    });
  });
});
