import { describe, expect, it } from 'vitest';
import { eyePitchDegOf } from '../../../shared/vision/eyes.ts';

/** An eye as people have it who look at their laptop's screen. */
const AT_SCREEN = { irisUp: 0.1, upperLid: 0.45, lowerLid: -0.35 };

describe('pitch of an eye', () => {
  it('rises with the iris and falls with the upper lid', () => {
    const pitchDeg = eyePitchDegOf(AT_SCREEN, 0);
    expect(eyePitchDegOf({ ...AT_SCREEN, irisUp: 0.15 }, 0)).toBeGreaterThan(pitchDeg + 2);
    expect(eyePitchDegOf({ ...AT_SCREEN, upperLid: 0.35 }, 0)).toBeLessThan(pitchDeg - 3);
  });

  it('is over the screen when the iris is raised, although the upper lid does not follow', () => {
    expect(eyePitchDegOf({ ...AT_SCREEN, irisUp: 0.3 }, 5)).toBeGreaterThan(5);
    expect(eyePitchDegOf({ ...AT_SCREEN, irisUp: 0.3 }, 5)).toBeLessThan(30);
  });

  it('takes no raised iris for a look up while the head is bowed, where it is the mesh’s noise', () => {
    const lowered = { irisUp: 0.22, upperLid: 0.45, lowerLid: -0.2 };
    expect(eyePitchDegOf(lowered, 4)).toBeGreaterThan(eyePitchDegOf(lowered, -20) + 5);
    expect(-20 + eyePitchDegOf(lowered, -20)).toBeLessThan(-25);
  });

  it('is below the screen when both lids are lowered and the head is bowed, more than the iris tells', () => {
    // As rendered heads have it that look 45° down: the lid hides the iris.
    const lowered = { irisUp: 0.2, upperLid: 0.45, lowerLid: -0.19 };
    expect(eyePitchDegOf(lowered, -24)).toBeLessThan(eyePitchDegOf(lowered, -10) - 8);
  });

  it('takes no frown or squint for a look down: the lower lid alone, with the head up, counts for nothing', () => {
    const frown = { irisUp: 0.15, upperLid: 0.42, lowerLid: -0.12 };
    for (const headPitchDeg of [-10, 0, 10]) {
      const relaxedDeg = eyePitchDegOf({ ...frown, lowerLid: -0.35 }, headPitchDeg);
      expect(eyePitchDegOf(frown, headPitchDeg)).toBeGreaterThanOrEqual(relaxedDeg);
    }
  });

  it('takes no closing lid for a lowered eye', () => {
    const closing = { irisUp: 0.05, upperLid: 0.18, lowerLid: -0.2 };
    expect(eyePitchDegOf(closing, -25)).toBe(eyePitchDegOf({ ...closing, lowerLid: -0.35 }, -25));
  });

  it('has no step: readings rise evenly with the iris at every pitch of the head', () => {
    for (const headPitchDeg of [-15, -5, 0, 10]) {
      let before = eyePitchDegOf({ ...AT_SCREEN, irisUp: -0.2 }, headPitchDeg);
      for (let irisUp = -0.199; irisUp < 0.5; irisUp += 0.001) {
        const pitchDeg = eyePitchDegOf({ ...AT_SCREEN, irisUp }, headPitchDeg);
        expect(pitchDeg).toBeGreaterThan(before);
        expect(pitchDeg - before).toBeLessThan(0.6);
        before = pitchDeg;
      }
    }
  });
});
