import type { OnnxGraph } from './onnx.ts';

/**
 * The parts of the face that the model refines, each cut out of a feature map along its own
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

interface FeatureShape {
  readonly rows: number;
  readonly columns: number;
  readonly channels: number;
}

/** What lies outside is moved this many times as far away, so that it is beyond everything. */
const FAR = 1e6;

/** Half the enclosing boxes' sides that a cell of the cut-out is wide. */
export function cellExtent({ scale, size }: Pick<Regions, 'scale' | 'size'>): number {
  return (2 * scale) / size;
}

/**
 * MediaPipe's Landmarks2TransformMatrix, version 2 (mediapipe/util/tflite/operations/
 * landmarks_to_transform_matrix.cc), without its sines. `mesh` is [1, 3·points] in pixels of the model's
 * input. Gives [r, 3, 2]: rows (u, v, 1) times it are mesh pixels, u and v −1…1 over the enclosing box.
 */
export function placeRegions(onnx: OnnxGraph, mesh: string, meshPoints: number, regions: Regions): string {
  const count = regions.points.length;
  // With d from a region's first to its last point: d, and d turned by a quarter.
  const axes = new Float32Array(meshPoints * 3 * count * 4);
  const put = (point: number | undefined, axis: number, region: number, to: number, value: number): void => {
    axes[((point ?? 0) * 3 + axis) * count * 4 + region * 4 + to] = value;
  };
  for (let region = 0; region < count; region++) {
    for (const [axis, to, sign] of [
      [0, 0, 1],
      [1, 1, 1],
      [1, 2, -1],
      [0, 3, 1],
    ] as const) {
      put(regions.to[region], axis, region, to, sign);
      put(regions.from[region], axis, region, to, -sign);
    }
  }
  const directions = onnx.node('MatMul', [mesh, onnx.floats(axes, [meshPoints * 3, count * 4])]);
  const rows = onnx.node('Reshape', [directions, onnx.int64s([count, 4])]);
  // Both at once, so that each has the length 1/√2; it comes in twice below, and 1/2 is what is wanted.
  const normal = onnx.node('LpNormalization', [rows], { axis: 1, p: 2 });
  const turn = onnx.node('Reshape', [normal, onnx.int64s([count, 2, 2])]);

  const widest = Math.max(...regions.points.map((points) => points.length));
  // A point named twice changes no bounding box.
  const places = regions.points.flatMap((points) =>
    Array.from({ length: widest }, (_, index) => points[index] ?? points[0] ?? 0).flatMap((point) => [
      point * 3,
      point * 3 + 1,
    ]),
  );
  const flat = onnx.node('Reshape', [mesh, onnx.int64s([meshPoints * 3])]);
  const enclosed = onnx.node('Gather', [flat, onnx.int64s(places, [count, widest, 2])], { axis: 0 });
  const upright = onnx.node('MatMul', [enclosed, onnx.node('Transpose', [turn], { perm: [0, 2, 1] })]);
  const high = onnx.node('ReduceMax', [upright], { axes: [1], keepdims: 1 });
  const low = onnx.node('ReduceMin', [upright], { axes: [1], keepdims: 1 });
  const center = onnx.node('MatMul', [onnx.node('Add', [high, low]), turn]);
  const sides = onnx.node('Transpose', [onnx.node('Sub', [high, low])], { perm: [0, 2, 1] });
  return onnx.node('Concat', [onnx.node('Mul', [sides, turn]), center], { axis: 1 });
}

/**
 * MediaPipe's TransformTensorBilinear, version 2: every region cut out of the feature map
 * [1, c, rows, columns] by bilinear sampling at cell centres; zero where a cell's centre is outside of
 * the outermost features' centres. `placed` as placeRegions gives it; the map covers `inputPx` pixels
 * each way. Gives [1, regions·c, size, size].
 */
export function sampleRegions(
  onnx: OnnxGraph,
  features: string,
  shape: FeatureShape,
  regions: Regions,
  placed: string,
  inputPx: number,
): string {
  const { rows, columns, channels } = shape;
  if (rows !== columns) throw new Error('the regions are cut out of a square');
  const { size } = regions;
  const count = regions.points.length;
  const cell = cellExtent(regions);
  // GridSample has −1…1 over the whole map.
  const toGrid = 2 / inputPx;
  const cells = Array.from({ length: size * size }, (_, index) => [
    ((index % size) + 0.5 - size / 2) * cell * toGrid,
    (Math.floor(index / size) + 0.5 - size / 2) * cell * toGrid,
    toGrid,
  ]).flat();
  const fromZero = onnx.node('MatMul', [onnx.floats(cells, [size * size, 3]), placed]);
  const at = onnx.node('Sub', [fromZero, onnx.floats([1], [1])]);
  const furthest = onnx.node('ReduceMax', [onnx.node('Abs', [at])], { axes: [2], keepdims: 1 });
  const outside = onnx.node('Relu', [onnx.node('Sub', [furthest, onnx.floats([1 - 1 / columns], [1])])]);
  const far = onnx.node('Mul', [outside, onnx.floats([FAR], [1])]);
  const grid = onnx.node('Reshape', [onnx.node('Add', [at, far]), onnx.int64s([1, count * size, size, 2])]);
  const sampled = onnx.node('GridSample', [features, grid]);
  const byChannel = onnx.node('Reshape', [sampled, onnx.int64s([channels, count, size * size])]);
  const byRegion = onnx.node('Transpose', [byChannel], { perm: [1, 0, 2] });
  return onnx.node('Reshape', [byRegion, onnx.int64s([1, count * channels, size, size])]);
}

/**
 * MediaPipe's TransformLandmarks, version 2: points [b, n, 3] as (u, v, 1) of their regions, to mesh
 * pixels [b, n, 2]. `placed` as placeRegions gives it.
 */
export function toMeshPixels(
  onnx: OnnxGraph,
  points: string,
  branchRegions: readonly number[],
  placed: string,
): string {
  return onnx.node('MatMul', [points, onnx.node('Gather', [placed, onnx.int64s(branchRegions)], { axis: 0 })]);
}
