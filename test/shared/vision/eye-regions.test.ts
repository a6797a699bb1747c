import { describe, expect, it } from 'vitest';
import { EYE_BRANCHES, EYE_REGIONS, eyeHeads, withMeshLips } from '../../../shared/vision/eye-regions.ts';
import { HEAD_POINTS, LIPS, MESH_POINTS, MESH_SIZE } from '../../../shared/vision/mesh-output.ts';
import { placeRegions } from '../../../shared/vision/mesh-regions.ts';

const [LEFT, RIGHT] = EYE_REGIONS.points;
const FEATURE_CELLS = 48;

/** A mesh whose eyes fill boxes of 32×16 px about (64, 80) and (128, 80), turned about (96, 80). */
function meshTurned(angle: number): Float32Array {
  const mesh = new Float32Array(MESH_POINTS * 3);
  const put = (point: number, x: number, y: number): void => {
    mesh[point * 3] = 96 + Math.cos(angle) * (x - 96) - Math.sin(angle) * (y - 80);
    mesh[point * 3 + 1] = 80 + Math.sin(angle) * (x - 96) + Math.cos(angle) * (y - 80);
  };
  [LEFT, RIGHT].forEach((points, eye) => {
    const x = eye === 0 ? 64 : 128;
    for (const point of points) put(point, x, 80);
    put(points[2] ?? 0, x, 72);
    put(points[3] ?? 0, x, 88);
    put(EYE_REGIONS.from[eye] ?? 0, x - 16, 80);
    put(EYE_REGIONS.to[eye] ?? 0, x + 16, 80);
  });
  return mesh;
}

/** Heads of branches whose every point is 8 cells right of and 8 above the centre: the region's corner. */
function headsOfCorners(mesh: Float32Array): (row: number) => number[] {
  const points = new Float32Array(EYE_BRANCHES * HEAD_POINTS * 2);
  for (let at = 0; at < points.length; at += 2) points.set([8, -8], at);
  const heads = eyeHeads(mesh, placeRegions(EYE_REGIONS, mesh, FEATURE_CELLS / MESH_SIZE), points);
  return (row) => Array.from(heads.subarray(row * HEAD_POINTS * 2, row * HEAD_POINTS * 2 + 2));
}

describe('eyeHeads', () => {
  it('brings points from a region’s cells to the mesh’s pixels, an iris in its eye’s region', () => {
    const head = headsOfCorners(meshTurned(0));
    for (const row of [1, 2]) expect(head(row)).toEqual([expect.closeTo(64 + 24, 4), expect.closeTo(80 - 12, 4)]);
    for (const row of [3, 4]) expect(head(row)).toEqual([expect.closeTo(128 + 24, 4), expect.closeTo(80 - 12, 4)]);
  });

  it('turns with each eye', () => {
    const [x = 0, y = 0] = headsOfCorners(meshTurned(0.5))(1);
    const [along, across] = [64 + 24 - 96, -12];
    expect(x).toBeCloseTo(96 + Math.cos(0.5) * along - Math.sin(0.5) * across, 3);
    expect(y).toBeCloseTo(80 + Math.sin(0.5) * along + Math.cos(0.5) * across, 3);
  });
});

describe('withMeshLips', () => {
  it('puts the mesh’s lips before the eyes’ heads', () => {
    const mesh = meshTurned(0);
    LIPS.forEach((point, row) => {
      mesh.set([row, 2 * row], point * 3);
    });
    const eyes = new Float32Array(EYE_BRANCHES * HEAD_POINTS * 2).fill(7);
    const heads = withMeshLips(mesh, eyes);
    expect(Array.from(heads.subarray(0, 6))).toEqual([0, 0, 1, 2, 2, 4]);
    expect(heads.subarray(HEAD_POINTS * 2)).toEqual(eyes);
  });
});
