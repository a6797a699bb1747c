import { InferenceSession, Tensor } from 'onnxruntime-node';
import { describeError, RelayError } from '../../shared/errors.ts';
import { DETECTOR_SIZE } from '../../shared/vision/detector.ts';
import { createLocator, type FaceModels } from '../../shared/vision/locate.ts';
import { MESH_SIZE } from '../../shared/vision/mesh-output.ts';
import type { ModelFiles } from '../models/store.ts';
import type { FaceEngine } from './engine.ts';

// One thread per session: these models are too small for more, and the pool has a worker per core.
const SESSION_OPTIONS: InferenceSession.SessionOptions = {
  executionProviders: ['cpu'],
  intraOpNumThreads: 1,
  interOpNumThreads: 1,
  executionMode: 'sequential',
  graphOptimizationLevel: 'all',
  logSeverityLevel: 3,
};

function floats(outputs: InferenceSession.OnnxValueMapType, name: string): Float32Array {
  const data = outputs[name]?.data;
  if (data instanceof Float32Array) return data;
  throw new RelayError('engine_output', `the model gave no float output "${name}"`);
}

function image(planes: Float32Array, size: number): { image: Tensor } {
  return { image: new Tensor('float32', planes, [1, 3, size, size]) };
}

/** The two models on onnxruntime's CPU provider. Rejects with RelayError `engine_unavailable`. */
export async function openOnnxModels(files: ModelFiles): Promise<FaceModels & { close(): Promise<void> }> {
  const open = async (bytes: Uint8Array): Promise<InferenceSession> => {
    try {
      return await InferenceSession.create(bytes, SESSION_OPTIONS);
    } catch (error) {
      throw new RelayError('engine_unavailable', `onnxruntime cannot open a model: ${describeError(error)}`, {
        hint: 'onnxruntime-node has binaries for linux, macOS and Windows on x64 and arm64, glibc only',
        cause: error,
      });
    }
  };
  const mesh = await open(files.mesh);
  const detector = await open(files.detector);
  return {
    detect: async (planes) => {
      const outputs = await detector.run(image(planes, DETECTOR_SIZE));
      return { boxes: floats(outputs, 'boxes'), logits: floats(outputs, 'scores') };
    },
    mesh: async (planes) => {
      const outputs = await mesh.run(image(planes, MESH_SIZE));
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

/** The default engine. Rejects with RelayError `engine_unavailable`. */
export async function createOnnxEngine(files: ModelFiles): Promise<FaceEngine> {
  const models = await openOnnxModels(files);
  return {
    name: 'onnx',
    locate: createLocator(models),
    close: models.close,
  };
}
