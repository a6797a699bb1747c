import { InferenceSession, Tensor } from 'onnxruntime-node';
import { OnnxGraph } from '../../scripts/models/onnx.ts';
import { readSource } from '../../scripts/models/source.ts';
import { readTflite, type TfliteGraph } from '../../scripts/models/tflite.ts';

/** A product of square matrices this large runs at the core's own speed, not the memory's. */
const GEMM_SIZE = 768;
const GEMM_TURNS = 30;

/** Multiply-accumulates of a graph's convolutions. */
function macsOf(graph: TfliteGraph): number {
  const size = (tensor: number | undefined): number =>
    (graph.tensors[tensor ?? -1]?.shape ?? []).reduce((product, side) => product * side, 1);
  let macs = 0;
  for (const { name, inputs, outputs } of graph.operators) {
    const channels = graph.tensors[outputs[0] ?? -1]?.shape.at(-1) ?? 1;
    // A kernel holds, for every output channel, the weights of one output value.
    if (name === 'conv2d' || name === 'depthwiseConv2d') macs += (size(outputs[0]) * size(inputs[1])) / channels;
  }
  return macs;
}

/** Multiply-accumulates of one run of the mesh model: whole, and without the lips' branch. */
export async function meshMacs(): Promise<{ readonly whole: number; readonly observed: number }> {
  const graph = readTflite(await readSource('mesh'));
  const [, ...eyes] = graph.customOperators('TransformLandmarks').map((branch) => branch.outputs[0] ?? -1);
  const [mesh = -1] = graph.outputs;
  const flag = graph.outputs.at(-1) ?? -1;
  return { whole: macsOf(graph), observed: macsOf(graph.neededFor([mesh, flag, ...eyes])) };
}

/** Multiply-accumulates per ms of one core: the best of many large matrix products. */
export async function measureCorePeak(): Promise<number> {
  const onnx = new OnnxGraph('product');
  const shape = [GEMM_SIZE, GEMM_SIZE];
  const factor = onnx.floats(new Float32Array(GEMM_SIZE * GEMM_SIZE).fill(0.5), shape);
  onnx.output('product', onnx.node('MatMul', [onnx.input('factor', shape), factor]), shape);
  const session = await InferenceSession.create(onnx.encode(), { intraOpNumThreads: 1, interOpNumThreads: 1 });
  const feeds = { factor: new Tensor('float32', new Float32Array(GEMM_SIZE * GEMM_SIZE).fill(0.25), shape) };
  let best = Number.POSITIVE_INFINITY;
  for (let turn = 0; turn < GEMM_TURNS; turn++) {
    const startedMs = performance.now();
    await session.run(feeds);
    best = Math.min(best, performance.now() - startedMs);
  }
  await session.release();
  return GEMM_SIZE ** 3 / best;
}
