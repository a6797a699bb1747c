import { Buffer } from 'node:buffer';
import type { ModelFiles } from '../models/store.ts';
import type { Vision } from '../pipeline/observe.ts';
import type { EngineName, FaceEngine } from './engine.ts';
import { createOnnxEngine } from './onnx.ts';

/** Opens an engine by name. Rejects with RelayError `engine_unavailable`. */
export async function openEngine(name: EngineName, files: ModelFiles): Promise<FaceEngine> {
  switch (name) {
    case 'onnx':
      return createOnnxEngine(files);
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
