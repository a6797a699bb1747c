import { describe, expect, it } from 'vitest';
import { FACE_POINTS, HEAD_POINTS, MESH_POINTS, refineLandmarks, sigmoid } from '../../../shared/vision/mesh-output.ts';

const BRANCHES = 5;

/** Mesh coordinates are the point's number; a branch's are 1000 × (branch + 1) + row. */
function outputs(): { mesh: Float32Array; heads: Float32Array } {
  const mesh = Float32Array.from({ length: MESH_POINTS * 3 }, (_, at) => Math.floor(at / 3));
  const heads = Float32Array.from({ length: BRANCHES * HEAD_POINTS * 2 }, (_, at) => {
    const row = Math.floor(at / 2);
    return 1000 * (Math.floor(row / HEAD_POINTS) + 1) + (row % HEAD_POINTS);
  });
  return { mesh, heads };
}

describe('refineLandmarks', () => {
  const { mesh, heads } = outputs();
  const landmarks = refineLandmarks(mesh, heads);
  const point = (index: number): number[] => Array.from(landmarks.subarray(index * 3, index * 3 + 3));

  it('gives 478 points', () => {
    expect(landmarks).toHaveLength(FACE_POINTS * 3);
  });

  it('leaves points that no branch looks at: the nose tip and the chin', () => {
    expect(point(1)).toEqual([1, 1, 1]);
    expect(point(152)).toEqual([152, 152, 152]);
  });

  it('takes x and y of lips and eyes from their branches, and depth from the mesh', () => {
    expect(point(61)).toEqual([1000, 1000, 61]);
    expect(point(407)).toEqual([1079, 1079, 407]);
    expect(point(33)).toEqual([2000, 2000, 33]);
    expect(point(133)).toEqual([2008, 2008, 133]);
    expect(point(263)).toEqual([4000, 4000, 263]);
    expect(point(417)).toEqual([4070, 4070, 417]);
  });

  it('appends the irises, with the mean depth of their eye’s contour', () => {
    const left = [33, 7, 163, 144, 145, 153, 154, 155, 133, 246, 161, 160, 159, 158, 157, 173];
    const depth = left.reduce((sum, index) => sum + index, 0) / left.length;
    expect(point(468)).toEqual([3000, 3000, depth]);
    expect(point(472)).toEqual([3004, 3004, depth]);
    expect(point(473).slice(0, 2)).toEqual([5000, 5000]);
    expect(point(477).slice(0, 2)).toEqual([5004, 5004]);
  });

  it('leaves its inputs as they were', () => {
    expect({ mesh, heads }).toEqual(outputs());
  });
});

describe('sigmoid', () => {
  it('turns a logit into a probability', () => {
    expect(sigmoid(0)).toBe(0.5);
    expect(sigmoid(Math.log(3))).toBeCloseTo(0.75, 12);
    expect(sigmoid(-1000)).toBe(0);
  });
});
