import { describe, expect, it } from 'vitest';
import { faceAtScreen } from '../../../harness/observations.ts';
import type { EyeObservation, FaceMeasurement, FaceObservation } from '../../../shared/observation.ts';
import { gazeOf, NO_CORRECTION } from '../../../shared/vision/gaze.ts';
import { PICTURE_FAULTS } from '../../../shared/vision/picture-fault.ts';
import { DEFAULT_SCREEN } from '../../../shared/vision/screen.ts';
import { DEFAULT_CONTEXT, verdictOf } from '../../../shared/vision/verdict.ts';

function eye(values: Partial<EyeObservation> = {}): EyeObservation {
  return { yawDeg: 0, pitchDeg: 0, openness: 0.28, visibility: 1, ...values };
}

function eyes(values: Partial<EyeObservation>): Partial<FaceMeasurement> {
  return { imageLeftEye: eye(values), imageRightEye: eye(values) };
}

function faceOf(change: Partial<FaceMeasurement>): FaceMeasurement {
  const { face } = faceAtScreen({ headPitchDeg: 0, ...eyes({}), ...change });
  if (face === null) throw new Error('a face is expected');
  return face;
}

function directionOf(change: Partial<FaceMeasurement>, rest: Partial<FaceObservation> = {}): string {
  return verdictOf({ ...faceAtScreen(), face: faceOf(change), ...rest }).direction;
}

describe('gaze', () => {
  it('is the head’s direction when the eyes look straight out of it', () => {
    const gaze = gazeOf(faceOf({ headYawDeg: 20, headPitchDeg: -10, headRollDeg: 15 }));
    expect(gaze.yawDeg).toBeCloseTo(20, 9);
    expect(gaze.pitchDeg).toBeCloseTo(-10, 9);
  });

  it('is back at the camera when the eyes turn against the head', () => {
    const gaze = gazeOf(faceOf({ headYawDeg: 15, ...eyes({ yawDeg: -15 }) }));
    expect(gaze.yawDeg).toBeCloseTo(0, 9);
  });

  it('turns with a tilted head: eyes to the head’s right look down in the picture when it tilts clockwise', () => {
    const gaze = gazeOf(faceOf({ headRollDeg: 90, ...eyes({ yawDeg: 20 }) }));
    expect(gaze.yawDeg).toBeCloseTo(0, 6);
    expect(gaze.pitchDeg).toBeCloseTo(-20, 6);
  });

  it('weighs the eyes by how well each is seen', () => {
    const both = { imageLeftEye: eye({ yawDeg: 30 }), imageRightEye: eye({ yawDeg: 0 }) };
    expect(gazeOf(faceOf(both)).yawDeg).toBeCloseTo(15, 6);
    const hidden = { ...both, imageRightEye: eye({ visibility: 0 }) };
    expect(gazeOf(faceOf(hidden)).yawDeg).toBeCloseTo(30, 6);
    const shut = { ...both, imageRightEye: eye({ openness: 0.02 }) };
    expect(gazeOf(faceOf(shut)).yawDeg).toBeCloseTo(30, 6);
  });

  it('falls back on the head when no eye is seen, and says so', () => {
    const gaze = gazeOf(faceOf({ headYawDeg: 8, ...eyes({ yawDeg: 25, visibility: 0 }) }));
    expect(gaze.yawDeg).toBeCloseTo(8, 9);
    expect(gaze.eyeWeight).toBe(0);
    expect(gaze.eyeDifferenceDeg).toBeNull();
  });

  it('corrects the eyes’ part alone by the gains', () => {
    const face = faceOf({ headYawDeg: 10, ...eyes({ yawDeg: 10 }) });
    const eyeCorrection = { ...NO_CORRECTION.imageLeftEye, yawGain: 1.5 };
    const correction = {
      imageLeftEye: eyeCorrection,
      imageRightEye: eyeCorrection,
      placeYawDeg: 2,
      placePitchDeg: -1,
    };
    const gaze = gazeOf(face, correction);
    expect(gaze.yawDeg).toBeCloseTo(10 + 15 + 2, 9);
    expect(gaze.pitchDeg).toBeCloseTo(-1, 9);
  });
});

