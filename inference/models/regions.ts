import type { OnnxGraph } from './onnx.ts';

/**
 * The parts of the face that the model looks at again, each cut out of a feature map along its own
 * axis. All of them are computed at once: the first axis of every value here is the region.
 */
export interface Regions {
  /** Mesh points whose line is a region's x axis. */
  readonly from: readonly number[];
  readonly to: readonly number[];
  /** Mesh points that a region encloses. */
  readonly points: readonly (readonly number[])[];
  /** Region over enclosing box. */
  readonly scale: number;
  /** Width and height of the cut-out, in cells. */
  readonly size: number;
}

/** ONNX values: centre [r, 1, 2] and extent of one cell [r, 1, 2] in feature cells, rotation [r, 2, 2] for row vectors. */
interface RegionGeometry {
  readonly center: string;
  readonly cell: string;
  readonly rotation: string;
}

/** Factors of a branch's matrix: over its linear part and over its translation. */
export interface BranchUnits {
  readonly linear: number;
  readonly shift: number;
}

interface FeatureShape {
  readonly rows: number;
  readonly columns: number;
  readonly channels: number;
}

/**
 * MediaPipe's Landmarks2TransformMatrix, version 2 (mediapipe/util/tflite/operations/
 * landmarks_to_transform_matrix.cc), without its sines: with u the unit vector from a region's
 * first to its last point, the rotation is made of u itself. `mesh` is [points, 3];
 * `featureScale` is feature cells per mesh pixel.
 */
export function regionGeometry(onnx: OnnxGraph, mesh: string, regions: Regions, featureScale: number): RegionGeometry {
  const count = regions.points.length;
  const widest = Math.max(...regions.points.map((points) => points.length));
  // A point named twice changes no bounding box.
  const padded = regions.points.flatMap((points) =>
    Array.from({ length: widest }, (_, index) => points[index] ?? points[0] ?? 0),
  );
  const ends = onnx.node('Gather', [mesh, onnx.int64s([...regions.from, ...regions.to], [2, count])], { axis: 0 });
  const [first = '', last = ''] = onnx.split('Split', [ends], 2, { axis: 0 });
  const flat = onnx.node('Mul', [onnx.node('Sub', [last, first]), onnx.floats([1, 1, 0], [3])]);
  const length = onnx.node('ReduceL2', [flat], { axes: [2], keepdims: 1 });
  const unit = onnx.node('Reshape', [onnx.node('Div', [flat, length]), onnx.int64s([count, 3])]);

  // Rows x, y, z of the matrix that turns row vectors upright, and of its inverse (x, y alone).
  const upright = onnx.node('MatMul', [
    unit,
    onnx.floats([1, 0, 0, 1, 0, 0, 0, -1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0], [3, 6]),
  ]);
  const back = onnx.node('MatMul', [unit, onnx.floats([1, 0, 0, 1, 0, 1, -1, 0, 0, 0, 0, 0], [3, 4])]);
  const rotation = onnx.node('Reshape', [back, onnx.int64s([count, 2, 2])]);

  const enclosed = onnx.node('Gather', [mesh, onnx.int64s(padded, [count, widest])], { axis: 0 });
  const turned = onnx.node('MatMul', [enclosed, onnx.node('Reshape', [upright, onnx.int64s([count, 3, 2])])]);
  const high = onnx.node('ReduceMax', [turned], { axes: [1], keepdims: 1 });
  const low = onnx.node('ReduceMin', [turned], { axes: [1], keepdims: 1 });
  const middle = onnx.node('Mul', [onnx.node('Add', [high, low]), onnx.floats([featureScale / 2], [1])]);
  const cellScale = (regions.scale * featureScale) / regions.size;
  return {
    center: onnx.node('MatMul', [middle, rotation]),
    cell: onnx.node('Mul', [onnx.node('Sub', [high, low]), onnx.floats([cellScale], [1])]),
    rotation,
  };
}

/**
 * MediaPipe's TransformTensorBilinear, version 2: every region cut out of the feature map
 * [1, c, rows, columns] by bilinear sampling at cell centres, zero outside. Gives
 * [1, regions·c, size, size].
 */
