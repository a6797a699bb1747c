import { describe, expect, it } from 'vitest';
import {
  DEFAULT_SCREEN,
  DEFAULT_SETUP,
  knownScreenOf,
  placeOnScreen,
  type ScreenRegion,
  type ScreenSetup,
  targetAnglesOf,
  uncalibratedScreenOf,
} from '../../../shared/vision/screen.ts';

describe('places on the screen', () => {
  it('lie to image right when they are to the student’s left, and below the camera', () => {
    expect(targetAnglesOf(0, 0.5).yawDeg).toBeCloseTo(15.8, 1);
    expect(targetAnglesOf(1, 0.5).yawDeg).toBeCloseTo(-15.8, 1);
    expect(targetAnglesOf(0.5, 0.5).yawDeg).toBeCloseTo(0, 9);
    expect(targetAnglesOf(0.5, 0.5).pitchDeg).toBeCloseTo(-9.9, 1);
    expect(targetAnglesOf(0.5, 1, { ...DEFAULT_SETUP, distanceCm: 40 }).pitchDeg).toBeCloseTo(-26.6, 1);
  });
});

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

function isWithin(region: ScreenRegion, yawDeg: number, pitchDeg: number): boolean {
  const { across, up } = placeOnScreen(region, yawDeg, pitchDeg);
  return Math.abs(across) <= 1 && Math.abs(up) <= 1;
}

describe.each([
  ['of a stranger', uncalibratedScreenOf],
  ['of a student whose zero is known', knownScreenOf],
])('the region %s', (_name, regionOf) => {
  it.each([
    ['a 13-inch laptop near by', { ...DEFAULT_SETUP, widthCm: 29, heightCm: 18, distanceCm: 40 }],
    ['a 15-inch laptop at arm’s length', DEFAULT_SETUP],
    ['a 24-inch monitor', { ...DEFAULT_SETUP, widthCm: 53, heightCm: 30, distanceCm: 70 }],
  ] satisfies [string, ScreenSetup][])('holds all corners of %s', (_what, setup) => {
    for (const across of [0, 1]) {
      for (const down of [0, 1]) {
        const { yawDeg, pitchDeg } = targetAnglesOf(across, down, setup);
        expect(isWithin(regionOf(setup), yawDeg, pitchDeg)).toBe(true);
      }
    }
  });

  it('is as narrow as the screen is far away', () => {
    const far = regionOf({ ...DEFAULT_SETUP, distanceCm: 90 });
    const near = regionOf({ ...DEFAULT_SETUP, distanceCm: 45 });
    expect(far.halfWidthDeg).toBeLessThan(near.halfWidthDeg - 8);
    expect(isWithin(far, 20, -8)).toBe(false);
    expect(isWithin(near, 20, -8)).toBe(true);
  });

  it('is no narrower than gaze is exact, on a phone', () => {
    const phone = regionOf({ widthCm: 6.4, heightCm: 13.8, belowCameraCm: 1, distanceCm: 32 });
    expect(isWithin(phone, 11, -14)).toBe(true);
    expect(isWithin(phone, 15, -14)).toBe(false);
  });

  it('leaves glances 25° aside off a laptop at arm’s length', () => {
    for (const yawDeg of [-25, 25]) expect(isWithin(regionOf(DEFAULT_SETUP), yawDeg, -10)).toBe(false);
  });
});
