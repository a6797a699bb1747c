import { EYE_REGIONS, FEATURE_CELLS, REGION_CELLS } from '../../shared/vision/eye-regions.ts';
import { HEAD_POINTS, MESH_POINTS, MESH_SIZE } from '../../shared/vision/mesh-output.ts';
import { Lowering } from './lowering.ts';
import { OnnxGraph } from './onnx.ts';
import { type BranchUnits, type Regions, regionGeometry, sampleRegions, toMeshFrame } from './regions.ts';
import { neededFor, readTflite, type TfliteGraph, type TfliteOperator } from './tflite.ts';
import { enterBlockedLayout } from './waves.ts';

const SAMPLER = 'TransformTensorBilinear';
const BRANCH = 'TransformLandmarks';
/** The lips come before the eyes. */
export const LIP_BRANCHES = 1;

export function customOperators(graph: TfliteGraph, name: string): TfliteOperator[] {
  return graph.operators.filter((operator) => operator.customName === name);
}

function producer(graph: TfliteGraph, tensor: number | undefined): TfliteOperator {
  const operator = graph.operators.find((candidate) => candidate.outputs[0] === tensor);
  if (operator === undefined) throw new Error(`tensor ${tensor} is computed by no operator`);
  return operator;
}

/** The convolution that ends a branch. */
function lastConvolution(graph: TfliteGraph): (branch: TfliteOperator) => TfliteOperator {
  return (branch) => producer(graph, producer(graph, branch.inputs[0]).inputs[0]);
}

function single(list: readonly number[], what: string): number {
  const [value] = list;
  if (value === undefined) throw new Error(`the mesh model has no ${what}`);
  return value;
}

export function regionsOf(graph: TfliteGraph): Regions {
  const matrices = customOperators(graph, 'Landmarks2TransformMatrix').map((operator) => operator.customOptions);
  const number = (options: Readonly<Record<string, unknown>>, key: string): number => {
    const value = options[key];
    if (typeof value !== 'number') throw new Error(`a region has no ${key}`);
    return value;
  };
  for (const options of matrices) {
    // The reader gives an absent or zero angle as null.
    const turned = options.target_rotation_radians ?? 0;
    if (turned !== 0) throw new Error('regions turned by an angle of their own are not mapped');
  }
  return {
    from: matrices.map((options) => number(options, 'left_rotation_idx')),
    to: matrices.map((options) => number(options, 'right_rotation_idx')),
    points: matrices.map((options) => options.subset_idxs as number[]),
    scale: number(matrices[0] ?? {}, 'scale_x'),
    size: number(matrices[0] ?? {}, 'output_width'),
  };
}

/**
 * The convolutions that end the branches as one, each branch padded with zero outputs to the width of
 * the widest. Gives [branches, points, 2] in the model's units of each branch's own region, times
 * `scale`, plus `shift`.
 */
function heads(
  lowering: Lowering,
  graph: TfliteGraph,
  convolutions: readonly TfliteOperator[],
  scale = 1,
  shift = 0,
): string {
  const { onnx } = lowering;
  const width = HEAD_POINTS * 2;
  const kernels = convolutions.map((operator) => single(operator.inputs.slice(1), 'kernel'));
  const [, height = 0, columns = 0, inputs = 0] = graph.tensors[kernels[0] ?? -1]?.shape ?? [];
  const perOutput = inputs * height * columns;
  const weights = new Float32Array(convolutions.length * width * perOutput);
  const biases = new Float32Array(convolutions.length * width);
  convolutions.forEach((operator, branch) => {
    const kernel = lowering.numbers(operator.inputs[1] ?? -1);
    const bias = lowering.numbers(operator.inputs[2] ?? -1);
    bias.forEach((value, output) => {
      biases[branch * width + output] = value * scale + shift;
      for (let position = 0; position < height * columns; position++) {
        for (let input = 0; input < inputs; input++) {
          const to = (branch * width + output) * perOutput + input * height * columns + position;
          weights[to] = (kernel[(output * height * columns + position) * inputs + input] ?? 0) * scale;
        }
      }
    });
  });
  const features = lowering.value(convolutions.map((operator) => single(operator.inputs, 'input')));
  const value = onnx.node(
    'Conv',
    [
      features,
      onnx.floats(weights, [convolutions.length * width, inputs, height, columns]),
      onnx.floats(biases, [convolutions.length * width]),
    ],
    { group: convolutions.length, kernel_shape: [height, columns] },
  );
  return onnx.node('Reshape', [value, onnx.int64s([convolutions.length, HEAD_POINTS, 2])]);
}

