import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DEFAULT_CENTER, DEFAULT_SCREEN, learnCenter, placeOnScreen } from '../../../shared/vision/screen.ts';

function learn(gaze: readonly (readonly [number, number])[], stepMs: number) {
  return gaze.reduce((center, [yaw, pitch]) => learnCenter(center, yaw, pitch, stepMs), DEFAULT_CENTER);
}

function steadily(yaw: number, pitch: number, ms: number, stepMs: number) {
  return learn(
    Array.from({ length: ms / stepMs }, () => [yaw, pitch] as const),
    stepMs,
  );
}

describe('a place on the screen', () => {
  it('is 0 in the middle and ±1 at the edges', () => {
    const { centerYawDeg, centerPitchDeg, halfWidthDeg, aboveDeg, belowDeg } = DEFAULT_SCREEN;
    expect(placeOnScreen(DEFAULT_SCREEN, centerYawDeg, centerPitchDeg)).toEqual({ across: 0, up: 0 });
    expect(placeOnScreen(DEFAULT_SCREEN, centerYawDeg - halfWidthDeg, centerPitchDeg + aboveDeg)).toEqual({
      across: -1,
      up: 1,
    });
    expect(placeOnScreen(DEFAULT_SCREEN, centerYawDeg, centerPitchDeg - belowDeg).up).toBe(-1);
  });
});

describe('the personal center', () => {
  it('does not move in the first half minute', () => {
    const center = steadily(5, -12, 29_000, 100);
    expect([center.yawDeg, center.pitchDeg]).toEqual([DEFAULT_CENTER.yawDeg, DEFAULT_CENTER.pitchDeg]);
  });

  it('has come half-way there after the first minute, and stays where it has been for long', () => {
    const center = steadily(4, 0, 60_000, 200);
    expect(center.yawDeg).toBeCloseTo(2, 0);
    expect(center.pitchDeg).toBeCloseTo(-2.5, 0);
    const settled = { yawDeg: 0, pitchDeg: 0, learntMs: 30 * 60_000 };
    expect(learnCenter(settled, 0, -8, 10_000).pitchDeg).toBeGreaterThan(-0.6);
  });

  it('comes to where the student looks within minutes', () => {
    const center = steadily(4, 2, 10 * 60_000, 200);
    expect(center.yawDeg).toBeCloseTo(4, 0);
    expect(center.pitchDeg).toBeCloseTo(2, 0);
  });

  it('is not drawn by looks far away, however long', () => {
    expect(steadily(0, -40, 20 * 60_000, 200).pitchDeg).toBe(DEFAULT_CENTER.pitchDeg);
  });

  it('stays near where a screen can be', () => {
    fc.assert(
      fc.property(
        fc.array(
          fc.tuple(fc.double({ min: -60, max: 60, noNaN: true }), fc.double({ min: -60, max: 60, noNaN: true })),
          {
            maxLength: 200,
          },
        ),
        (gaze) => {
          const center = learn(gaze, 2000);
          expect(Math.abs(center.yawDeg - DEFAULT_CENTER.yawDeg)).toBeLessThanOrEqual(6);
          expect(Math.abs(center.pitchDeg - DEFAULT_CENTER.pitchDeg)).toBeLessThanOrEqual(10);
        },
      ),
    );
  });

  it('learns the same from the same time, however often it is sampled', () => {
    const seldom = steadily(4, 0, 240_000, 500);
    const often = steadily(4, 0, 240_000, 40);
    expect(Math.abs(seldom.yawDeg - often.yawDeg)).toBeLessThan(0.05);
    expect(Math.abs(seldom.pitchDeg - often.pitchDeg)).toBeLessThan(0.05);
  });
});
