import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { faceAtScreen } from '../../../harness/observations.ts';
import type { RelayError } from '../../../shared/errors.ts';
import {
  type CalibrationPoint,
  calibrationOf,
  carriedOver,
  fitCalibration,
} from '../../../shared/focus/calibration.ts';
import { createFocusTracker, observeSample, readingOf } from '../../../shared/focus/tracker.ts';
import type { FaceMeasurement } from '../../../shared/observation.ts';
import { gazeOf } from '../../../shared/vision/gaze.ts';
import { DEFAULT_SETUP, targetAnglesOf } from '../../../shared/vision/screen.ts';

const PLACES = [
  [0.5, 0.5],
  [0.1, 0.1],
  [0.9, 0.1],
  [0.1, 0.9],
  [0.9, 0.9],
] as const;

/** A student whose eyes are read with a gain and whose gaze is read with an offset. */
interface Student {
  readonly yawGain: number;
  readonly pitchGain: number;
  readonly yawOffset: number;
  readonly pitchOffset: number;
}

/** The face measured of a student who looks at (yaw, pitch) with the head turned by headYaw. */
function faceOf(student: Student, yawDeg: number, pitchDeg: number, headYawDeg = 0): FaceMeasurement {
  const eye = {
    yawDeg: (yawDeg - headYawDeg) * student.yawGain + student.yawOffset,
    pitchDeg: pitchDeg * student.pitchGain + student.pitchOffset,
    openness: 0.3,
    visibility: 1,
  };
  const { face } = faceAtScreen({ headYawDeg, headPitchDeg: 0, imageLeftEye: eye, imageRightEye: eye });
  if (face === null) throw new Error('a face is expected');
  return face;
}

function calibrate(student: Student, headYaws: readonly number[] = [0]): ReturnType<typeof fitCalibration> {
  const points = PLACES.map(([across, down]): CalibrationPoint => {
    const { yawDeg, pitchDeg } = targetAnglesOf(across, down);
    const faces = headYaws.flatMap((head) => [1, 2, 3].map(() => faceOf(student, yawDeg, pitchDeg, head)));
    return { targetYawDeg: yawDeg, targetPitchDeg: pitchDeg, faces };
  });
  return fitCalibration(points, DEFAULT_SETUP);
}

const anyStudent = fc.record({
  yawGain: fc.double({ min: 0.8, max: 1.25, noNaN: true }),
  pitchGain: fc.double({ min: 0.8, max: 1.25, noNaN: true }),
  yawOffset: fc.double({ min: -8, max: 8, noNaN: true }),
  pitchOffset: fc.double({ min: -10, max: 10, noNaN: true }),
});

