import { drawsPartsOfFrames } from '../lib/frame-parts.ts';
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

const crops = drawsPartsOfFrames();
void painter.encodesWebp().then((webp) => scope.postMessage({ type: 'ready', webp, crops }));
