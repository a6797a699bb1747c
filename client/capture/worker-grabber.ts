import type { RectPx } from '../../shared/geometry.ts';
import { uprightFrame } from '../lib/frame-parts.ts';
import type { Grabber, PictureRequest, PictureResult } from './picture.ts';
import type { FromCaptureWorker, ToCaptureWorker } from './worker-messages.ts';

/** After this time a picture has failed. */
const TAKE_TIMEOUT_MS = 5000;

/**
 * Draws, compares and encodes in a worker. The page's thread passes a reference to the video's frame, without reading a
 * pixel if the browser has `VideoFrame`.
 */
export class WorkerGrabber implements Grabber {
  /** Called once when the worker fails: another grabber must take over. */
  onFailure: () => void = () => {};
  readonly #worker: Worker;
  readonly #crops: boolean;
  #disposed = false;
  #settle: ((result: PictureResult) => void) | null = null;

  /** `crops`: whether parts of a VideoFrame can be drawn; without it the part is cut out as a bitmap. */
  constructor(worker: Worker, crops: boolean) {
    this.#worker = worker;
    this.#crops = crops;
    worker.onmessage = ({ data }: MessageEvent<FromCaptureWorker>) => {
      if (data.type === 'taken') this.#finish(data.result);
    };
    worker.onerror = (event) => {
      event.preventDefault();
      this.#fail();
    };
  }

  async grab(video: HTMLVideoElement, request: PictureRequest): Promise<PictureResult> {
    const frame = await frameOf(video, request, this.#crops).catch(() => null);
    // The video has no picture any more, or the worker has ended.
    if (frame === null || this.#disposed) {
      frame?.source.close();
      return { kind: 'none' };
    }
    const { source, place } = frame;
    return new Promise((resolve) => {
      const timer = setTimeout(() => this.#fail(), TAKE_TIMEOUT_MS);
      this.#settle = (result) => {
        clearTimeout(timer);
        resolve(result);
      };
      this.#post({ type: 'take', source, place, request }, [source]);
    });
  }

  sent(): void {
    this.#post({ type: 'sent' }, []);
  }

  dispose(): void {
    this.#disposed = true;
    this.#worker.terminate();
    this.#finish({ kind: 'none' });
  }

  #post(message: ToCaptureWorker, transfer: Transferable[]): void {
    this.#worker.postMessage(message, transfer);
  }

  #finish(result: PictureResult): void {
    const settle = this.#settle;
    this.#settle = null;
    settle?.(result);
  }

  #fail(): void {
    const { onFailure } = this;
    this.onFailure = () => {};
    this.dispose();
    onFailure();
  }
}

/** The video's present frame as something that may go to a worker, and where in it the asked-for part is. */
async function frameOf(
  video: HTMLVideoElement,
  { crop, size }: PictureRequest,
  crops: boolean,
): Promise<{ source: VideoFrame | ImageBitmap; place: RectPx }> {
  if (crops) {
    const frame = uprightFrame(video);
    if (frame !== null) return { source: frame, place: crop };
  }
  const { widthPx, heightPx } = size;
  const source = await createImageBitmap(video, crop.xPx, crop.yPx, crop.widthPx, crop.heightPx, {
    resizeWidth: widthPx,
    resizeHeight: heightPx,
    resizeQuality: 'high',
  });
  return { source, place: { xPx: 0, yPx: 0, widthPx: source.width, heightPx: source.height } };
}