/**
 * The model multiplies each branch's matrix by a constant, 4×4 in rows: `linear` over the linear part,
 * `shift` over the translation. Throws unless all branches have the same.
 */
function unitsOfBranches(lowering: Lowering, graph: TfliteGraph, branches: readonly TfliteOperator[]): BranchUnits {
  const scales = branches.map((branch) => lowering.numbers(producer(graph, branch.inputs[1]).inputs[1] ?? -1));
  const [linear = 1, , , shift = 1] = scales[0] ?? [];
  const expected = [linear, linear, undefined, shift, linear, linear, undefined, shift];
  for (const scale of scales) {
    if (expected.some((value, index) => value !== undefined && scale[index] !== value)) {
      throw new Error('the branches scale their matrices in different ways');
    }
  }
  return { linear, shift };
}

/** The model read, its lowering begun, and the values that every form of it starts with. */
interface Trunk {
  readonly graph: TfliteGraph;
  readonly onnx: OnnxGraph;
  readonly lowering: Lowering;
  /** ONNX value [468, 3]. */
  readonly mesh: string;
  /** TFLite tensor that the regions are cut out of. */
  readonly features: number;
}

function trunkOf(tflite: Uint8Array, name: string): Trunk {
  const graph = readTflite(tflite);
  const onnx = new OnnxGraph(name);
  const lowering = new Lowering(graph, onnx);
  lowering.bindInput(single(graph.inputs, 'input'), onnx.input('image', [1, 3, MESH_SIZE, MESH_SIZE]));
  const meshTensor = single(producer(graph, graph.outputs[0]).inputs, 'mesh output');
  const mesh = onnx.node('Reshape', [lowering.value([meshTensor]), onnx.int64s([MESH_POINTS, 3])]);
  const [sampler] = customOperators(graph, SAMPLER);
  return { graph, onnx, lowering, mesh, features: single(sampler?.inputs ?? [], 'region input') };
}

function putFlag({ graph, onnx, lowering }: Trunk): void {
  const flag = lowering.value([single(graph.outputs.slice(6), 'face flag')]);
  onnx.output('flag', onnx.node('Reshape', [flag, onnx.int64s([1])]), [1]);
}

/**
 * The face mesh with attention as ONNX, MediaPipe's three custom operators included. In: `image`
 * [1, 3, 192, 192], 0…1. Out, all in input pixels: `mesh` [468, 3], `heads` [5, 80, 2] (lips,
 * image-left eye, its iris, image-right eye, its iris; rows past a branch's own points mean
 * nothing), and `flag` [1], the logit of a face being there.
 */
export function meshToOnnx(tflite: Uint8Array): Uint8Array {
  const trunk = trunkOf(tflite, 'face_landmark_with_attention');
  const { graph, onnx, lowering, mesh, features } = trunk;
  const samplers = customOperators(graph, SAMPLER);
  const [, rows = 0, columns = 0, channels = 0] = graph.tensors[features]?.shape ?? [];
  const regions = regionsOf(graph);
  const geometry = regionGeometry(onnx, mesh, regions, columns / MESH_SIZE);
  const sampled = sampleRegions(onnx, lowering.value([features]), { rows, columns, channels }, regions, geometry);
  lowering.bindLanes(
    samplers.map((operator) => single(operator.outputs, 'region output')),
    enterBlockedLayout(onnx, sampled),
  );

  const branches = customOperators(graph, BRANCH);
  const matrixOf = (branch: TfliteOperator): number => producer(graph, branch.inputs[1]).inputs[0] ?? -1;
  const matrices = customOperators(graph, 'Landmarks2TransformMatrix').map((operator) => operator.outputs[0] ?? -1);
  const branchRegions = branches.map((branch) => matrices.indexOf(matrixOf(branch)));
  const local = heads(lowering, graph, branches.map(lastConvolution(graph)));
  const refined = toMeshFrame(
    onnx,
    local,
    branchRegions,
    regions,
    geometry,
    unitsOfBranches(lowering, graph, branches),
  );

  onnx.output('mesh', mesh, [MESH_POINTS, 3]);
  onnx.output('heads', refined, [branches.length, HEAD_POINTS, 2]);
  putFlag(trunk);
  return onnx.encode();
}

