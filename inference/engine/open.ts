import type { ModelFiles } from '../models/store.ts';
import type { EngineName, FaceEngine } from './engine.ts';
import { createOnnxEngine } from './onnx.ts';

/** Opens an engine by name. Rejects with RelayError `engine_unavailable`. */
export async function openEngine(name: EngineName, files: ModelFiles): Promise<FaceEngine> {
  switch (name) {
    case 'onnx':
      return createOnnxEngine(files);
  }
}

/** Runs every model once, so that the first request is no slower than the rest and a broken engine shows at once. */
export async function warmUp(engine: FaceEngine): Promise<void> {
  const sizePx = 64;
  const image = { data: new Uint8Array(sizePx * sizePx * 3), widthPx: sizePx, heightPx: sizePx, channels: 3 as const };
  const crop = { xPx: 0, yPx: 0, widthPx: sizePx, heightPx: sizePx };
  const hint = { centerXPx: sizePx / 2, centerYPx: sizePx / 2, sizePx, rotationRad: 0 };
  // An empty picture fails the hint, so the detector runs as well.
  await engine.locate({ image, crop }, hint);
}
