import { CANVAS_SETTINGS, Painter } from './painter.ts';
import type { FromCaptureWorker, ToCaptureWorker } from './worker-messages.ts';

// The DOM's types know no worker's own scope.
interface CaptureScope {
  postMessage(message: FromCaptureWorker, transfer?: Transferable[]): void;
  onmessage: ((event: MessageEvent<ToCaptureWorker>) => void) | null;
}
const scope = globalThis as unknown as CaptureScope;

const canvas = new OffscreenCanvas(16, 16);
const context = canvas.getContext('2d', CANVAS_SETTINGS);
if (context === null) throw new Error('this browser gives workers no 2D canvas');
const painter = new Painter({ canvas, context, encode: (type, quality) => canvas.convertToBlob({ type, quality }) });

scope.onmessage = async ({ data }) => {
  if (data.type === 'sent') {
    painter.sent();
    return;
  }
  const { source, place, request } = data;
  const taking = painter.take(source, place, request);
  source.close();
  const result = await taking.catch(() => ({ kind: 'none' }) as const);
  scope.postMessage({ type: 'taken', result }, result.kind === 'picture' ? [result.image.buffer] : []);
};

/**
 * Whether a part of a video's frame is drawn where that part is asked for: WebKit draws the whole frame, without an
 * error. Tried on a picture that is black on its left and white on its right.
 */
function cropsFrames(): boolean {
  if (typeof VideoFrame !== 'function') return false;
  const sidePx = canvas.width;
  const known = new OffscreenCanvas(sidePx, sidePx);
  const halves = known.getContext('2d', CANVAS_SETTINGS);
  if (halves === null || context === null) return false;
  halves.fillStyle = '#fff';
  halves.fillRect(sidePx / 2, 0, sidePx / 2, sidePx);
  const frame = new VideoFrame(known, { timestamp: 0 });
  context.drawImage(frame, sidePx / 2, 0, sidePx / 2, sidePx, 0, 0, sidePx, sidePx);
  frame.close();
  const [luma = 0] = context.getImageData(2, sidePx / 2, 1, 1).data;
  return luma > 128;
}

function tryCrops(): boolean {
  try {
    return cropsFrames();
  } catch {
    return false;
  }
}

const crops = tryCrops();
void painter.encodesWebp().then((webp) => scope.postMessage({ type: 'ready', webp, crops }));
