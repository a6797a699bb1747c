import { describe, expect, it } from 'vitest';
import type { RelayError } from '../../../shared/errors.ts';
import type { FrameSize } from '../../../shared/geometry.ts';
import { measureFace, NOD_GAIN } from '../../../shared/vision/observe.ts';
import { DEFAULT_DIAGONAL_FOV_DEG, focalLengthPx, headPoseOf } from '../../../shared/vision/pose.ts';
import { faceWith, renderFace, type SyntheticFace } from '../../support/synthetic-face.ts';

const VGA: FrameSize = { widthPx: 640, heightPx: 480 };
const HD: FrameSize = { widthPx: 1280, heightPx: 720 };
const ROI = { centerXPx: 320, centerYPx: 240, sizePx: 300, rotationRad: 0 };

const measure = (face: SyntheticFace) => measureFace(renderFace(face), 1, face.frame, ROI);

const ANGLES = [-30, -15, 0, 15, 30];

describe('head pose of an exactly projected face', () => {
  for (const frame of [VGA, HD]) {
    for (const distanceCm of [40, 60, 90]) {
      it(`is within 1° on every axis at ${distanceCm} cm in ${frame.widthPx}×${frame.heightPx}`, () => {
        for (const yawDeg of ANGLES) {
          for (const pitchDeg of ANGLES) {
            for (const rollDeg of ANGLES) {
              const seen = measure(faceWith({ yawDeg, pitchDeg, rollDeg, distanceCm, frame }));
              expect(Math.abs(seen.headYawDeg - yawDeg)).toBeLessThan(1);
              expect(Math.abs(seen.headPitchDeg / NOD_GAIN - pitchDeg)).toBeLessThan(1);
              expect(Math.abs(seen.headRollDeg - rollDeg)).toBeLessThan(1);
              expect(seen.fitResidual).toBeLessThan(0.005);
            }
          }
        }
      });
    }
  }

  it('does not depend on where in the frame the face is', () => {
    for (const centerX of [0.2, 0.5, 0.8]) {
      for (const centerY of [0.3, 0.7]) {
        for (const yawDeg of [-20, 0, 20]) {
          const seen = measure(faceWith({ centerX, centerY, yawDeg }));
          expect(Math.abs(seen.headYawDeg - yawDeg)).toBeLessThan(1);
          expect(Math.abs(seen.headPitchDeg)).toBeLessThan(1);
        }
      }
    }
  });

  it('gives the distance from the camera', () => {
    for (const distanceCm of [40, 60, 90]) {
      expect(headPoseOf(renderFace(faceWith({ distanceCm, yawDeg: 20 })), VGA).distanceCm).toBeCloseTo(distanceCm, 0);
    }
  });

  it('is off by under 2° for cameras that see 10° more or less than is assumed', () => {
    for (const fovDeg of [DEFAULT_DIAGONAL_FOV_DEG - 10, DEFAULT_DIAGONAL_FOV_DEG + 10]) {
      for (const yawDeg of ANGLES) {
        const face = faceWith({ yawDeg, pitchDeg: -10, distanceCm: 50, focalPx: focalLengthPx(VGA, fovDeg) });
        const seen = measure(face);
        expect(Math.abs(seen.headYawDeg - yawDeg)).toBeLessThan(2);
        expect(Math.abs(seen.headPitchDeg / NOD_GAIN + 10)).toBeLessThan(2);
      }
    }
  });

  it('has a residual that grows when the points do not form a face', () => {
    const landmarks = renderFace(faceWith({}));
    for (const index of [4, 129, 358]) landmarks[index * 3 + 1] = (landmarks[index * 3 + 1] ?? 0) - 40;
    expect(measureFace(landmarks, 1, VGA, ROI).fitResidual).toBeGreaterThan(0.08);
  });
});

describe('eye-in-head angles of an exactly projected face', () => {
  it('are within 2° for a head that faces the camera', () => {
    for (const eyeYawDeg of [-25, -10, 0, 10, 25]) {
      for (const eyePitchDeg of [-15, 0, 15]) {
        for (const distanceCm of [40, 90]) {
          const seen = measure(faceWith({ eyeYawDeg, eyePitchDeg, distanceCm }));
          for (const eye of [seen.imageLeftEye, seen.imageRightEye]) {
            expect(Math.abs(eye.yawDeg - eyeYawDeg)).toBeLessThan(2);
            expect(Math.abs(eye.pitchDeg - eyePitchDeg)).toBeLessThan(2);
          }
        }
      }
    }
  });

  it('stay within 4° of what they are straight on while the head turns, nods and tilts by up to 20°', () => {
    const eyes = { eyeYawDeg: 12, eyePitchDeg: 0, lids: 1.5 };
    const straight = measure(faceWith(eyes));
    for (const yawDeg of [-20, 0, 20]) {
      for (const pitchDeg of [-20, 0, 20]) {
        for (const rollDeg of [-20, 0, 20]) {
          const seen = measure(faceWith({ yawDeg, pitchDeg, rollDeg, ...eyes }));
          for (const eye of ['imageLeftEye', 'imageRightEye'] as const) {
            expect(Math.abs(seen[eye].yawDeg - straight[eye].yawDeg)).toBeLessThan(4);
            expect(Math.abs(seen[eye].pitchDeg - straight[eye].pitchDeg)).toBeLessThan(4);
          }
        }
      }
    }
  });

  it('are read lower when the upper lid has dropped, up to a closing eye', () => {
    const pitchAt = (lids: number) => measure(faceWith({ lids })).imageLeftEye.pitchDeg;
    expect(pitchAt(1)).toBeLessThan(pitchAt(1.6) - 1);
    expect(pitchAt(0)).toBeGreaterThan(pitchAt(1.6) - 12);
  });
});

