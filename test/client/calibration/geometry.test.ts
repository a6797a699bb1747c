import { describe, expect, it } from 'vitest';
import { pointsInWindow, sharesOfScreen, type WindowPlace } from '../../../client/calibration/geometry.ts';

const FULL: WindowPlace = {
  screenXPx: 0,
  screenYPx: 0,
  outerWidthPx: 1920,
  outerHeightPx: 1080,
  innerWidthPx: 1920,
  innerHeightPx: 960,
  screenWidthPx: 1920,
  screenHeightPx: 1080,
  screenLeftPx: 0,
  screenTopPx: 0,
};
const MIDDLE = [{ xPx: 960, yPx: 480 }];

describe('the dots in the window', () => {
  it('are the middle and the corners, with room for the dot on a phone too', () => {
    for (const [width, height] of [
      [1440, 900],
      [390, 844],
    ] as const) {
      const points = pointsInWindow(width, height);
      expect(points[0]).toEqual({ xPx: width / 2, yPx: height / 2 });
      for (const { xPx, yPx } of points) {
        expect(Math.min(xPx, width - xPx, yPx, height - yPx)).toBeGreaterThanOrEqual(28 - 1e-9);
      }
    }
  });
});

describe('a dot as a share of the screen', () => {
  it('counts the bars above the page', () => {
    expect(sharesOfScreen(MIDDLE, FULL)).toEqual([{ across: 0.5, down: (120 + 480) / 1080 }]);
  });

  it('counts where the window stands, on a second screen too', () => {
    const half = { ...FULL, screenXPx: 2880, screenLeftPx: 1920, outerWidthPx: 960, innerWidthPx: 960 };
    expect(sharesOfScreen([{ xPx: 480, yPx: 480 }], half)[0]?.across).toBe(0.75);
  });

  it('is the same on a zoomed page', () => {
    const zoomed = { ...FULL, innerWidthPx: 1280, innerHeightPx: 640 };
    const [share] = sharesOfScreen([{ xPx: 640, yPx: 320 }], zoomed);
    expect(share?.across).toBeCloseTo(0.5, 9);
    expect(share?.down).toBeCloseTo((120 + 480) / 1080, 9);
  });

  it('is one of the page where a browser tells nonsense', () => {
    for (const nonsense of [{ outerWidthPx: 0, outerHeightPx: 0, screenXPx: -5000 }, { screenWidthPx: 0 }]) {
      expect(sharesOfScreen(MIDDLE, { ...FULL, ...nonsense })).toEqual([{ across: 0.5, down: 0.5 }]);
    }
  });
});