export function sampleRegions(
  onnx: OnnxGraph,
  features: string,
  shape: FeatureShape,
  regions: Regions,
  geometry: RegionGeometry,
): string {
  const { rows, columns, channels } = shape;
  const { size } = regions;
  const count = regions.points.length;
  const samples = count * size * size;
  const grid = Array.from({ length: size * size }, (_, index) => [
    (index % size) + 0.5 - size / 2,
    Math.floor(index / size) + 0.5 - size / 2,
  ]).flat();
  const scaled = onnx.node('Mul', [onnx.floats(grid, [size * size, 2]), geometry.cell]);
  const turned = onnx.node('MatMul', [scaled, geometry.rotation]);
  const corner = onnx.node('Sub', [geometry.center, onnx.floats([0.5], [1])]);
  const at = onnx.node('Reshape', [onnx.node('Add', [turned, corner]), onnx.int64s([samples, 2])]);

  const limit = (x: number, y: number): string => onnx.floats([x, y], [2]);
  const clipped = onnx.node('Min', [onnx.node('Max', [at, onnx.floats([0], [1])]), limit(columns - 1, rows - 1)]);
  const inside = onnx.node('Cast', [onnx.node('Equal', [at, clipped])], { to: 1 });
  // At the far edge the last whole cell is used with weight 1 for its end.
  const whole = onnx.node('Min', [onnx.node('Floor', [clipped]), limit(columns - 2, rows - 2)]);
  const part = onnx.node('Sub', [clipped, whole]);

  // Weights of the corners (0,0), (1,0), (0,1), (1,1): first along x, then along y.
  const alongBoth = onnx.node('Gemm', [
    part,
    onnx.floats([-1, 1, -1, 1, 0, 0, 0, 0, 0, 0, 0, 0, -1, -1, 1, 1], [2, 8]),
    onnx.floats([1, 0, 1, 0, 1, 1, 0, 0], [8]),
  ]);
  const [alongX = '', alongY = ''] = onnx.split('Split', [alongBoth], 2, { axis: 1 });
  const visible = onnx.node('ReduceMin', [inside], { axes: [1], keepdims: 1 });
  const weights = onnx.node('Mul', [onnx.node('Mul', [alongX, alongY]), visible]);
  const cells = onnx.node('Gemm', [
    whole,
    onnx.floats([1, 1, 1, 1, columns, columns, columns, columns], [2, 4]),
    onnx.floats([0, 1, columns, columns + 1], [4]),
  ]);
  const indices = onnx.node('Cast', [cells], { to: 7 });

  const rowsOfCells = onnx.node('Transpose', [features], { perm: [0, 2, 3, 1] });
  const table = onnx.node('Reshape', [rowsOfCells, onnx.int64s([rows * columns, channels])]);
  const corners = onnx.node('Gather', [table, indices], { axis: 0 });
  const rowWeights = onnx.node('Reshape', [weights, onnx.int64s([samples, 1, 4])]);
  const mixed = onnx.node('MatMul', [rowWeights, corners]);
  const byRegion = onnx.node('Reshape', [mixed, onnx.int64s([count, size * size, channels])]);
  const planes = onnx.node('Transpose', [byRegion], { perm: [0, 2, 1] });
  return onnx.node('Reshape', [planes, onnx.int64s([1, count * channels, size, size])]);
}

/**
 * MediaPipe's TransformLandmarks, version 2, with the constant by which the model multiplies its
 * matrix: branch points [b, n, 2] of the cut-outs to mesh pixels.
 */
export function toMeshFrame(
  onnx: OnnxGraph,
  local: string,
  branchRegions: readonly number[],
  regions: Regions,
  geometry: RegionGeometry,
  { linear, shift }: BranchUnits,
): string {
  const ofBranch = (value: string): string => onnx.node('Gather', [value, onnx.int64s(branchRegions)], { axis: 0 });
  // linear·R·S·p + shift·(c − R·S·h) = shift·(c + R·S·(p·linear/shift − h)), h half the cut-out.
  const centered = onnx.node('Sub', [
    onnx.node('Mul', [local, onnx.floats([linear / shift], [1])]),
    onnx.floats([regions.size / 2], [1]),
  ]);
  const stretched = onnx.node('Mul', [centered, ofBranch(geometry.cell)]);
  const turned = onnx.node('MatMul', [stretched, ofBranch(geometry.rotation)]);
  return onnx.node('Mul', [onnx.node('Add', [turned, ofBranch(geometry.center)]), onnx.floats([shift], [1])]);
}
