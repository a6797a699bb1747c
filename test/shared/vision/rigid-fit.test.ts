import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  add,
  apply,
  headAnglesOfRotation,
  multiply,
  rotationFromForward,
  rotationOfHead,
  scale,
  transpose,
  type Vec3,
} from '../../../shared/vision/linear.ts';
import { fitSimilarity } from '../../../shared/vision/rigid-fit.ts';

const SOURCE: readonly Vec3[] = [
  [0, 0, 7],
  [-4, 3, 3],
  [4, 3, 3],
  [-2, -4, 4],
  [2, -4, 5],
  [0, 8, 4],
  [-7, -2, -2],
];
const WEIGHTS = [1, 0.5, 0.5, 0.2, 0.2, 0.1, 0.1];
const degrees = (limit: number) => fc.double({ min: -limit, max: limit, noNaN: true });

describe('the similarity fit', () => {
  it('finds any rotation, scale and translation again', () => {
    fc.assert(
      fc.property(
        degrees(179),
        degrees(85),
        degrees(179),
        fc.double({ min: 0.1, max: 50, noNaN: true }),
        fc.tuple(degrees(100), degrees(100), degrees(100)),
        (yaw, pitch, roll, factor, translation) => {
          const rotation = rotationOfHead(yaw, pitch, roll);
          const target = SOURCE.map((point) => add(scale(apply(rotation, point), factor), translation));
          const fit = fitSimilarity(SOURCE, target, WEIGHTS);
          expect(fit.factor).toBeCloseTo(factor, 6);
          expect(fit.rms).toBeLessThan(1e-5 * factor);
          fit.rotation.forEach((value, i) => {
            expect(value).toBeCloseTo(rotation[i] ?? Number.NaN, 6);
          });
        },
      ),
    );
  });

  it('never mirrors: a mirrored target is fitted badly instead', () => {
    const mirrored = SOURCE.map(([x, y, z]): Vec3 => [x, y, -z]);
    const { rotation, rms } = fitSimilarity(SOURCE, mirrored, WEIGHTS);
    const [a, b, c, d, e, f, g, h, i] = rotation;
    expect(a * (e * i - f * h) - b * (d * i - f * g) + c * (d * h - e * g)).toBeCloseTo(1, 9);
    expect(rms).toBeGreaterThan(0.5);
  });

  it('follows the points that weigh more', () => {
    const target = SOURCE.map((point, i): Vec3 => (i === 6 ? [point[0] + 5, point[1], point[2]] : point));
    const light = fitSimilarity(SOURCE, target, [1, 1, 1, 1, 1, 1, 1e-9]);
    expect(headAnglesOfRotation(light.rotation).yawDeg).toBeCloseTo(0, 5);
  });
});

describe('head angles', () => {
  it('survive the way through a rotation', () => {
    fc.assert(
      fc.property(degrees(179), degrees(88), degrees(179), (yawDeg, pitchDeg, rollDeg) => {
        const back = headAnglesOfRotation(rotationOfHead(yawDeg, pitchDeg, rollDeg));
        expect(back.yawDeg).toBeCloseTo(yawDeg, 6);
        expect(back.pitchDeg).toBeCloseTo(pitchDeg, 6);
        expect(back.rollDeg).toBeCloseTo(rollDeg, 6);
      }),
    );
  });

  it('are positive to image right, up, and clockwise in the picture', () => {
    const forward = (yaw: number, pitch: number) => apply(rotationOfHead(yaw, pitch, 0), [0, 0, 1]);
    expect(forward(20, 0)[0]).toBeGreaterThan(0.3);
    expect(forward(0, 20)[1]).toBeGreaterThan(0.3);
    const crown = apply(rotationOfHead(0, 0, 20), [0, 1, 0]);
    expect(crown[0]).toBeGreaterThan(0.3);
  });
});

describe('the turn towards a direction', () => {
  it('takes forward there and is a rotation', () => {
    fc.assert(
      fc.property(degrees(1), degrees(1), (x, y) => {
        const turn = rotationFromForward([x, y, 1]);
        const [a, b] = apply(turn, [0, 0, 1]);
        const length = Math.hypot(x, y, 1);
        expect(a).toBeCloseTo(x / length, 9);
        expect(b).toBeCloseTo(y / length, 9);
        multiply(turn, transpose(turn)).forEach((value, i) => {
          expect(value).toBeCloseTo(i % 4 === 0 ? 1 : 0, 9);
        });
      }),
    );
  });
});
