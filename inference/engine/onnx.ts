import type * as Ort from 'onnxruntime-common';
import type * as OrtWeb from 'onnxruntime-web';
import { describeError, RelayError } from '../../shared/errors.ts';
import { DETECTOR_BOX_VALUES, DETECTOR_BOXES, DETECTOR_SIZE } from '../../shared/vision/detector.ts';
import { EYE_BRANCHES, withMeshLips } from '../../shared/vision/eye-regions.ts';
import { createLocator, type FaceModels } from '../../shared/vision/locate.ts';
import { HEAD_POINTS, HEADS, MESH_POINTS, MESH_SIZE } from '../../shared/vision/mesh-output.ts';
import type { ModelFiles } from '../models/store.ts';
import { projectRequire } from '../packages.ts';
import type { EngineName, FaceEngine } from './engine.ts';

/** What onnxruntime-node and onnxruntime-web have in common. */
export type OnnxRuntime = Pick<typeof Ort, 'InferenceSession' | 'Tensor'>;

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
      hint: 'run npm ci and npm run build',
      cause: error,
    });
  }
}

/** One model, its outputs at a place of their own where the runtime takes such. */
interface Runner {
  run(feeds: Readonly<Record<string, Ort.Tensor>>): Promise<Ort.InferenceSession.OnnxValueMapType>;
  release(): Promise<void>;
}

async function openRunner(
  runtime: OnnxRuntime,
  bytes: Uint8Array,
  executionProvider: 'cpu' | 'wasm',
  outputs: Readonly<Record<string, readonly number[]>>,
): Promise<Runner> {
  const session = await open(runtime, bytes, executionProvider);
  // Outputs of the native runtime have their place, and are read before the next run; the other one
  // takes such tensors and leaves them empty.
  const fetches =
    executionProvider === 'cpu'
      ? Object.fromEntries(Object.entries(outputs).map(([name, shape]) => [name, place(runtime, shape)]))
      : Object.keys(outputs);
  return { run: (feeds) => session.run(feeds, fetches), release: () => session.release() };
}

function place({ Tensor }: OnnxRuntime, shape: readonly number[]): Ort.Tensor {
  return new Tensor('float32', new Float32Array(shape.reduce((product, side) => product * side, 1)), shape);
}

/** A form of the mesh model. */
type Mesh = Pick<FaceModels, 'mesh'> & { close(): Promise<void> };

/** The mesh model in the form with that many branches, or without the lips' one. */
async function openMesh(
  runtime: OnnxRuntime,
  file: Uint8Array,
  executionProvider: 'cpu' | 'wasm',
  branches: typeof HEADS | typeof EYE_BRANCHES,
): Promise<Mesh> {
  const session = await openRunner(runtime, file, executionProvider, {
    mesh: [1, MESH_POINTS * 3],
    heads: [branches, HEAD_POINTS, 2],
    flag: [1],
  });
  return {
    mesh: async (planes) => {
      const outputs = await session.run({ image: imageOf(runtime, planes, MESH_SIZE) });
      const [flag] = floats(outputs, 'flag');
      if (flag === undefined) throw new RelayError('engine_output', 'the mesh model gave no face flag');
      const mesh = floats(outputs, 'mesh');
      const refined = floats(outputs, 'heads');
      return { mesh, heads: branches === HEADS ? refined : withMeshLips(mesh, refined), flag };
    },
    close: () => session.release(),
  };
}

function imageOf({ Tensor }: OnnxRuntime, planes: Float32Array, size: number): Ort.Tensor {
  return new Tensor('float32', planes, [1, 3, size, size]);
}

async function withDetector(
  runtime: OnnxRuntime,
  { mesh, close }: Mesh,
  file: Uint8Array,
  executionProvider: 'cpu' | 'wasm',
): Promise<OpenModels> {
  const detector = await openRunner(runtime, file, executionProvider, {
    boxes: [DETECTOR_BOXES, DETECTOR_BOX_VALUES],
    scores: [DETECTOR_BOXES],
  });
  return {
    detect: async (planes) => {
      const outputs = await detector.run({ image: imageOf(runtime, planes, DETECTOR_SIZE) });
      return { boxes: floats(outputs, 'boxes'), logits: floats(outputs, 'scores') };
    },
    mesh,
    close: async () => {
      await close();
      await detector.release();
    },
  };
}

export type OpenModels = FaceModels & { close(): Promise<void> };

/**
 * The models on onnxruntime, with the landmarks that an observation is made of: all but the lips'
 * refinement. Rejects with RelayError `engine_unavailable`.
 */
export async function openOnnxModels(
  runtime: OnnxRuntime,
  files: ModelFiles,
  executionProvider: 'cpu' | 'wasm' = 'cpu',
): Promise<OpenModels> {
  const mesh = await openMesh(runtime, files.observedMesh, executionProvider, EYE_BRANCHES);
  return withDetector(runtime, mesh, files.detector, executionProvider);
}

/** The same with all 478 landmarks refined, a fifth slower, on the native runtime. */
export async function openWholeOnnxModels(
  runtime: OnnxRuntime,
  files: ModelFiles<'mesh' | 'detector'>,
): Promise<OpenModels> {
  return withDetector(runtime, await openMesh(runtime, files.mesh, 'cpu', HEADS), files.detector, 'cpu');
}

async function engineOf(name: EngineName, models: Promise<OpenModels>): Promise<FaceEngine> {
  const opened = await models;
  return { name, fallback: null, locate: createLocator(opened), close: opened.close };
}

/** Rejects with RelayError `native_unavailable` where onnxruntime's native build does not load. */
async function nativeRuntime(): Promise<OnnxRuntime> {
  // Its telemetry is on unless told otherwise, and it asks the process's environment when it loads.
  process.env.ORT_DISABLE_TELEMETRY ??= '1';
  try {
    return await import('onnxruntime-node');
  } catch (error) {
    throw new RelayError('native_unavailable', `onnxruntime-node does not load: ${describeError(error)}`, {
      hint: 'it has binaries for linux, macOS and Windows on x64 and arm64, glibc only',
      cause: error,
    });
  }
}

/**
 * The default engine: onnxruntime's native build. Rejects with RelayError `native_unavailable` where
 * that does not load, `engine_unavailable` where it cannot open the models.
 */
export async function createOnnxEngine(files: ModelFiles): Promise<FaceEngine> {
  return engineOf('onnx', openOnnxModels(await nativeRuntime(), files));
}

/** The same with all 478 landmarks refined. */
export async function createWholeOnnxEngine(files: ModelFiles<'mesh' | 'detector'>): Promise<FaceEngine> {
  return engineOf('onnx', openWholeOnnxModels(await nativeRuntime(), files));
}

/** The same models in WebAssembly: about five times slower, and runs wherever Node does. */
export async function createOnnxWebEngine(files: ModelFiles): Promise<FaceEngine> {
  const runtime = projectRequire()('onnxruntime-web') as typeof OrtWeb;
  // The pool has the threads.
  runtime.env.wasm.numThreads = 1;
  return engineOf('onnx-web', openOnnxModels(runtime, files, 'wasm'));
}
