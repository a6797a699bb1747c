import { describe, expect, it } from 'vitest';
import {
  EYE_BRANCHES,
  EYE_REGIONS,
  FEATURE_CELLS,
  lookAtEyes,
  REGION_CELLS,
} from '../../../shared/vision/eye-regions.ts';
import { HEAD_POINTS, LIPS, MESH_POINTS, MESH_SIZE } from '../../../shared/vision/mesh-output.ts';

const [LEFT, RIGHT] = EYE_REGIONS.points;

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

/** Input pixels of a cell of the grid. */
function pixelsOf(grid: Float32Array, eye: number, row: number, column: number): [number, number] {
  const at = ((eye * REGION_CELLS + row) * REGION_CELLS + column) * 2;
  return [grid[at] ?? 0, grid[at + 1] ?? 0].map((value) => ((value + 1) / 2) * MESH_SIZE) as [number, number];
}

describe('lookAtEyes', () => {
  it('spreads sixteen cells each way over one and a half times each eye’s box', () => {
    const { grid } = lookAtEyes(meshTurned(0));
    const [x, y] = pixelsOf(grid, 0, 0, 0);
    expect(x).toBeCloseTo(64 - 24 + 1.5, 4);
    expect(y).toBeCloseTo(80 - 12 + 0.75, 4);
    const [lastX, lastY] = pixelsOf(grid, 1, 15, 15);
    expect(lastX).toBeCloseTo(128 + 24 - 1.5, 4);
    expect(lastY).toBeCloseTo(80 + 12 - 0.75, 4);
  });

  it('turns with each eye', () => {
    const [x, y] = pixelsOf(lookAtEyes(meshTurned(0.5)).grid, 0, 0, 0);
    const [alongX, alongY] = [64 - 24 + 1.5 - 96, -12 + 0.75];
    expect(x).toBeCloseTo(96 + Math.cos(0.5) * alongX - Math.sin(0.5) * alongY, 3);
    expect(y).toBeCloseTo(80 + Math.sin(0.5) * alongX + Math.cos(0.5) * alongY, 3);
  });

  it('puts cells beyond the outermost features’ centres where a sampler finds nothing', () => {
    const mesh = meshTurned(0);
    for (const point of LEFT) mesh[point * 3] = (mesh[point * 3] ?? 0) - 64;
    const { grid } = lookAtEyes(mesh);
    const edgePx = MESH_SIZE / FEATURE_CELLS / 2;
    for (let column = 0; column < REGION_CELLS; column++) {
      const trueX = -24 + 1.5 + column * 3;
      const [x] = pixelsOf(grid, 0, 8, column);
      if (trueX < edgePx) expect(x).toBeGreaterThan(2 * MESH_SIZE);
      else expect(x).toBeCloseTo(trueX, 3);
    }
  });

  it('brings points from a region’s cells to the mesh’s pixels, an iris in its eye’s region, and leaves the lips', () => {
    const mesh = meshTurned(0);
    LIPS.forEach((point, row) => {
      mesh.set([row, 2 * row], point * 3);
    });
    const points = new Float32Array(EYE_BRANCHES * HEAD_POINTS * 2);
    for (let branch = 0; branch < EYE_BRANCHES; branch++) points.set([8, -8], branch * HEAD_POINTS * 2);
    const heads = lookAtEyes(mesh).headsOf(points);
    const point = (row: number): number[] =>
      Array.from(heads.subarray(row * HEAD_POINTS * 2, row * HEAD_POINTS * 2 + 2));
    for (const row of [1, 2]) expect(point(row)).toEqual([expect.closeTo(64 + 24, 4), expect.closeTo(80 - 12, 4)]);
    for (const row of [3, 4]) expect(point(row)).toEqual([expect.closeTo(128 + 24, 4), expect.closeTo(80 - 12, 4)]);
    expect(Array.from(heads.subarray(0, 4))).toEqual([0, 0, 1, 2]);
  });
});