describe('openness', () => {
  it('is the lid gap over the eye width, whatever the distance, the frame and the turn of the head', () => {
    const straight = measure(faceWith({ lids: 1 })).imageLeftEye.openness;
    expect(straight).toBeGreaterThan(0.22);
    expect(straight).toBeLessThan(0.26);
    for (const frame of [VGA, HD]) {
      for (const distanceCm of [40, 90]) {
        for (const yawDeg of [-25, 0, 25]) {
          for (const pitchDeg of [-15, 0, 15]) {
            const seen = measure(faceWith({ lids: 1, frame, distanceCm, yawDeg, pitchDeg }));
            for (const eye of [seen.imageLeftEye, seen.imageRightEye]) {
              expect(Math.abs(eye.openness - straight)).toBeLessThan(0.04);
            }
          }
        }
      }
    }
  });

  it('goes to 0 in proportion as the lids close', () => {
    const open = measure(faceWith({ lids: 1 })).imageRightEye.openness;
    for (const lids of [0, 0.25, 0.5, 0.75]) {
      expect(measure(faceWith({ lids })).imageRightEye.openness).toBeCloseTo(open * lids, 2);
    }
  });
});

describe('visibility', () => {
  it('is full for both eyes of a face that looks at its screen and falls for the eye that turns away', () => {
    const straight = measure(faceWith({ eyePitchDeg: -5 }));
    expect(straight.imageLeftEye.visibility).toBeGreaterThan(0.9);
    expect(straight.imageRightEye.visibility).toBeGreaterThan(0.9);
    const turned = measure(faceWith({ yawDeg: 45, eyePitchDeg: -5 }));
    expect(turned.imageLeftEye.visibility).toBeGreaterThan(0.9);
    expect(turned.imageRightEye.visibility).toBeLessThan(0.6);
    const other = measure(faceWith({ yawDeg: -45, eyePitchDeg: -5 }));
    expect(other.imageRightEye.visibility).toBeGreaterThan(0.9);
    expect(other.imageLeftEye.visibility).toBeLessThan(0.6);
  });
});

describe('an iris that is not where an open eye can have it', () => {
  const withIrisMovedBy = (share: number, lids: number) => {
    const landmarks = renderFace(faceWith({ lids, eyePitchDeg: -5 }));
    const movedPx = share * (((landmarks[362 * 3] ?? 0) - (landmarks[133 * 3] ?? 0)) as number);
    for (const index of [468, 473]) landmarks[index * 3 + 1] = (landmarks[index * 3 + 1] ?? 0) + movedPx;
    return measureFace(landmarks, 1, VGA, ROI);
  };

  it('takes the eye its say: dark glass, a hand', () => {
    expect(withIrisMovedBy(0, 1.6).imageLeftEye.visibility).toBeGreaterThan(0.9);
    for (const share of [-0.25, 0.25]) {
      const hidden = withIrisMovedBy(share, 1.6);
      expect(hidden.imageLeftEye.visibility).toBeLessThan(0.1);
      expect(hidden.imageRightEye.visibility).toBeLessThan(0.1);
    }
  });

  it('is no sign of anything when the eye is shut', () => {
    expect(withIrisMovedBy(0.25, 0.2).imageLeftEye.visibility).toBeGreaterThan(0.9);
  });
});

describe('inter-ocular distance', () => {
  it('is in pixels of the full frame', () => {
    const focalPx = focalLengthPx(VGA);
    const seen = measure(faceWith({ distanceCm: 60 }));
    expect(Math.abs(seen.interOcularPx - (6.3 * focalPx) / 60)).toBeLessThan(1.5);
  });
});

describe('a landmark array that is no face', () => {
  it('is refused with a code when it has another length or values that are not finite', () => {
    const broken = renderFace(faceWith({}));
    broken[12] = Number.NaN;
    for (const landmarks of [new Float32Array(12), broken]) {
      expect(() => measureFace(landmarks, 1, VGA, ROI)).toThrowError(
        expect.objectContaining({ code: 'landmarks_invalid' }) as RelayError,
      );
    }
  });

  it('gives finite numbers even when all points coincide', () => {
    const seen = measureFace(new Float32Array(478 * 3), 0, VGA, ROI);
    const numbers = [seen.headYawDeg, seen.headPitchDeg, seen.headRollDeg, seen.fitResidual, seen.interOcularPx];
    const eyes = [seen.imageLeftEye, seen.imageRightEye].flatMap((eye) => Object.values(eye) as number[]);
    for (const value of [...numbers, ...eyes]) expect(Number.isFinite(value)).toBe(true);
  });
});
