import { HEAD_POINTS, HEADS, IMAGE_LEFT_EYE_POINTS, IMAGE_RIGHT_EYE_POINTS, LIPS, MESH_SIZE } from './mesh-output.ts';
import { type PlacedRegion, placeRegions } from './mesh-regions.ts';

/** Width and height of the feature map that the model looks at the eyes in, in cells; it covers the model's whole input. */
export const FEATURE_CELLS = 48;
export const FEATURE_CHANNELS = 32;
/** Width and height of a region cut out of it, in cells of its own. */
export const REGION_CELLS = 16;

const INPUT_PX_PER_CELL = MESH_SIZE / FEATURE_CELLS;
/** Beyond every cell on the scale of the grid: a sampler that gives zero outside gives zero there. */
const NOWHERE = 8;

/** Image-left eye, image-right eye: the options of the model's own operators, which the converter compares. */
export const EYE_REGIONS = {
  from: [33, 362],
  to: [133, 263],
  points: [IMAGE_LEFT_EYE_POINTS, IMAGE_RIGHT_EYE_POINTS],
  scale: 1.5,
  size: REGION_CELLS,
} as const;
const REGIONS = EYE_REGIONS.points.length;

/** Of the grid that lookAtEyes gives: x and y of every cell of both regions. */
export const EYE_GRID_SHAPE = [1, REGIONS * REGION_CELLS, REGION_CELLS, 2] as const;
/** An eye and its iris for each region. */
export const EYE_BRANCHES = REGIONS * 2;

/** The eyes' regions in one run of the model. */
export interface EyeLook {
  /**
   * Where the features are sampled, [regions · 16, 16, 2], −1…1 over the map's width and height (ONNX
   * GridSample, corners not aligned). A cell whose centre lies outside of the outermost features'
   * centres is zero in the model; its place here is beyond everything.
   */
  readonly grid: Float32Array;
  /** eyeHeads with this mesh and its regions. */
  headsOf(points: Float32Array): Float32Array;
}

/**
 * Places the eyes' regions by the mesh [468, 3] (input pixels). MediaPipe's TransformTensorBilinear and
 * TransformLandmarks (version 2), but for the sampling itself. Both results are new arrays.
 */
export function lookAtEyes(mesh: Float32Array): EyeLook {
  const regions = placeRegions(EYE_REGIONS, mesh, 1 / INPUT_PX_PER_CELL);
  const grid = new Float32Array(REGIONS * REGION_CELLS * REGION_CELLS * 2);
  let to = 0;
  for (const { centerX, centerY, cellX, cellY, cos, sin } of regions) {
    for (let row = 0; row < REGION_CELLS; row++) {
      const down = (row + 0.5 - REGION_CELLS / 2) * cellY;
      for (let column = 0; column < REGION_CELLS; column++) {
        const right = (column + 0.5 - REGION_CELLS / 2) * cellX;
        const x = right * cos - down * sin + centerX;
        const y = right * sin + down * cos + centerY;
        const isInside = x >= 0.5 && y >= 0.5 && x <= FEATURE_CELLS - 0.5 && y <= FEATURE_CELLS - 0.5;
        grid[to++] = isInside ? x / (FEATURE_CELLS / 2) - 1 : NOWHERE;
        grid[to++] = isInside ? y / (FEATURE_CELLS / 2) - 1 : NOWHERE;
      }
    }
  }
  return { grid, headsOf: (points) => eyeHeads(mesh, regions, points) };
}

/**
 * Heads as refineLandmarks takes them: the mesh [468, 3], the eyes' regions placed by it, and their branches'
 * `points` [4, 80, 2], in cells from a region's centre. The lips are left as the mesh has them.
 */
export function eyeHeads(mesh: Float32Array, regions: readonly PlacedRegion[], points: Float32Array): Float32Array {
  const heads = new Float32Array(HEADS * HEAD_POINTS * 2);
  LIPS.forEach((point, row) => {
    heads[row * 2] = mesh[point * 3] as number;
    heads[row * 2 + 1] = mesh[point * 3 + 1] as number;
  });
  for (let branch = 0; branch < EYE_BRANCHES; branch++) {
    const { centerX, centerY, cellX, cellY, cos, sin } = regions[branch >> 1] as PlacedRegion;
    for (let row = 0; row < HEAD_POINTS; row++) {
      const from = (branch * HEAD_POINTS + row) * 2;
      const right = (points[from] as number) * cellX;
      const down = (points[from + 1] as number) * cellY;
      const into = from + HEAD_POINTS * 2;
      heads[into] = (right * cos - down * sin + centerX) * INPUT_PX_PER_CELL;
      heads[into + 1] = (right * sin + down * cos + centerY) * INPUT_PX_PER_CELL;
    }
  }
  return heads;
}
