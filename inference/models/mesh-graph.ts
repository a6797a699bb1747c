import { HEAD_POINTS, MESH_POINTS, MESH_SIZE } from '../../shared/vision/mesh-output.ts';
import { Lowering } from './lowering.ts';
import { OnnxGraph } from './onnx.ts';
import { type Regions, regionGeometry, sampleRegions, toMeshFrame } from './regions.ts';
import { readTflite, type TfliteGraph, type TfliteOperator } from './tflite.ts';

export function customOperators(graph: TfliteGraph, name: string): TfliteOperator[] {
  return graph.operators.filter((operator) => operator.customName === name);
}

function producer(graph: TfliteGraph, tensor: number | undefined): TfliteOperator {
  const operator = graph.operators.find((candidate) => candidate.outputs[0] === tensor);
  if (operator === undefined) throw new Error(`tensor ${tensor} is computed by no operator`);
  return operator;
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
 * The convolutions that end the five branches as one, each branch padded with zero outputs to the
 * width of the widest. Gives [5, points, 2] in pixels of each branch's own region.
 */
function heads(lowering: Lowering, graph: TfliteGraph, convolutions: readonly TfliteOperator[]): string {
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
      biases[branch * width + output] = value;
      for (let position = 0; position < height * columns; position++) {
        for (let input = 0; input < inputs; input++) {
          const to = (branch * width + output) * perOutput + input * height * columns + position;
          weights[to] = kernel[(output * height * columns + position) * inputs + input] ?? 0;
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
 * The face mesh with attention as ONNX, MediaPipe's three custom operators included. In: `image`
 * [1, 3, 192, 192], 0…1. Out, all in input pixels: `mesh` [468, 3], `heads` [5, 80, 2] (lips,
 * image-left eye, its iris, image-right eye, its iris; rows past a branch's own points mean
 * nothing), and `flag` [1], the logit of a face being there.
 */
export function meshToOnnx(tflite: Uint8Array): Uint8Array {
  const graph = readTflite(tflite);
  const onnx = new OnnxGraph('face_landmark_with_attention');
  const lowering = new Lowering(graph, onnx);
  lowering.bindInput(single(graph.inputs, 'input'), onnx.input('image', [1, 3, MESH_SIZE, MESH_SIZE]));

  const meshTensor = single(producer(graph, graph.outputs[0]).inputs, 'mesh output');
  const mesh = onnx.node('Reshape', [lowering.value([meshTensor]), onnx.int64s([MESH_POINTS, 3])]);

  const samplers = customOperators(graph, 'TransformTensorBilinear');
  const features = single(samplers[0]?.inputs ?? [], 'region input');
  const [, rows = 0, columns = 0, channels = 0] = graph.tensors[features]?.shape ?? [];
  const regions = regionsOf(graph);
  const geometry = regionGeometry(onnx, mesh, regions, columns / MESH_SIZE);
  const sampled = sampleRegions(onnx, lowering.value([features]), { rows, columns, channels }, regions, geometry);
  lowering.bindLanes(
    samplers.map((operator) => single(operator.outputs, 'region output')),
    sampled,
  );

  const branches = customOperators(graph, 'TransformLandmarks');
  const matrixOf = (branch: TfliteOperator): number => producer(graph, branch.inputs[1]).inputs[0] ?? -1;
  const matrices = customOperators(graph, 'Landmarks2TransformMatrix').map((operator) => operator.outputs[0] ?? -1);
  const branchRegions = branches.map((branch) => matrices.indexOf(matrixOf(branch)));
  const local = heads(
    lowering,
    graph,
    branches.map((branch) => producer(graph, producer(graph, branch.inputs[0]).inputs[0])),
  );
  const scales = branches.map((branch) => lowering.numbers(producer(graph, branch.inputs[1]).inputs[1] ?? -1));
  const refined = toMeshFrame(onnx, local, branchRegions, regions, geometry, scales);

  onnx.output('mesh', mesh, [MESH_POINTS, 3]);
  onnx.output('heads', refined, [branches.length, HEAD_POINTS, 2]);
  const flag = lowering.value([single(graph.outputs.slice(6), 'face flag')]);
  onnx.output('flag', onnx.node('Reshape', [flag, onnx.int64s([1])]), [1]);
  return onnx.encode();
}
