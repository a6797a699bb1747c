import { PageGrabber } from './page-grabber.ts';
import type { Grabber, PictureRequest, PictureResult } from './picture.ts';
import { startCaptureWorker } from './start-capture-worker.ts';
import { WorkerGrabber } from './worker-grabber.ts';

/**
 * Takes pictures on the page's own thread until the worker is there, in the worker from then on, and
 * on the page again should the worker fail.
 */
export class BestGrabber implements Grabber {
  readonly #onWebp: (encoded: boolean) => void;
  #grabber: Grabber;
  #disposed = false;

  /** `httpOrigin`: the gateway's. `onWebp` is called with whether the grabber in use encodes WebP. */
  constructor(httpOrigin: string, onWebp: (encoded: boolean) => void) {
    this.#onWebp = onWebp;
    const page = new PageGrabber();
    this.#grabber = page;
    void this.#start(httpOrigin, page);
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

  async #start(httpOrigin: string, page: PageGrabber): Promise<void> {
    const starting = startCaptureWorker(httpOrigin);
    const webp = await page.encodesWebp();
    this.#switch(page, webp);
    const started = await starting;
    if (started === null) return;
    if (this.#disposed) {
      started.worker.terminate();
      return;
    }
    const grabber = new WorkerGrabber(started.worker, started.crops);
    // A new one: the first has not seen what the worker sent.
    grabber.onFailure = () => this.#switch(new PageGrabber(), webp);
    this.#switch(grabber, started.webp);
  }

  #switch(grabber: Grabber, webp: boolean): void {
    if (this.#disposed) return;
    this.#grabber = grabber;
    this.#onWebp(webp);
  }
}
