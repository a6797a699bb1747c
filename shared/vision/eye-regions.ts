import { HEAD_POINTS, HEADS, IMAGE_LEFT_EYE_POINTS, IMAGE_RIGHT_EYE_POINTS, LIPS, MESH_SIZE } from './mesh-output.ts';

/** Width and height of the feature map that the model looks at the eyes in, in cells; it covers the model's whole input. */
export const FEATURE_CELLS = 48;
export const FEATURE_CHANNELS = 32;
/** Width and height of a region cut out of it, in cells of its own. */
export const REGION_CELLS = 16;

const INPUT_PX_PER_CELL = MESH_SIZE / FEATURE_CELLS;
/** Beyond every cell on the scale of the grid: a sampler that gives zero outside gives zero there. */
const NOWHERE = 8;

/** What the model calls a region: its x axis runs from the first to the second landmark, and it encloses the points. */
export interface RegionOutline {
  readonly from: number;
  readonly to: number;
  readonly points: readonly number[];
  /** Region over enclosing box. */
  readonly scale: number;
}

/** Image-left eye, image-right eye: the options of the model's own operators, which the converter compares. */
export const EYE_REGIONS: readonly RegionOutline[] = [
  { from: 33, to: 133, points: IMAGE_LEFT_EYE_POINTS, scale: 1.5 },
  { from: 362, to: 263, points: IMAGE_RIGHT_EYE_POINTS, scale: 1.5 },
];

/** Numbers in the grid that eyeGridOf fills: x and y of every cell of both regions. */
export const EYE_GRID_VALUES = EYE_REGIONS.length * REGION_CELLS * REGION_CELLS * 2;
/** An eye and its iris for each region. */
export const EYE_BRANCHES = EYE_REGIONS.length * 2;

/** A region's place in the feature map: centre and the size of its own cells, in feature cells, and its x axis. */
interface PlacedRegion {
  readonly centerX: number;
  readonly centerY: number;
  readonly cellX: number;
  readonly cellY: number;
  readonly axisX: number;
  readonly axisY: number;
}

/** Where a region lies. Source: MediaPipe, mediapipe/util/tflite/operations/landmarks_to_transform_matrix.cc (version 2). */
function place(mesh: Float32Array, outline: RegionOutline): PlacedRegion {
  const at = (point: number, axis: number): number => mesh[point * 3 + axis] as number;
  const dx = at(outline.to, 0) - at(outline.from, 0);
  const dy = at(outline.to, 1) - at(outline.from, 1);
  const length = Math.hypot(dx, dy);
  const axisX = dx / length;
  const axisY = dy / length;
  let [left, right, top, bottom] = [
    Number.POSITIVE_INFINITY,
    -Number.POSITIVE_INFINITY,
    Number.POSITIVE_INFINITY,
    -Number.POSITIVE_INFINITY,
  ];
  for (const point of outline.points) {
    const x = at(point, 0);
    const y = at(point, 1);
    const along = x * axisX + y * axisY;
    const across = y * axisX - x * axisY;
    if (along < left) left = along;
    if (along > right) right = along;
    if (across < top) top = across;
    if (across > bottom) bottom = across;
  }
  const along = (left + right) / 2 / INPUT_PX_PER_CELL;
  const across = (top + bottom) / 2 / INPUT_PX_PER_CELL;
  const cell = outline.scale / INPUT_PX_PER_CELL / REGION_CELLS;
  return {
    centerX: along * axisX - across * axisY,
    centerY: along * axisY + across * axisX,
    cellX: (right - left) * cell,
    cellY: (bottom - top) * cell,
    axisX,
    axisY,
  };
}

/** The eyes' regions in one run of the model. */
export interface EyeLook {
  /**
   * Where the features are sampled, [regions · 16, 16, 2], −1…1 over the map's width and height (ONNX
   * GridSample, corners not aligned). A cell whose centre lies outside of the outermost features'
   * centres is zero in the model; its place here is beyond everything.
   */
  readonly grid: Float32Array;
  /**
   * Joins the branches' \`points\` [4, 80, 2], in cells from a region's centre, with the mesh [468, 3]
   * into heads as refineLandmarks takes them. The lips are left as the mesh has them.
   */
  headsOf(points: Float32Array): Float32Array;
}

/**
 * Places the eyes' regions by the mesh [468, 3] (input pixels). MediaPipe's TransformTensorBilinear and
 * TransformLandmarks (version 2), but for the sampling itself. Both results are new arrays.
 */
export function lookAtEyes(mesh: Float32Array): EyeLook {
  const regions = EYE_REGIONS.map((outline) => place(mesh, outline));
  const grid = new Float32Array(EYE_GRID_VALUES);
  let to = 0;
  for (const { centerX, centerY, cellX, cellY, axisX, axisY } of regions) {
    for (let row = 0; row < REGION_CELLS; row++) {
      const down = (row + 0.5 - REGION_CELLS / 2) * cellY;
      for (let column = 0; column < REGION_CELLS; column++) {
        const right = (column + 0.5 - REGION_CELLS / 2) * cellX;
        const x = right * axisX - down * axisY + centerX;
        const y = right * axisY + down * axisX + centerY;
        const isInside = x >= 0.5 && y >= 0.5 && x <= FEATURE_CELLS - 0.5 && y <= FEATURE_CELLS - 0.5;
        grid[to++] = isInside ? x / (FEATURE_CELLS / 2) - 1 : NOWHERE;
        grid[to++] = isInside ? y / (FEATURE_CELLS / 2) - 1 : NOWHERE;
      }
    }
  }
  return {
    grid,
    headsOf: (points) => {
      const heads = new Float32Array(HEADS * HEAD_POINTS * 2);
      LIPS.forEach((point, row) => {
        heads[row * 2] = mesh[point * 3] as number;
        heads[row * 2 + 1] = mesh[point * 3 + 1] as number;
      });
      for (let branch = 0; branch < EYE_BRANCHES; branch++) {
        const { centerX, centerY, cellX, cellY, axisX, axisY } = regions[branch >> 1] as PlacedRegion;
        for (let row = 0; row < HEAD_POINTS; row++) {
          const from = (branch * HEAD_POINTS + row) * 2;
          const right = (points[from] as number) * cellX;
          const down = (points[from + 1] as number) * cellY;
          const into = from + HEAD_POINTS * 2;
          heads[into] = (right * axisX - down * axisY + centerX) * INPUT_PX_PER_CELL;
          heads[into + 1] = (right * axisY + down * axisX + centerY) * INPUT_PX_PER_CELL;
        }
      }
      return heads;
    },
  };
}
