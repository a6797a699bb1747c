import { describe, expect, it } from 'vitest';
import type { RelayError } from '../../../shared/errors.ts';
import type { FrameSize } from '../../../shared/geometry.ts';
import { measureFace } from '../../../shared/vision/observe.ts';
import { focalLengthPx } from '../../../shared/vision/pose.ts';
import { renderFace, type SyntheticFace } from './synthetic-face.ts';

const VGA: FrameSize = { widthPx: 640, heightPx: 480 };
const HD: FrameSize = { widthPx: 1280, heightPx: 720 };
const ROI = { centerXPx: 320, centerYPx: 240, sizePx: 300, rotationRad: 0 };

function faceWith(values: Partial<SyntheticFace>): SyntheticFace {
  const frame = values.frame ?? VGA;
  return {
    yawDeg: 0,
    pitchDeg: 0,
    rollDeg: 0,
    irisYawDeg: 0,
    irisPitchDeg: 0,
    distanceCm: 60,
    lids: 1,
    centerX: 0.5,
    centerY: 0.5,
    frame,
    focalPx: focalLengthPx(frame),
    irisRadiusCm: 1,
    eyeballOffsetCm: [0, 0, -0.75],
    ...values,
  };
}

const measure = (face: SyntheticFace) => measureFace(renderFace(face), 1, face.frame, ROI);

describe('head pose of an exactly projected face', () => {
  const angles = [-30, -15, 0, 15, 30];
  for (const frame of [VGA, HD]) {
    for (const distanceCm of [40, 60, 90]) {
      it(`is within 1° on every axis at ${distanceCm} cm in ${frame.widthPx}×${frame.heightPx}`, () => {
        for (const yawDeg of angles) {
          for (const pitchDeg of angles) {
            for (const rollDeg of angles) {
              const seen = measure(faceWith({ yawDeg, pitchDeg, rollDeg, distanceCm, frame }));
              expect(Math.abs(seen.headYawDeg - yawDeg)).toBeLessThan(1);
              expect(Math.abs(seen.headPitchDeg - pitchDeg)).toBeLessThan(1);
              expect(Math.abs(seen.headRollDeg - rollDeg)).toBeLessThan(1);
              expect(seen.fitResidual).toBeLessThan(0.005);
            }
          }
        }
      });
    }
  }

  it('reads a face at the side of the frame that looks at the camera as facing it', () => {
    for (const centerX of [0.2, 0.8]) {
      for (const centerY of [0.3, 0.7]) {
        const seen = measure(faceWith({ centerX, centerY }));
        expect(Math.abs(seen.headYawDeg)).toBeLessThan(1);
        expect(Math.abs(seen.headPitchDeg)).toBeLessThan(1);
      }
    }
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
