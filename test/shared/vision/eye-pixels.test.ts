import { describe, expect, it } from 'vitest';
import { seededRandom } from '../../../harness/random.ts';
import { IMAGE_LEFT_EYE, IMAGE_RIGHT_EYE } from '../../../shared/vision/canonical-face.ts';
import {
  chanceOf,
  EYE_INPUTS,
  type EyeNetwork,
  eyeInputs,
  readEyeNetwork,
  writeEyeNetwork,
} from '../../../shared/vision/eye-pixels.ts';
import { FACE_POINTS, MESH_SIZE } from '../../../shared/vision/mesh-output.ts';

const PLANE = MESH_SIZE * MESH_SIZE;

/** A grey tensor of the mesh's size. */
function planesOf(luma: (x: number, y: number) => number): Float32Array {
  const planes = new Float32Array(3 * PLANE);
  for (let at = 0; at < PLANE; at++) {
    const value = luma(at % MESH_SIZE, Math.floor(at / MESH_SIZE));
    for (let channel = 0; channel < 3; channel++) planes[at + channel * PLANE] = value;
  }
  return planes;
}

/** Landmarks with the eyes at usual places, all others in the middle. */
function landmarksOf(): Float32Array {
  const landmarks = new Float32Array(FACE_POINTS * 3).fill(MESH_SIZE / 2);
  const put = (point: number, x: number, y: number): void => landmarks.set([x, y, 0], point * 3);
  put(IMAGE_LEFT_EYE.outer, 56, 80);
  put(IMAGE_LEFT_EYE.inner, 80, 80);
  put(IMAGE_RIGHT_EYE.inner, MESH_SIZE - 80, 80);
  put(IMAGE_RIGHT_EYE.outer, MESH_SIZE - 56, 80);
  return landmarks;
}

/** A pattern without repeats. */
function pattern(x: number, y: number): number {
  return 0.35 + 0.15 * Math.sin(x / 3) + 0.1 * Math.cos(y / 2 + x / 7);
}

describe('what a network takes of an eye', () => {
  it('is the same of either eye in the mirror, outer corner first', () => {
    const symmetric = planesOf((x, y) => pattern(Math.min(x, MESH_SIZE - 1 - x), y));
    const [left, right] = [IMAGE_LEFT_EYE, IMAGE_RIGHT_EYE].map((eye) => eyeInputs(symmetric, landmarksOf(), eye));
    expect(left).toHaveLength(EYE_INPUTS);
    left?.forEach((value, i) => {
      expect(right?.[i]).toBeCloseTo(value, 3);
    });
  });

  it('is the same in half the light, but for the light itself', () => {
    const full = eyeInputs(planesOf(pattern), landmarksOf(), IMAGE_LEFT_EYE);
    const half = eyeInputs(
      planesOf((x, y) => pattern(x, y) / 2),
      landmarksOf(),
      IMAGE_LEFT_EYE,
    );
    const changed = [...full].flatMap((value, i) => (Math.abs(value - (half[i] ?? 0)) > 1e-4 ? [i] : []));
    expect(changed).toHaveLength(1);
  });

  it('is finite for any picture and any landmarks', () => {
    const random = seededRandom(3);
    const wild = new Float32Array(FACE_POINTS * 3).map(() => (random() - 0.5) * 1000);
    for (const planes of [planesOf(() => 0), planesOf(() => 1), planesOf(() => random())]) {
      for (const landmarks of [wild, new Float32Array(FACE_POINTS * 3)]) {
        expect([...eyeInputs(planes, landmarks, IMAGE_RIGHT_EYE)].every(Number.isFinite)).toBe(true);
      }
    }
  });
});

describe('a network', () => {
  const network: EyeNetwork = {
    mean: Array.from({ length: EYE_INPUTS }, () => 1),
    deviation: Array.from({ length: EYE_INPUTS }, () => 2),
    hidden: [
      Array.from({ length: EYE_INPUTS }, (_, i) => (i === 0 ? 1 : 0)),
      Array.from({ length: EYE_INPUTS }, () => 0),
    ],
    hiddenBias: [0.5, -1],
    out: [2, 5],
    outBias: -1,
  };

  it('is read as it was written', () => {
    expect(readEyeNetwork(writeEyeNetwork(network))).toEqual(network);
  });

  it('adds up rectified sums of scaled inputs to the logit of a probability', () => {
    const inputs = new Float32Array(EYE_INPUTS).fill(1);
    inputs[0] = 3;
    // (3 − 1) / 2 + 0.5 = 1.5; the other unit is negative and counts nothing.
    expect(chanceOf(inputs, network)).toBeCloseTo(1 / (1 + Math.exp(-(2 * 1.5 - 1))), 6);
  });
});
