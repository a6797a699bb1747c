import { CANVAS_SETTINGS, Painter } from './painter.ts';
import type { Grabber, PictureRequest, PictureResult } from './picture.ts';

/** Draws on the page's own thread: in every browser. Encoding itself is done by the browser beside it. */
export class PageGrabber implements Grabber {
  readonly #painter: Painter;

  constructor() {
    const canvas = document.createElement('canvas');
    const context = canvas.getContext('2d', { ...CANVAS_SETTINGS });
    if (context === null) throw new Error('this browser gives no 2D canvas');
    const encode = (type: string, quality: number) =>
      new Promise<Blob | null>((resolve) => {
        canvas.toBlob(resolve, type, quality);
      });
    this.#painter = new Painter({ canvas, context, encode });
  }

  grab(video: HTMLVideoElement, request: PictureRequest): Promise<PictureResult> {
    return this.#painter.take(video, request.crop, request);
  }

  sent(): void {
    this.#painter.sent();
  }

  /** True when this browser truly encodes WebP. */
  encodesWebp(): Promise<boolean> {
    return this.#painter.encodesWebp();
  }

  dispose(): void {}
}
