import { describe, expect, it } from 'vitest';
import { largestDifference, lumaGrid, SAME_WITHIN } from '../../../client/capture/picture-diff.ts';

const SIDE = 192;

/** Repeatable noise in [-amplitude, amplitude]. */
function noise(seed: number, amplitude: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.round((state / 2 ** 32 - 0.5) * 2 * amplitude);
  };
}

/** A grey face of a kind: a bright patch with two dark discs whose place says where it looks. */
function picture(options: { irisShiftPx?: number; noiseSeed?: number }): Uint8ClampedArray {
  const { irisShiftPx = 0, noiseSeed } = options;
  const grain = noiseSeed === undefined ? () => 0 : noise(noiseSeed, 4);
  const rgba = new Uint8ClampedArray(SIDE * SIDE * 4);
  for (let y = 0; y < SIDE; y++) {
    for (let x = 0; x < SIDE; x++) {
      const iris = [64, 128].some((eyeX) => (x - eyeX - irisShiftPx) ** 2 + (y - 80) ** 2 <= 5 ** 2);
      const value = (iris ? 60 : 170) + grain();
      rgba.set([value, value, value, 255], (y * SIDE + x) * 4);
    }
  }
  return rgba;
}

const print = (options: Parameters<typeof picture>[0]) => lumaGrid(picture(options), SIDE, SIDE);
describe('difference of pictures', () => {
  it('takes bit-identical pictures for the same', () => {
    expect(largestDifference(print({}), print({}))).toBe(0);
  });

  it("takes a still student under the camera's noise for the same", () => {
    expect(largestDifference(print({ noiseSeed: 1 }), print({ noiseSeed: 2 }))).toBeLessThanOrEqual(SAME_WITHIN);
  });

  it.each([2, 3, 5, -4])('sees irises that moved by %i px', (irisShiftPx) => {
    expect(largestDifference(print({ noiseSeed: 1 }), print({ noiseSeed: 2, irisShiftPx }))).toBeGreaterThan(
      SAME_WITHIN,
    );
  });
});
