import { describeError, RelayError } from '../../shared/errors.ts';
import type { FrameSize } from '../../shared/geometry.ts';
import { splitFiles } from '../../shared/vision/device-models.ts';
import type { PixelImage } from '../../shared/vision/image.ts';
import { createLocator } from '../../shared/vision/locate.ts';
import { drawsPartsOfFrames } from '../lib/frame-parts.ts';
import type { FromWorker, ToWorker } from './messages.ts';
import { openNetworkModels } from './models.ts';
import { KERNEL_WASM_BASE64 } from './network/kernel-bytes.ts';
import { createObserver, type Observer } from './observer.ts';

/** The part of a worker's global scope that is used; TypeScript's DOM types do not have it. */
interface WorkerScope {
  onmessage: ((event: MessageEvent<ToWorker>) => void) | null;
  postMessage(message: FromWorker): void;
}

const scope = self as unknown as WorkerScope;

/** Longer side of the analysed picture: a face fills a part of it, and the mesh needs no more pixels. */
const MAX_PICTURE_PX = 640;
/** Blank pictures before the speed is measured: the first ones compile the kernels. */
const WARM_UP_PICTURES = 3;

/** Downloads a file and reports the progress. */
async function download(url: string, expectedBytes: number): Promise<Uint8Array> {
  const response = await fetch(url, { priority: 'low' } as RequestInit);
  if (!response.ok || response.body === null)
    throw new RelayError('models_unreachable', `the models: HTTP ${response.status}`);
  const bytes = new Uint8Array(expectedBytes);
  const reader = response.body.getReader();
  let loadedBytes = 0;
  for (let part = await reader.read(); !part.done; part = await reader.read()) {
    if (loadedBytes + part.value.length > expectedBytes)
      throw new RelayError('models_changed', 'the models are too long');
    bytes.set(part.value, loadedBytes);
    loadedBytes += part.value.length;
    scope.postMessage({ type: 'progress', loadedBytes });
  }
  return bytes.subarray(0, loadedBytes);
}

/** Bytes that the link carried for `url`: 0 if the browser had it cached, or does not say. */
function transferredBytes(url: string): number {
  const [entry] = performance.getEntriesByName(url, 'resource') as PerformanceResourceTiming[];
  return entry?.transferSize ?? 0;
}

function kernelBytes(): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(atob(KERNEL_WASM_BASE64), (character) => character.charCodeAt(0));
}

function createCanvas(): (picture: VideoFrame | ImageBitmap) => PixelImage {
  const canvas = new OffscreenCanvas(1, 1);
  const context = canvas.getContext('2d', { alpha: false, willReadFrequently: true });
  if (context === null) throw new RelayError('canvas_missing', 'this browser gives a worker no 2D canvas');
  return (picture) => {
    const [width, height] =
      'displayWidth' in picture ? [picture.displayWidth, picture.displayHeight] : [picture.width, picture.height];
    const scale = Math.min(1, MAX_PICTURE_PX / Math.max(width, height));
    const widthPx = Math.max(2, Math.round(width * scale));
    const heightPx = Math.max(2, Math.round(height * scale));
    if (canvas.width !== widthPx) canvas.width = widthPx;
    if (canvas.height !== heightPx) canvas.height = heightPx;
    context.imageSmoothingQuality = 'high';
    context.drawImage(picture, 0, 0, widthPx, heightPx);
    return { data: context.getImageData(0, 0, widthPx, heightPx).data, widthPx, heightPx, channels: 4 };
  };
}

/** Rejects with RelayError `wasm_blocked` where the page's content security policy allows no WebAssembly. */
async function compileKernels(): Promise<WebAssembly.Module> {
  try {
    return await WebAssembly.compile(kernelBytes());
  } catch (cause) {
    // The bytes are ours: Chromium and WebKit name `unsafe-eval`, Firefox says "blocked by CSP".
    throw new RelayError('wasm_blocked', describeError(cause), { cause });
  }
}

interface Opened {
  readonly observer: Observer;
  readonly pixelsOf: (picture: VideoFrame | ImageBitmap) => PixelImage;
}

async function open({ modelsUrl, modelsBytes }: Extract<ToWorker, { type: 'open' }>): Promise<Opened> {
  const pixelsOf = createCanvas();
  // Compiled first: if that fails, the download is saved.
  const module = await compileKernels();
  const [mesh, detector] = splitFiles(await download(modelsUrl, modelsBytes));
  if (mesh === undefined || detector === undefined) throw new RelayError('models_changed', 'a model is missing');
  const models = await openNetworkModels(module, { mesh, detector });
  const locate = createLocator(models);
  const blank: PixelImage = { data: new Uint8Array(160 * 120 * 4), widthPx: 160, heightPx: 120, channels: 4 };
  const size: FrameSize = { widthPx: 160, heightPx: 120 };
  const hint = { centerXPx: 80, centerYPx: 60, sizePx: 100, rotationRad: 0 };
  let inferenceMs = 0;
  for (let picture = 0; picture <= WARM_UP_PICTURES; picture++) {
    const startedMs = performance.now();
    // A blank picture fails the hint, so both models run: the longest time for one picture.
    await locate({ image: blank, crop: { xPx: 0, yPx: 0, ...size } }, hint);
    inferenceMs = performance.now() - startedMs;
  }
  scope.postMessage({
    type: 'ready',
    inferenceMs,
    downloadedBytes: transferredBytes(modelsUrl),
    takesFrames: drawsPartsOfFrames(),
  });
  return { observer: createObserver(locate), pixelsOf };
}

async function infer({ observer, pixelsOf }: Opened, message: Extract<ToWorker, { type: 'infer' }>): Promise<void> {
  const startedMs = performance.now();
  try {
    const image = pixelsOf(message.picture);
    const observed = await observer.observe(image, message.camera, message.captureMs, message.rests);
    scope.postMessage({ type: 'inferred', id: message.id, ...observed, inferenceMs: performance.now() - startedMs });
  } finally {
    message.picture.close();
  }
}

function fail(error: unknown): void {
  const code = error instanceof RelayError ? error.code : 'device_failed';
  scope.postMessage({ type: 'failed', code, message: describeError(error) });
}

let opened: Promise<Opened> | null = null;
// One picture after the other, whatever the page sends.
let turn: Promise<void> = Promise.resolve();

scope.onmessage = ({ data }) => {
  switch (data.type) {
    case 'open':
      opened ??= open(data);
      opened.catch(fail);
      return;
    case 'forget':
      turn = turn.then(async () => (await opened)?.observer.forget()).catch(fail);
      return;
    case 'infer':
      turn = turn
        .then(async () => {
          const ready = await opened;
          if (ready !== null) await infer(ready, data);
        })
        .catch(fail);
  }
};