/**
 * The same model up to where it looks at eyes and lips again. In: `image` [1, 3, 192, 192], 0…1. Out:
 * `mesh` [468, 3] in input pixels, `flag` [1], and `features` [1, 32, 48, 48], of which eyesToOnnx's
 * regions are cut.
 */
export function trunkToOnnx(tflite: Uint8Array): Uint8Array {
  const trunk = trunkOf(tflite, 'face_landmark_trunk');
  const { graph, onnx, lowering, mesh, features } = trunk;
  const [, rows = 0, columns = 0, channels = 0] = graph.tensors[features]?.shape ?? [];
  onnx.output('features', lowering.value([features]), [1, channels, rows, columns]);
  onnx.output('mesh', mesh, [MESH_POINTS, 3]);
  putFlag(trunk);
  return onnx.encode();
}

/** Throws unless the model's regions of the eyes are those which shared/vision/eye-regions.ts has. */
export function checkEyeRegions({ from, to, points, scale, size }: Regions, featureCells: number): void {
  const ofEyes = [from, to, points].map((list) => list.slice(LIP_BRANCHES));
  const expected = [EYE_REGIONS.from, EYE_REGIONS.to, EYE_REGIONS.points];
  const isSame = JSON.stringify(ofEyes) === JSON.stringify(expected);
  if (!isSame || scale !== EYE_REGIONS.scale || size !== REGION_CELLS || featureCells !== FEATURE_CELLS) {
    throw new Error('the model looks at the eyes in other regions than shared/vision/eye-regions.ts has');
  }
}

/**
 * Its branches for the eyes, without the one for the lips. In: `features` as trunkToOnnx gives them, and
 * `grid` [1, 32, 16, 2]. Out: `points` [4, 80, 2]. Both as shared/vision/eye-regions.ts has them.
 */
export function eyesToOnnx(tflite: Uint8Array): Uint8Array {
  const whole = readTflite(tflite);
  const branches = customOperators(whole, BRANCH).slice(LIP_BRANCHES);
  const convolutions = branches.map(lastConvolution(whole));
  const graph = neededFor(
    whole,
    convolutions.map((operator) => single(operator.outputs, 'branch output')),
  );
  const samplers = customOperators(graph, SAMPLER);
  const features = single(samplers[0]?.inputs ?? [], 'region input');
  const [, rows = 0, columns = 0, channels = 0] = graph.tensors[features]?.shape ?? [];
  const regions = regionsOf(whole);
  checkEyeRegions(regions, columns);
  const { size } = regions;

  const onnx = new OnnxGraph('face_landmark_eyes');
  const lowering = new Lowering(graph, onnx);
  const sampled = onnx.node('GridSample', [
    onnx.input('features', [1, channels, rows, columns]),
    onnx.input('grid', [1, samplers.length * size, size, 2]),
  ]);
  const byChannel = onnx.node('Reshape', [sampled, onnx.int64s([channels, samplers.length, size * size])]);
  const byRegion = onnx.node('Transpose', [byChannel], { perm: [1, 0, 2] });
  const planes = onnx.node('Reshape', [byRegion, onnx.int64s([1, samplers.length * channels, size, size])]);
  lowering.bindLanes(
    samplers.map((operator) => single(operator.outputs, 'region output')),
    enterBlockedLayout(onnx, planes),
  );
  // From the branches' own units to cells from the region's centre.
  const cells = unitsOfBranches(lowering, whole, branches).linear / (MESH_SIZE / columns);
  const points = heads(lowering, graph, convolutions, cells, -size / 2);
  onnx.output('points', points, [branches.length, HEAD_POINTS, 2]);
  return onnx.encode();
}
