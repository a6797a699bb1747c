import type * as Ort from 'onnxruntime-common';
import type * as OrtWeb from 'onnxruntime-web';
import { describeError, RelayError } from '../../shared/errors.ts';
import { DETECTOR_BOX_VALUES, DETECTOR_BOXES, DETECTOR_SIZE } from '../../shared/vision/detector.ts';
import { createLocator, type FaceModels } from '../../shared/vision/locate.ts';
import { HEAD_POINTS, MESH_POINTS, MESH_SIZE } from '../../shared/vision/mesh-output.ts';
import type { ModelFiles } from '../models/store.ts';
import { projectRequire } from '../packages.ts';
import type { EngineName, FaceEngine } from './engine.ts';

/** What onnxruntime-node and onnxruntime-web have in common. */
export type OnnxRuntime = Pick<typeof Ort, 'InferenceSession' | 'Tensor'>;

const HEADS = 5;

function floats(outputs: Ort.InferenceSession.OnnxValueMapType, name: string): Float32Array {
  const data = outputs[name]?.data;
  if (data instanceof Float32Array) return data;
  throw new RelayError('engine_output', `the model gave no float output "${name}"`);
}

async function open(
  runtime: OnnxRuntime,
  bytes: Uint8Array,
  executionProvider: 'cpu' | 'wasm',
): Promise<Ort.InferenceSession> {
  try {
    return await runtime.InferenceSession.create(bytes, {
      executionProviders: [executionProvider],
      // One thread per session: these models are too small for more, and the pool has a worker per core.
      intraOpNumThreads: 1,
      interOpNumThreads: 1,
      executionMode: 'sequential',
      graphOptimizationLevel: 'all',
      logSeverityLevel: 3,
    });
  } catch (error) {
    throw new RelayError('engine_unavailable', `onnxruntime cannot open a model: ${describeError(error)}`, {
      hint: 'delete the model cache (MODEL_CACHE_DIR), it is made again; if that does not help, npm ci',
      cause: error,
    });
  }
}

/** The two models on onnxruntime. Rejects with RelayError `engine_unavailable`. */
export async function openOnnxModels(
  runtime: OnnxRuntime,
  files: ModelFiles,
  executionProvider: 'cpu' | 'wasm' = 'cpu',
): Promise<FaceModels & { close(): Promise<void> }> {
  const { Tensor } = runtime;
  const mesh = await open(runtime, files.mesh, executionProvider);
  const detector = await open(runtime, files.detector, executionProvider);
  const place = (...shape: number[]) =>
    new Tensor('float32', new Float32Array(shape.reduce((product, side) => product * side, 1)), shape);
  // Outputs of the native runtime have their place, and are read before the next run; the other one
  // takes such tensors and leaves them empty.
  const inPlace = executionProvider === 'cpu';
  const meshOutputs = inPlace
    ? { mesh: place(MESH_POINTS, 3), heads: place(HEADS, HEAD_POINTS, 2), flag: place(1) }
    : ['mesh', 'heads', 'flag'];
  const detectorOutputs = inPlace
    ? { boxes: place(DETECTOR_BOXES, DETECTOR_BOX_VALUES), scores: place(DETECTOR_BOXES) }
    : ['boxes', 'scores'];
  const image = (planes: Float32Array, size: number) => ({ image: new Tensor('float32', planes, [1, 3, size, size]) });
  return {
    detect: async (planes) => {
      const outputs = await detector.run(image(planes, DETECTOR_SIZE), detectorOutputs);
      return { boxes: floats(outputs, 'boxes'), logits: floats(outputs, 'scores') };
    },
    mesh: async (planes) => {
      const outputs = await mesh.run(image(planes, MESH_SIZE), meshOutputs);
      const [flag] = floats(outputs, 'flag');
      if (flag === undefined) throw new RelayError('engine_output', 'the mesh model gave no face flag');
      return { mesh: floats(outputs, 'mesh'), heads: floats(outputs, 'heads'), flag };
    },
    close: async () => {
      await mesh.release();
      await detector.release();
    },
  };
}

async function engineOf(name: EngineName, models: ReturnType<typeof openOnnxModels>): Promise<FaceEngine> {
  const opened = await models;
  return { name, fallback: null, locate: createLocator(opened), close: opened.close };
}

/**
 * The default engine: onnxruntime's native build. Rejects with RelayError `native_unavailable` where
 * that does not load, `engine_unavailable` where it cannot open the models.
 */
export async function createOnnxEngine(files: ModelFiles): Promise<FaceEngine> {
  let runtime: OnnxRuntime;
  // Its telemetry is on unless told otherwise, and it asks the process's environment when it loads.
  process.env.ORT_DISABLE_TELEMETRY ??= '1';
  try {
    runtime = await import('onnxruntime-node');
  } catch (error) {
    throw new RelayError('native_unavailable', `onnxruntime-node does not load: ${describeError(error)}`, {
      hint: 'it has binaries for linux, macOS and Windows on x64 and arm64, glibc only',
      cause: error,
    });
  }
  return engineOf('onnx', openOnnxModels(runtime, files));
}

/** The same models in WebAssembly: about five times slower, and runs wherever Node does. */
export async function createOnnxWebEngine(files: ModelFiles): Promise<FaceEngine> {
  const runtime = projectRequire()('onnxruntime-web') as typeof OrtWeb;
  // The pool has the threads.
  runtime.env.wasm.numThreads = 1;
  return engineOf('onnx-web', openOnnxModels(runtime, files, 'wasm'));
}