describe('the geometric rule', () => {
  it('calls the screen’s middle, its edges and the camera centered', () => {
    for (const [yawDeg, pitchDeg] of [
      [0, -10],
      [0, 0],
      [-17, -10],
      [17, -10],
      [0, -26],
    ] as const) {
      expect(directionOf({ headYawDeg: yawDeg, headPitchDeg: pitchDeg })).toBe('centered');
    }
  });

  it('gives hidden eyes no direction, and a head that is turned away its own', () => {
    expect(directionOf(eyes({ visibility: 0.05 }))).toBe('unknown');
    expect(directionOf(eyes({ visibility: 0.05, openness: 0.02 }))).toBe('unknown');
    expect(directionOf({ headYawDeg: 25, ...eyes({ visibility: 0.05 }) })).toBe('unknown');
    expect(directionOf({ headPitchDeg: -25, ...eyes({ visibility: 0.05 }) })).toBe('unknown');
    expect(directionOf({ headYawDeg: 45, ...eyes({ visibility: 0.05 }) })).toBe('looking_right');
  });

  it('wants eyes more shut before it calls them closed when they are seen from the side or from above', () => {
    expect(directionOf(eyes({ openness: 0.07 }))).toBe('eyes_closed');
    expect(directionOf({ headYawDeg: 42, ...eyes({ openness: 0.07 }) })).toBe('looking_right');
    expect(directionOf({ headPitchDeg: -26, ...eyes({ openness: 0.07 }) })).toBe('looking_down');
    expect(directionOf({ headPitchDeg: -26, ...eyes({ openness: 0.03 }) })).toBe('eyes_closed');
  });

  it('takes narrow eyes for open, also when both seem to look at the nose, as they do in compressed pictures', () => {
    const narrow = (leftYawDeg: number, rightYawDeg: number): Partial<FaceMeasurement> => ({
      imageLeftEye: eye({ yawDeg: leftYawDeg, openness: 0.12 }),
      imageRightEye: eye({ yawDeg: rightYawDeg, openness: 0.12 }),
    });
    expect(directionOf(narrow(15, -15))).toBe('centered');
    expect(directionOf(narrow(0, 0))).toBe('centered');
    expect(directionOf({ headPitchDeg: -34, ...narrow(2, -2) })).toBe('looking_down');
  });

  it('takes a look at a corner of the screen for one at the screen', () => {
    const { halfWidthDeg, aboveDeg, centerPitchDeg } = DEFAULT_SCREEN;
    const lookAt = (across: number, up: number): string =>
      directionOf(eyes({ yawDeg: across * halfWidthDeg, pitchDeg: centerPitchDeg + up * aboveDeg }));
    expect(lookAt(0.9, 0.9)).toBe('centered');
    expect(lookAt(1.05, 0.9)).toBe('looking_right');
    expect(lookAt(0.9, 1.1)).toBe('looking_up');
  });

  it('goes by the pixels of narrow eyes where they were judged', () => {
    const narrow = (openness: number, shut: number): Partial<FaceMeasurement> => ({
      imageLeftEye: eye({ yawDeg: 15, openness, shut }),
      imageRightEye: eye({ yawDeg: -15, openness, shut }),
    });
    expect(directionOf(narrow(0.14, 0.05))).not.toBe('eyes_closed');
    expect(directionOf(narrow(0.14, 0.95))).toBe('eyes_closed');
    expect(directionOf(narrow(0.02, 0.05))).toBe('eyes_closed');
    expect(directionOf(narrow(0.5, 0.95))).not.toBe('eyes_closed');
  });

  it('judges how far eyes are open against the student’s own eyes', () => {
    const face = faceOf(eyes({ openness: 0.08 }));
    const said = (openShare: number) =>
      verdictOf({ ...faceAtScreen(), face }, { ...DEFAULT_CONTEXT, openShare }).direction;
    expect(said(1)).toBe('eyes_closed');
    expect(said(0.7)).not.toBe('eyes_closed');
  });

  it('names the axis on which the gaze leaves the screen furthest, by image side', () => {
    expect(directionOf(eyes({ yawDeg: -25 }))).toBe('looking_left');
    expect(directionOf(eyes({ yawDeg: 25 }))).toBe('looking_right');
    expect(directionOf({ headPitchDeg: 20, ...eyes({ pitchDeg: 8 }) })).toBe('looking_up');
    expect(directionOf({ headPitchDeg: -25, ...eyes({ pitchDeg: -8 }) })).toBe('looking_down');
    expect(directionOf({ headYawDeg: -20, headPitchDeg: -45 })).toBe('looking_down');
    expect(directionOf({ headYawDeg: -28, headPitchDeg: -22 })).toBe('looking_left');
  });

  it('lets the head turn by 15° while the eyes stay on the screen', () => {
    for (const headYawDeg of [-15, 15]) {
      expect(directionOf({ headYawDeg, ...eyes({ yawDeg: -headYawDeg }) })).toBe('centered');
    }
  });

  it('goes by the head alone where it is bowed or thrown back so far that eyes are made up', () => {
    expect(directionOf({ headPitchDeg: -44, ...eyes({ pitchDeg: 40 }) })).toBe('looking_down');
    expect(directionOf({ headPitchDeg: -44, ...eyes({ openness: 0.02 }) })).toBe('looking_down');
    expect(directionOf({ headPitchDeg: 48, ...eyes({ pitchDeg: -45 }) })).toBe('looking_up');
    expect(directionOf({ headPitchDeg: -44, headYawDeg: 50 })).toBe('looking_right');
    expect(directionOf({ headPitchDeg: -36, ...eyes({ pitchDeg: 30 }) })).toBe('centered');
  });

  it('puts closed eyes before a turned head', () => {
    expect(directionOf({ headYawDeg: 50, ...eyes({ openness: 0.03 }) })).toBe('eyes_closed');
  });

  it('says to which side a turned head looks, and face_turned while the eyes may still be on the screen', () => {
    expect(directionOf({ headYawDeg: 36 })).toBe('looking_right');
    expect(directionOf({ headYawDeg: -36, headPitchDeg: -42 })).toBe('looking_left');
    expect(directionOf({ headYawDeg: -36, ...eyes({ yawDeg: 30 }) })).toBe('face_turned');
    expect(directionOf({ headYawDeg: 36, ...eyes({ yawDeg: -60 }) })).toBe('face_turned');
    expect(directionOf({ headYawDeg: -60, ...eyes({ yawDeg: 50 }) })).toBe('looking_left');
  });

  it('calls no wink closed', () => {
    const wink = { imageLeftEye: eye({ yawDeg: 20, openness: 0 }), imageRightEye: eye({ openness: 0.29 }) };
    expect(directionOf(wink)).toBe('centered');
    const byPixels = {
      imageLeftEye: eye({ yawDeg: 20, openness: 0.05, shut: 1 }),
      imageRightEye: eye({ openness: 0.29, shut: 0.02 }),
    };
    expect(directionOf(byPixels)).toBe('centered');
  });

  it('takes a head for turned from where the screen is, not from the camera', () => {
    const face = faceOf({ headYawDeg: 40, headPitchDeg: -5 });
    const beside = { ...DEFAULT_CONTEXT, correction: { ...NO_CORRECTION, placeYawDeg: -38 } };
    expect(verdictOf({ ...faceAtScreen(), face }, beside).direction).toBe('centered');
    expect(verdictOf({ ...faceAtScreen(), face: faceOf({ headYawDeg: 0 }) }, beside).direction).toBe('looking_left');
  });

  it('judges closed eyes by those that are seen', () => {
    const hiddenAndShut = eye({ openness: 0.02, visibility: 0.05 });
    expect(directionOf({ imageLeftEye: hiddenAndShut, imageRightEye: eye() })).toBe('centered');
  });

  it('rounds the screen’s corners', () => {
    const { halfWidthDeg, aboveDeg, centerPitchDeg } = DEFAULT_SCREEN;
    const corner = (across: number, up: number) =>
      directionOf({ headYawDeg: halfWidthDeg * across, headPitchDeg: centerPitchDeg + aboveDeg * up });
    expect(corner(0.8, 0.8)).toBe('centered');
    expect(corner(0.98, 0.9)).toBe('looking_right');
    expect(corner(0.9, 0.98)).toBe('looking_up');
  });

  it('is no_face without a face, but unknown in the dark and where the picture shows nothing', () => {
    expect(verdictOf({ ...faceAtScreen(), face: null }).direction).toBe('no_face');
    for (const fault of PICTURE_FAULTS) {
      const verdict = verdictOf({ ...faceAtScreen(), face: null, fault });
      expect(verdict).toMatchObject({ direction: 'unknown', reason: fault });
    }
    expect(verdictOf({ ...faceAtScreen(), face: null, brightness: 0.01 }).direction).toBe('unknown');
  });

  it('is unknown where the frame is too poor to say', () => {
    expect(directionOf({ score: 0.4 })).toBe('unknown');
    expect(directionOf({ interOcularPx: 12 })).toBe('unknown');
    expect(directionOf({ fitResidual: 0.2 })).toBe('unknown');
    expect(directionOf({}, { brightness: 0.02 })).toBe('unknown');
    expect(directionOf({}, { sharpness: 0.005 })).toBe('unknown');
  });

  it('reads a far open eye as open', () => {
    expect(directionOf({ interOcularPx: 22 })).toBe('centered');
  });

  it('is surer in the middle of the screen than at its edge, and less sure of a poor frame', () => {
    const sureness = (change: Partial<FaceMeasurement>): number =>
      verdictOf({ ...faceAtScreen(), face: faceOf({ headPitchDeg: -5, ...change }) }).confidence;
    expect(sureness({})).toBeGreaterThan(0.9);
    expect(sureness({ headYawDeg: 14 })).toBeLessThan(sureness({ headYawDeg: 5 }));
    expect(sureness({ score: 0.6 })).toBeLessThan(sureness({}));
    const blurred = verdictOf({ ...faceAtScreen(), face: faceOf({ headPitchDeg: -5 }), sharpness: 0.02 });
    expect(blurred.confidence).toBeLessThan(sureness({}));
    const crossed = { imageLeftEye: eye({ yawDeg: 25 }), imageRightEye: eye({ yawDeg: -25 }) };
    expect(sureness(crossed)).toBeLessThan(sureness({}));
  });

  it('holds on to the direction that holds at the border', () => {
    const border = { ...faceAtScreen(), face: faceOf({ headYawDeg: DEFAULT_SCREEN.halfWidthDeg, headPitchDeg: -5 }) };
    expect(verdictOf(border, { ...DEFAULT_CONTEXT, held: 'centered' }).direction).toBe('centered');
    expect(verdictOf(border, { ...DEFAULT_CONTEXT, held: 'looking_right' }).direction).toBe('looking_right');
  });
});