describe('a five-point calibration', () => {
  it('takes out a student’s own zero and most of their own gain', () => {
    fc.assert(
      fc.property(anyStudent, (student) => {
        const { correction } = calibrate(student);
        for (const [across, down] of PLACES) {
          const target = targetAnglesOf(across, down);
          const seen = gazeOf(faceOf(student, target.yawDeg, target.pitchDeg), correction);
          expect(Math.abs(seen.yawDeg - target.yawDeg)).toBeLessThan(3);
          expect(Math.abs(seen.pitchDeg - target.pitchDeg)).toBeLessThan(3);
        }
      }),
    );
  });

  it('still holds when the head turns afterwards', () => {
    fc.assert(
      fc.property(anyStudent, fc.integer({ min: -15, max: 15 }), (student, headYawDeg) => {
        const { correction } = calibrate(student);
        const seen = gazeOf(faceOf(student, 5, -8, headYawDeg), correction);
        expect(Math.abs(seen.yawDeg - 5)).toBeLessThan(4.5);
        expect(Math.abs(seen.pitchDeg + 8)).toBeLessThan(3);
      }),
    );
  });

  it('holds gains near 1 when the points were followed with the head alone', () => {
    const student = { yawGain: 1, pitchGain: 1, yawOffset: 2, pitchOffset: 0 };
    const points = PLACES.map(([across, down]): CalibrationPoint => {
      const { yawDeg, pitchDeg } = targetAnglesOf(across, down);
      const face = faceOf(student, yawDeg, pitchDeg, yawDeg);
      return { targetYawDeg: yawDeg, targetPitchDeg: pitchDeg, faces: [face, face, face] };
    });
    const { correction } = fitCalibration(points, DEFAULT_SETUP);
    expect(Math.abs(correction.imageLeftEye.yawGain - 1)).toBeLessThan(0.05);
    expect(correction.placeYawDeg).toBeCloseTo(-2, 0);
  });

  it('says how well each point is predicted from the others, and so tells a good one from a bad one', () => {
    const good = calibrate({ yawGain: 1, pitchGain: 1, yawOffset: 3, pitchOffset: 3 });
    expect(good.validationYawDeg).toBeLessThan(2);
    expect(good.validationPitchDeg).toBeLessThan(2);
    const student = { yawGain: 1, pitchGain: 1, yawOffset: 0, pitchOffset: 0 };
    const points = PLACES.map(([across, down], i): CalibrationPoint => {
      const { yawDeg, pitchDeg } = targetAnglesOf(across, down);
      const face = faceOf(student, i === 1 ? -40 : yawDeg, pitchDeg);
      return { targetYawDeg: yawDeg, targetPitchDeg: pitchDeg, faces: [face, face, face] };
    });
    expect(fitCalibration(points, DEFAULT_SETUP).validationYawDeg).toBeGreaterThan(10);
  });

  it('is not made of too little', () => {
    const face = faceOf({ yawGain: 1, pitchGain: 1, yawOffset: 0, pitchOffset: 0 }, 0, 0);
    const point = { targetYawDeg: 0, targetPitchDeg: 0, faces: [face, face, face] };
    const thin = { ...point, faces: [face] };
    expect(() => fitCalibration([point, point, thin], DEFAULT_SETUP)).toThrowError(
      expect.objectContaining({ code: 'calibration_too_few' }) as RelayError,
    );
    expect(fitCalibration([point, point, point], DEFAULT_SETUP).validationYawDeg).toBeNull();
  });

  it('moves the screen that a session judges by', () => {
    const student = { yawGain: 1, pitchGain: 1, yawOffset: 20, pitchOffset: 5 };
    const seen = { ...faceAtScreen(), face: faceOf(student, 0, -8) };
    const judged = (calibration: ReturnType<typeof calibrate> | null): string => {
      let state = createFocusTracker({ rule: 'geometric', calibration });
      for (let atMs = 100; atMs <= 2000; atMs += 100) state = observeSample(state, { atMs, observation: seen });
      return readingOf(state).direction;
    };
    expect(judged(calibrate(student))).toBe('centered');
    expect(judged(null)).not.toBe('centered');
  });
});

describe('readings of a turning head', () => {
  /** A student whose eyes are read 20 % too near the middle of the head, which a still head hides: dots lie near the middle. */
  const student = { yawGain: 0.8, pitchGain: 1, yawOffset: 0, pitchOffset: 0 };
  const five = () =>
    PLACES.map(([across, down]): CalibrationPoint => {
      const { yawDeg, pitchDeg } = targetAnglesOf(across, down);
      const face = faceOf(student, yawDeg, pitchDeg);
      return { targetYawDeg: yawDeg, targetPitchDeg: pitchDeg, faces: [face, face, face] };
    });
  const turning = (turnedDeg: readonly number[]): CalibrationPoint => {
    const { yawDeg, pitchDeg } = targetAnglesOf(0.5, 0.5);
    const faces = turnedDeg.flatMap((head) => [1, 2, 3].map(() => faceOf(student, yawDeg, pitchDeg, head)));
    return { targetYawDeg: yawDeg, targetPitchDeg: pitchDeg, faces };
  };
  const errorDeg = (headYawDeg: number, turned: CalibrationPoint | null): number => {
    const { correction } = fitCalibration(five(), DEFAULT_SETUP, turned);
    return Math.abs(gazeOf(faceOf(student, 0, -8, headYawDeg), correction).yawDeg);
  };

  it('make the calibration hold better when the head turns afterwards', () => {
    const turned = turning([-20, -12, 0, 12, 20]);
    for (const headYawDeg of [-18, 18])
      expect(errorDeg(headYawDeg, turned)).toBeLessThan(errorDeg(headYawDeg, null) - 0.5);
  });

  it('change nothing while there are too few of them, and take no part in the calibration’s own error', () => {
    const [face] = turning([15]).faces;
    const few = { ...turning([]), faces: face === undefined ? [] : [face, face] };
    expect(fitCalibration(five(), DEFAULT_SETUP, few)).toEqual(fitCalibration(five(), DEFAULT_SETUP));
    const wild = { ...turning([-20, 0, 20]), targetYawDeg: 30 };
    const { validationYawDeg } = fitCalibration(five(), DEFAULT_SETUP, wild);
    expect(validationYawDeg).toBeLessThan(8);
  });
});

