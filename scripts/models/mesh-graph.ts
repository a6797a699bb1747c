import { EYE_REGIONS, FEATURE_CELLS, REGION_CELLS } from '../../shared/vision/eye-regions.ts';
import { HEAD_POINTS, MESH_POINTS, MESH_SIZE } from '../../shared/vision/mesh-output.ts';
import { Lowering } from './lowering.ts';
import { OnnxGraph } from './onnx.ts';
import { enterBlockedLayout } from './operator-groups.ts';
import { cellExtent, placeRegions, type Regions, sampleRegions, toMeshPixels } from './regions.ts';
import { readTflite, type TfliteGraph, type TfliteOperator } from './tflite.ts';

const SAMPLER = 'TransformTensorBilinear';
const BRANCH = 'TransformLandmarks';
/** The lips, branch and region, come before the eyes. */
export const LIP_BRANCHES = 1;

/** The convolution that ends a branch. */
function lastConvolution(graph: TfliteGraph): (branch: TfliteOperator) => TfliteOperator {
  return (branch) => graph.producer(graph.producer(branch.inputs[0]).inputs[0]);
}

function single(list: readonly number[], what: string): number {
  const [value] = list;
  if (value === undefined) throw new Error(`the mesh model has no ${what}`);
  return value;
}

export function regionsOf(graph: TfliteGraph): Regions {
  const matrices = graph.customOperators('Landmarks2TransformMatrix').map((operator) => operator.customOptions);
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
 * The convolutions that end the branches as one, each branch padded to the width of the widest. Gives
 * [branches, points, 3]: x and y in the model's units times `scale`, plus `shift`, and 1.
 */
function heads(
  lowering: Lowering,
  graph: TfliteGraph,
  convolutions: readonly TfliteOperator[],
  scale: number,
  shift: number,
): string {
  const { onnx } = lowering;
  const width = HEAD_POINTS * 3;
  const kernels = convolutions.map((operator) => single(operator.inputs.slice(1), 'kernel'));
  const [, height = 0, columns = 0, inputs = 0] = graph.tensors[kernels[0] ?? -1]?.shape ?? [];
  const perOutput = inputs * height * columns;
  const weights = new Float32Array(convolutions.length * width * perOutput);
  const biases = Float32Array.from({ length: convolutions.length * width }, (_, at) => (at % 3 === 2 ? 1 : 0));
  convolutions.forEach((operator, branch) => {
    const kernel = graph.numbers(operator.inputs[1] ?? -1);
    const bias = graph.numbers(operator.inputs[2] ?? -1);
    bias.forEach((value, output) => {
      const row = branch * width + (output >> 1) * 3 + (output & 1);
      biases[row] = value * scale + shift;
      for (let position = 0; position < height * columns; position++) {
        for (let input = 0; input < inputs; input++) {
          const weight = kernel[(output * height * columns + position) * inputs + input] ?? 0;
          weights[row * perOutput + input * height * columns + position] = weight * scale;
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
  return onnx.node('Reshape', [value, onnx.int64s([convolutions.length, HEAD_POINTS, 3])]);
}

/**
 * A cut-out's cells in one of its branches' units. The model multiplies each branch's matrix by a
 * constant, 4×4 in rows: the first over its linear part, the fourth, input pixels in a feature cell,
 * over the translation. Throws unless all branches have the same.
 */
function cellsPerUnit(graph: TfliteGraph, branches: readonly TfliteOperator[], pxPerCell: number): number {
  const scales = branches.map((branch) => graph.numbers(graph.producer(branch.inputs[1]).inputs[1]));
  const [linear = 1] = scales[0] ?? [];
  const expected = [linear, linear, undefined, pxPerCell, linear, linear, undefined, pxPerCell];
  for (const scale of scales) {
    if (expected.some((value, index) => value !== undefined && scale[index] !== value)) {
      throw new Error('the branches scale their matrices in different ways');
    }
  }
  return linear / pxPerCell;
}

/** Regions and branches from the `first` on. */
function only(regions: Regions, first: number): Regions {
  const { from, to, points } = regions;
  return { ...regions, from: from.slice(first), to: to.slice(first), points: points.slice(first) };
}

function convert(tflite: Uint8Array, name: string, firstBranch: number): Uint8Array {
  const whole = readTflite(tflite);
  const branches = whole.customOperators(BRANCH).slice(firstBranch);
  const convolutions = branches.map(lastConvolution(whole));
  const meshTensor = single(whole.producer(whole.outputs[0]).inputs, 'mesh output');
  const flagTensor = single(whole.outputs.slice(6), 'face flag');
  const branchOutputs = convolutions.map((operator) => single(operator.outputs, 'branch output'));
  const graph = whole.neededFor([meshTensor, flagTensor, ...branchOutputs]);
  const regions = only(regionsOf(whole), firstBranch);

  const onnx = new OnnxGraph(name);
  const lowering = new Lowering(graph, onnx);
  lowering.bindInput(single(graph.inputs, 'input'), onnx.input('image', [1, 3, MESH_SIZE, MESH_SIZE]));
  const mesh = onnx.node('Reshape', [lowering.value([meshTensor]), onnx.int64s([1, MESH_POINTS * 3])]);
  const placed = placeRegions(onnx, mesh, MESH_POINTS, regions);
  const samplers = graph.customOperators(SAMPLER);
  const features = single(samplers[0]?.inputs ?? [], 'region input');
  const [, rows = 0, columns = 0, channels = 0] = graph.tensors[features]?.shape ?? [];
  const shape = { rows, columns, channels };
  const sampled = sampleRegions(onnx, lowering.value([features]), shape, regions, placed, MESH_SIZE);
  lowering.bindGroup(
    samplers.map((operator) => single(operator.outputs, 'region output')),
    enterBlockedLayout(onnx, sampled),
  );

  const cell = cellExtent(regions);
  const unit = cellsPerUnit(whole, branches, MESH_SIZE / columns) * cell;
  const points = heads(lowering, graph, convolutions, unit, -cell * (regions.size / 2));
  const matrixOf = (branch: TfliteOperator): number => whole.producer(branch.inputs[1]).inputs[0] ?? -1;
  const matrices = whole.customOperators('Landmarks2TransformMatrix').map((operator) => operator.outputs[0] ?? -1);
  const branchRegions = branches.map((branch) => matrices.indexOf(matrixOf(branch)) - firstBranch);

  onnx.output('mesh', mesh, [1, MESH_POINTS * 3]);
  onnx.output('heads', toMeshPixels(onnx, points, branchRegions, placed), [branches.length, HEAD_POINTS, 2]);
  onnx.output('flag', onnx.node('Reshape', [lowering.value([flagTensor]), onnx.int64s([1])]), [1]);
  return onnx.encode();
}

/**
 * The face mesh with attention as ONNX, MediaPipe's three custom operators included. In: `image`
 * [1, 3, 192, 192], 0…1. Out, all in input pixels: `mesh` [1, 468·3], `heads` [5, 80, 2] (lips,
 * image-left eye, its iris, image-right eye, its iris; rows past a branch's own points mean
 * nothing), and `flag` [1], the logit of a face being there.
 */
export function meshToOnnx(tflite: Uint8Array): Uint8Array {
  return convert(tflite, 'face_landmark_with_attention', 0);
}

/** The same without the lips' branch: `heads` is [4, 80, 2]. */
export function observedMeshToOnnx(tflite: Uint8Array): Uint8Array {
  return convert(tflite, 'face_landmark_observed', LIP_BRANCHES);
}

/** Throws unless the model's regions of the eyes are those which shared/vision/eye-regions.ts has. */
export function checkEyeRegions({ from, to, points, scale, size }: Regions, featureCells: number): void {
  const ofEyes = [from, to, points].map((list) => list.slice(LIP_BRANCHES));
  const expected = [EYE_REGIONS.from, EYE_REGIONS.to, EYE_REGIONS.points];
  const isSame = JSON.stringify(ofEyes) === JSON.stringify(expected);
  if (!isSame || scale !== EYE_REGIONS.scale || size !== REGION_CELLS || featureCells !== FEATURE_CELLS) {
    throw new Error('the model cuts other regions of the eyes than shared/vision/eye-regions.ts has');
  }
}
