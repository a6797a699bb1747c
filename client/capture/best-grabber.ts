import { PageGrabber } from './page-grabber.ts';
import type { Grabber, PictureRequest, PictureResult } from './picture.ts';
import { type StartedWorker, takeCaptureWorker } from './start-capture-worker.ts';
import { WorkerGrabber } from './worker-grabber.ts';

/** The worker is waited for so long: drawing on the page's thread takes time from the lesson. */
const PAGE_AFTER_MS = 3000;

/** Takes pictures in the worker, on the page's own thread while the worker is slow to load, and where it cannot run or fails. */
export class BestGrabber implements Grabber {
  readonly #onWebp: (encoded: boolean) => void;
  #grabber: Grabber | null = null;
  #disposed = false;

  /** `httpOrigin`: the gateway's. `onWebp` is called with whether the grabber in use encodes WebP. */
  constructor(httpOrigin: string, onWebp: (encoded: boolean) => void) {
    this.#onWebp = onWebp;
    void this.#start(takeCaptureWorker(httpOrigin));
  }

  grab(video: HTMLVideoElement, request: PictureRequest): Promise<PictureResult> {
    return this.#grabber?.grab(video, request) ?? Promise.resolve({ kind: 'none' });
  }

  sent(): void {
    this.#grabber?.sent();
  }

  dispose(): void {
    this.#disposed = true;
    this.#grabber?.dispose();
  }

  async #start(starting: Promise<StartedWorker | null>): Promise<void> {
    const timer = setTimeout(() => void this.#usePage(), PAGE_AFTER_MS);
    const started = await starting;
    clearTimeout(timer);
    if (started === null) {
      if (this.#grabber === null) void this.#usePage();
      return;
    }
    if (this.#disposed) {
      started.worker.terminate();
      return;
    }
    const grabber = new WorkerGrabber(started.worker, started.crops);
    grabber.onFailure = () => {
      this.#grabber = null;
      void this.#usePage();
    };
    this.#grabber = grabber;
    this.#onWebp(started.webp);
  }

  /** A new one each time: an earlier one has not seen what the worker sent. */
  async #usePage(): Promise<void> {
    const page = new PageGrabber();
    const webp = await page.encodesWebp();
    if (this.#disposed || this.#grabber !== null) return;
    this.#grabber = page;
    this.#onWebp(webp);
  }
}
