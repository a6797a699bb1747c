import { PageGrabber } from './page-grabber.ts';
import type { Grabber, PictureRequest, PictureResult } from './picture.ts';
import { startCaptureWorker } from './start-worker.ts';
import { WorkerGrabber } from './worker-grabber.ts';

/**
 * Takes pictures on the page's own thread until the worker is there, in the worker from then on, and
 * on the page again should the worker fail.
 */
export class BestGrabber implements Grabber {
  readonly #onWebp: (encoded: boolean) => void;
  #grabber: Grabber;
  #disposed = false;

  /** `onWebp` hears whether the browser truly encodes WebP. */
  constructor(onWebp: (encoded: boolean) => void) {
    this.#onWebp = onWebp;
    this.#grabber = new PageGrabber();
    void this.#startWorker();
  }

  grab(video: HTMLVideoElement, request: PictureRequest): Promise<PictureResult> {
    return this.#grabber.grab(video, request);
  }

  sent(): void {
    this.#grabber.sent();
  }

  dispose(): void {
    this.#disposed = true;
    this.#grabber.dispose();
  }

  async #startWorker(): Promise<void> {
    const started = await startCaptureWorker();
    if (this.#disposed) {
      started?.worker.terminate();
      return;
    }
    if (started === null) {
      const page = new PageGrabber();
      const webp = await page.encodesWebp();
      if (!this.#disposed) this.#onWebp(webp);
      return;
    }
    const grabber = new WorkerGrabber(started.worker);
    grabber.onFailure = () => this.#use(new PageGrabber());
    this.#use(grabber);
    this.#onWebp(started.webp);
  }

  #use(grabber: Grabber): void {
    if (!this.#disposed) this.#grabber = grabber;
  }
}
