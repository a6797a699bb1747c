import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  CENTRE_VERSION,
  keptCentre,
  learnCentre,
  NO_CENTRE,
  type OwnCentre,
  screenWithCentre,
  storedCentreOf,
} from '../../../shared/focus/own-centre.ts';
import { NO_OPEN_LEVEL } from '../../../shared/vision/open-level.ts';
import { knownScreenOf, uncalibratedScreenOf } from '../../../shared/vision/screen.ts';

const SCREEN = uncalibratedScreenOf();

/** A gaze so many degrees from the screen's middle. */
function gazeAt(yaw: number, pitch: number) {
  return { yawDeg: SCREEN.centerYawDeg + yaw, pitchDeg: SCREEN.centerPitchDeg + pitch };
}

function steadily(yaw: number, pitch: number, ms: number, stepMs: number, from: OwnCentre = NO_CENTRE): OwnCentre {
  let centre = from;
  for (let atMs = 0; atMs < ms; atMs += stepMs) centre = learnCentre(centre, SCREEN, gazeAt(yaw, pitch), stepMs);
  return centre;
}

describe('a student’s own centre', () => {
  it('moves in the first seconds', () => {
    expect(steadily(0, 6, 5000, 100).pitchDeg).toBeGreaterThan(1.5);
    expect(steadily(0, 6, 20_000, 100).pitchDeg).toBeGreaterThan(3.5);
  });

  it('reaches a student who is read 15° too high', () => {
    expect(steadily(2, 15, 3 * 60_000, 200).pitchDeg).toBeGreaterThan(11);
    expect(steadily(2, 15, 10 * 60_000, 200).pitchDeg).toBeCloseTo(15, 0);
  });

  it('is found by a student who begins by looking away', () => {
    const away = steadily(20, -18, 15_000, 200);
    const back = steadily(0, 4, 60_000, 200, away);
    expect(Math.abs(back.yawDeg)).toBeLessThan(2);
    expect(Math.abs(back.pitchDeg - 4)).toBeLessThan(4);
  });

  it('is not drawn by looks beside the screen, however long', () => {
    expect(steadily(35, 0, 20 * 60_000, 200)).toEqual(NO_CENTRE);
    expect(steadily(0, -35, 20 * 60_000, 200)).toEqual(NO_CENTRE);
  });

  it('stays near where a screen can be', () => {
    const angle = fc.double({ min: -60, max: 60, noNaN: true });
    fc.assert(
      fc.property(fc.array(fc.tuple(angle, angle), { maxLength: 200 }), (looks) => {
        const centre = looks.reduce((c, [yaw, pitch]) => learnCentre(c, SCREEN, gazeAt(yaw, pitch), 2000), NO_CENTRE);
        expect(Math.abs(centre.yawDeg)).toBeLessThanOrEqual(6);
        expect(Math.abs(centre.pitchDeg)).toBeLessThanOrEqual(16);
        const stored = { version: CENTRE_VERSION, centre, openLevel: NO_OPEN_LEVEL };
        expect(storedCentreOf(JSON.parse(JSON.stringify(stored)))).toEqual(stored);
      }),
    );
  });

  it('learns the same from the same time, however often it is sampled', () => {
    const seldom = steadily(3, 6, 240_000, 500);
    const often = steadily(3, 6, 240_000, 40);
    expect(Math.abs(seldom.yawDeg - often.yawDeg)).toBeLessThan(0.1);
    expect(Math.abs(seldom.pitchDeg - often.pitchDeg)).toBeLessThan(0.1);
  });

  it('begins another sitting where it was, and follows a new place soon', () => {
    const settled = steadily(0, 10, 20 * 60_000, 200);
    const kept = keptCentre(settled);
    expect(kept.pitchDeg).toBe(settled.pitchDeg);
    expect(steadily(0, 2, 60_000, 200, kept).pitchDeg).toBeLessThan(5);
    expect(steadily(0, 2, 60_000, 200, settled).pitchDeg).toBeGreaterThan(6);
  });

  it('is not read back from anything else', () => {
    for (const centre of [null, {}, { ...NO_CENTRE, pitchDeg: 40 }, { ...NO_CENTRE, extra: 1 }, 'x'])
      expect(storedCentreOf({ version: CENTRE_VERSION, centre, openLevel: NO_OPEN_LEVEL })).toBeNull();
    for (const openLevel of [undefined, {}, { level: 2, learntMs: 0 }])
      expect(storedCentreOf({ version: CENTRE_VERSION, centre: NO_CENTRE, openLevel })).toBeNull();
    expect(storedCentreOf({ version: 2, centre: NO_CENTRE, openLevel: NO_OPEN_LEVEL })).toBeNull();
  });
});

describe('the screen of a student with a centre', () => {
  it('is a stranger’s at first, and lies about the centre once it is known', () => {
    const known = knownScreenOf();
    expect(screenWithCentre(SCREEN, known, NO_CENTRE)).toEqual(SCREEN);
    const centre = { yawDeg: 2, pitchDeg: 9, learntMs: 1e9 };
    const region = screenWithCentre(SCREEN, known, centre);
    expect(region.centerYawDeg).toBe(SCREEN.centerYawDeg + 2);
    expect(region.centerPitchDeg).toBe(SCREEN.centerPitchDeg + 9);
    expect(region.belowDeg).toBeCloseTo(known.belowDeg, 3);
  });
});
