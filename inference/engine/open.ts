import { describeError, RelayError } from '../../shared/errors.ts';
import type { ModelFiles } from '../models/store.ts';
import type { TfjsFiles } from '../models/tfjs-store.ts';
import type { EngineName, FaceEngine } from './engine.ts';
import { createOnnxEngine, createOnnxWebEngine } from './onnx.ts';
import { createTfjsEngine } from './tfjs.ts';

/** What an engine is made of: `tfjs` of TensorFlow graphs, the others of ONNX models. */
export type EngineFiles = ModelFiles | TfjsFiles;

/**
 * Opens an engine by name; `onnx-web` in place of `onnx` where the native library does not load.
 * Rejects with RelayError `engine_unavailable`.
 */
export async function openEngine(name: EngineName, files: EngineFiles): Promise<FaceEngine> {
  if (!('observedMesh' in files)) return createTfjsEngine(files);
  if (name === 'onnx-web') return createOnnxWebEngine(files);
  try {
    return await createOnnxEngine(files);
  } catch (error) {
    if (!(error instanceof RelayError) || error.code !== 'native_unavailable') throw error;
    return { ...(await createOnnxWebEngine(files)), fallback: describeError(error) };
  }
}
