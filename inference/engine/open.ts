import { Buffer } from 'node:buffer';
import { describeError, RelayError } from '../../shared/errors.ts';
import type { ModelFiles } from '../models/store.ts';
import type { TfjsFiles } from '../models/tfjs-store.ts';
import type { Vision } from '../observe.ts';
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

/** 32×32 black pixels, JPEG. */
const BLACK_JPEG =
  '/9j/2wBDABALDA4MChAODQ4SERATGCgaGBYWGDEjJR0oOjM9PDkzODdASFxOQERXRTc4UG1RV19iZ2hnPk1xeXBkeFxlZ2P/2wBDARESEhgVGC8aGi9jQjhCY2NjY2NjY2NjY2NjY2NjY2NjY2NjY2NjY2NjY2NjY2NjY2NjY2NjY2NjY2NjY2NjY2P/wAARCAAgACADASIAAhEBAxEB/8QAFQABAQAAAAAAAAAAAAAAAAAAAAf/xAAUEAEAAAAAAAAAAAAAAAAAAAAA/8QAFAEBAAAAAAAAAAAAAAAAAAAAAP/EABQRAQAAAAAAAAAAAAAAAAAAAAD/2gAMAwEAAhEDEQA/AJ+AAAAAAAD/2Q==';

/**
 * Runs everything once, so that the first request is no slower than the rest and a broken engine
 * shows at once. Rejects with what is broken.
 */
export async function warmUp({ engine, read }: Vision): Promise<void> {
  const size = { widthPx: 32, heightPx: 32 };
  // A black picture fails the hint, so the detector runs as well.
  const hint = { centerXPx: 16, centerYPx: 16, sizePx: 32, rotationRad: 0 };
  const bytes = Buffer.from(BLACK_JPEG, 'base64');
  const picture = await read({ bytes, format: 'jpeg', ...size, crop: { xPx: 0, yPx: 0, ...size } }, hint);
  await engine.locate(picture, hint);
}
