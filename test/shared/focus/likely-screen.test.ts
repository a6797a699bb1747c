import { describe, expect, it } from 'vitest';
import { likelyScreenSize } from '../../../shared/focus/likely-screen.ts';

describe('the likely size of a screen', () => {
  it.each([
    ['a 6.1-inch phone', 390, 844, 6.4],
    ['a 13.3-inch laptop', 1440, 900, 28.6],
    ['a 14-inch laptop', 1536, 864, 31],
    ['a 15.6-inch laptop', 1920, 1080, 34.5],
    ['a 22-inch monitor', 1920, 1080, 47.6],
    ['a 24-inch monitor', 1920, 1200, 51.7],
  ])('%s is met to a quarter', (_name, widthPx, heightPx, trueWidthCm) => {
    const widthCm = likelyScreenSize({ widthPx, heightPx })?.widthCm ?? 0;
    expect(Math.abs(widthCm / trueWidthCm - 1)).toBeLessThan(0.25);
  });

  it('is unknown where the browser does not tell', () => {
    expect(likelyScreenSize({ widthPx: 0, heightPx: 0 })).toBeNull();
  });
});
