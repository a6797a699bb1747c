import { HEAD_POINTS, HEADS, IMAGE_LEFT_EYE_POINTS, IMAGE_RIGHT_EYE_POINTS, LIPS, MESH_SIZE } from './mesh-output.ts';
import type { PlacedRegion } from './mesh-regions.ts';

/** Width and height of the feature map that the model looks at the eyes in, in cells; it covers the model's whole input. */
export const FEATURE_CELLS = 48;
/** Width and height of a region cut out of it, in cells of its own. */
export const REGION_CELLS = 16;

const INPUT_PX_PER_CELL = MESH_SIZE / FEATURE_CELLS;

/** Image-left eye, image-right eye: the options of the model's own operators, which the converter compares. */
export const EYE_REGIONS = {
  from: [33, 362],
  to: [133, 263],
  points: [IMAGE_LEFT_EYE_POINTS, IMAGE_RIGHT_EYE_POINTS],
  scale: 1.5,
  size: REGION_CELLS,
} as const;
const REGIONS = EYE_REGIONS.points.length;

/** An eye and its iris for each region. */
export const EYE_BRANCHES = REGIONS * 2;

/**
 * Heads [5, 80, 2] as refineLandmarks takes them, of the mesh [468, 3] and the eyes' heads [4, 80, 2] alone:
 * the lips are left as the mesh has them. A new array.
 */
export function withMeshLips(mesh: Float32Array, eyes: Float32Array): Float32Array {
  const heads = new Float32Array(HEADS * HEAD_POINTS * 2);
  LIPS.forEach((point, row) => {
    heads[row * 2] = mesh[point * 3] as number;
    heads[row * 2 + 1] = mesh[point * 3 + 1] as number;
  });
  heads.set(eyes, HEAD_POINTS * 2);
  return heads;
}

/**
 * Heads as refineLandmarks takes them: the mesh [468, 3], the eyes' regions placed by it, and their branches'
 * `points` [4, 80, 2], in cells from a region's centre. The lips are left as the mesh has them.
 */
export function eyeHeads(mesh: Float32Array, regions: readonly PlacedRegion[], points: Float32Array): Float32Array {
  const eyes = new Float32Array(EYE_BRANCHES * HEAD_POINTS * 2);
  for (let branch = 0; branch < EYE_BRANCHES; branch++) {
    const { centerX, centerY, cellX, cellY, cos, sin } = regions[branch >> 1] as PlacedRegion;
    for (let row = 0; row < HEAD_POINTS; row++) {
      const at = (branch * HEAD_POINTS + row) * 2;
      const right = (points[at] as number) * cellX;
      const down = (points[at + 1] as number) * cellY;
      eyes[at] = (right * cos - down * sin + centerX) * INPUT_PX_PER_CELL;
      eyes[at + 1] = (right * sin + down * cos + centerY) * INPUT_PX_PER_CELL;
    }
  }
  return withMeshLips(mesh, eyes);
}