describe('a calibration with one eye that does not follow', () => {
  /** A student with one eye that always looks ahead, or nowhere in particular. */
  function calibrateOneEye(still: (i: number) => number): ReturnType<typeof fitCalibration> {
    const student = { yawGain: 1, pitchGain: 1, yawOffset: 1, pitchOffset: 0 };
    const points = PLACES.map(([across, down], i): CalibrationPoint => {
      const { yawDeg, pitchDeg } = targetAnglesOf(across, down);
      const face = faceOf(student, yawDeg, pitchDeg);
      const blind = { ...face, imageLeftEye: { ...face.imageLeftEye, yawDeg: still(i), pitchDeg: 5 } };
      return { targetYawDeg: yawDeg, targetPitchDeg: pitchDeg, faces: [blind, blind, blind] };
    });
    return fitCalibration(points, DEFAULT_SETUP);
  }

  it.each([
    ['looks ahead', () => 0],
    ['looks aside', () => 20],
    ['wanders', (i: number) => [25, -20, 10, -30, 0][i] ?? 0],
  ])('goes by the other one when it %s', (_how, still) => {
    const { correction, validationYawDeg, validationPitchDeg } = calibrateOneEye(still);
    expect(correction.imageLeftEye.weight).toBeLessThan(0.35);
    expect(correction.imageRightEye.weight).toBe(1);
    expect(validationYawDeg).toBeLessThan(5);
    expect(validationPitchDeg).toBeLessThan(4);
  });
});

describe('a calibration in another sitting', () => {
  it('keeps the eyes and believes the place in part, the more the further off it is', () => {
    const at = (placePitchDeg: number) => {
      const calibration = calibrate({ yawGain: 1.1, pitchGain: 0.9, yawOffset: 0, pitchOffset: 0 });
      return { ...calibration, correction: { ...calibration.correction, placePitchDeg } };
    };
    const near = carriedOver(at(3));
    expect(near.correction.imageLeftEye).toEqual(at(3).correction.imageLeftEye);
    expect(near.correction.placePitchDeg).toBeGreaterThan(0);
    expect(near.correction.placePitchDeg).toBeLessThan(1.5);
    expect(carriedOver(at(20)).correction.placePitchDeg).toBeGreaterThan(18);
  });
});

describe('a stored calibration', () => {
  it('comes back from JSON as it was', () => {
    const calibration = calibrate({ yawGain: 0.9, pitchGain: 1.1, yawOffset: 2, pitchOffset: -3 });
    expect(calibrationOf(JSON.parse(JSON.stringify(calibration)))).toEqual(calibration);
  });

  it('is not used when it is of another version or not a calibration', () => {
    const calibration = calibrate({ yawGain: 1, pitchGain: 1, yawOffset: 0, pitchOffset: 0 });
    for (const other of [
      { ...calibration, version: 1 },
      { ...calibration, correction: { ...calibration.correction, placeYawDeg: 91 } },
      { ...calibration, extra: 1 },
      null,
      'x',
      {},
    ]) {
      expect(calibrationOf(other)).toBeNull();
    }
  });
});
