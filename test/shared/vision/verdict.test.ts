import { describe, expect, it } from 'vitest';
import type { EyeObservation, FaceMeasurement, FaceObservation } from '../../../shared/observation.ts';
import { gazeOf } from '../../../shared/vision/gaze.ts';
import { DEFAULT_SCREEN } from '../../../shared/vision/screen.ts';
import { DEFAULT_CONTEXT, verdictOf } from '../../../shared/vision/verdict.ts';
import { faceSeen } from '../focus/signal.ts';

function eye(values: Partial<EyeObservation> = {}): EyeObservation {
  return { yawDeg: 0, pitchDeg: 0, openness: 0.28, visibility: 1, ...values };
}

function eyes(values: Partial<EyeObservation>): Partial<FaceMeasurement> {
  return { imageLeftEye: eye(values), imageRightEye: eye(values) };
}

function faceOf(change: Partial<FaceMeasurement>): FaceMeasurement {
  const { face } = faceSeen({ headPitchDeg: 0, ...eyes({}), ...change });
  if (face === null) throw new Error('a face is expected');
  return face;
}

function directionOf(change: Partial<FaceMeasurement>, rest: Partial<FaceObservation> = {}): string {
  return verdictOf({ ...faceSeen(), face: faceOf(change), ...rest }).direction;
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
    const correction = { eyeYawGain: 1.5, eyePitchGain: 1, yawOffsetDeg: 2, pitchOffsetDeg: -1 };
    const gaze = gazeOf(face, correction);
    expect(gaze.yawDeg).toBeCloseTo(10 + 15 + 2, 9);
    expect(gaze.pitchDeg).toBeCloseTo(-1, 9);
  });
});

describe('the geometric rule', () => {
  it('calls the screen’s middle, its edges and the camera centered', () => {
    for (const [yawDeg, pitchDeg] of [
      [0, -5],
      [0, 0],
      [-13, -5],
      [13, -5],
      [0, -16],
      [0, 11],
    ] as const) {
      expect(directionOf({ headYawDeg: yawDeg, headPitchDeg: pitchDeg })).toBe('centered');
    }
  });

  it('takes a head towards the screen with hidden eyes for unknown, never for focused, and a turned one for what it is', () => {
    expect(directionOf(eyes({ visibility: 0.05 }))).toBe('unknown');
    expect(directionOf({ headYawDeg: 25, ...eyes({ visibility: 0.05 }) })).toBe('looking_right');
    expect(directionOf({ headYawDeg: 45, ...eyes({ visibility: 0.05 }) })).toBe('face_turned');
  });

  it('wants eyes more shut before it calls them closed when they are seen from the side or from above', () => {
    expect(directionOf(eyes({ openness: 0.12 }))).toBe('eyes_closed');
    expect(directionOf({ headYawDeg: 42, ...eyes({ openness: 0.12 }) })).toBe('face_turned');
    expect(directionOf({ headPitchDeg: -26, ...eyes({ openness: 0.12 }) })).toBe('looking_down');
    expect(directionOf({ headPitchDeg: -26, ...eyes({ openness: 0.05 }) })).toBe('eyes_closed');
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

  it('puts closed eyes before a turned head, and a turned head before where it looks', () => {
    expect(directionOf({ headYawDeg: 50, ...eyes({ openness: 0.03 }) })).toBe('eyes_closed');
    expect(directionOf({ headYawDeg: 50, headPitchDeg: -50 })).toBe('face_turned');
    expect(directionOf({ headYawDeg: -50, ...eyes({ yawDeg: 50 }) })).toBe('face_turned');
  });

  it('judges closed eyes by those that are seen', () => {
    const hiddenAndShut = eye({ openness: 0.02, visibility: 0.05 });
    expect(directionOf({ imageLeftEye: hiddenAndShut, imageRightEye: eye() })).toBe('centered');
  });

  it('is distracted past a corner of the screen, where neither axis is beyond its own limit', () => {
    const { halfWidthDeg, aboveDeg, centerPitchDeg } = DEFAULT_SCREEN;
    const corner = { headYawDeg: halfWidthDeg * 0.95, headPitchDeg: centerPitchDeg + aboveDeg * 0.95 };
    expect(directionOf(corner)).toBe('distracted');
  });

  it('is no_face without a face, but unknown in the dark', () => {
    expect(verdictOf({ ...faceSeen(), face: null }).direction).toBe('no_face');
    expect(verdictOf({ ...faceSeen(), face: null, brightness: 0.01 }).direction).toBe('unknown');
  });

  it('is unknown where the frame is too poor to say', () => {
    expect(directionOf({ score: 0.4 })).toBe('unknown');
    expect(directionOf({ interOcularPx: 12 })).toBe('unknown');
    expect(directionOf({ fitResidual: 0.2 })).toBe('unknown');
    expect(directionOf({}, { brightness: 0.02 })).toBe('unknown');
  });

  it('reads a far open eye as open', () => {
    expect(directionOf({ interOcularPx: 22 })).toBe('centered');
  });

  it('is surer in the middle of the screen than at its edge, and less sure of a poor frame', () => {
    const sureness = (change: Partial<FaceMeasurement>): number =>
      verdictOf({ ...faceSeen(), face: faceOf({ headPitchDeg: -5, ...change }) }).confidence;
    expect(sureness({})).toBeGreaterThan(0.9);
    expect(sureness({ headYawDeg: 14 })).toBeLessThan(sureness({ headYawDeg: 5 }));
    expect(sureness({ score: 0.6 })).toBeLessThan(sureness({}));
    const crossed = { imageLeftEye: eye({ yawDeg: 25 }), imageRightEye: eye({ yawDeg: -25 }) };
    expect(sureness(crossed)).toBeLessThan(sureness({}));
  });

  it('holds on to the direction that holds at the border', () => {
    const border = { ...faceSeen(), face: faceOf({ headYawDeg: DEFAULT_SCREEN.halfWidthDeg, headPitchDeg: -5 }) };
    expect(verdictOf(border, { ...DEFAULT_CONTEXT, held: 'centered' }).direction).toBe('centered');
    expect(verdictOf(border, { ...DEFAULT_CONTEXT, held: 'looking_right' }).direction).toBe('looking_right');
  });
});
