import type { FrameSize, RectPx } from '../../shared/geometry.ts';
import { type Thumbprint, thumbprint } from '../core/likeness.ts';

/** A picture that has been drawn and not been encoded. */
export interface DrawnPicture {
  readonly thumbprint: Thumbprint;
}

/** Draws parts of the camera's picture at the size they are sent at, and encodes them. */
export class FrameGrabber {
  readonly #canvas = document.createElement('canvas');
  readonly #context: CanvasRenderingContext2D;

  constructor() {
    const context = this.#canvas.getContext('2d', { alpha: false, willReadFrequently: true });
    if (context === null) throw new Error('this browser gives no 2D canvas');
    this.#context = context;
  }

  /** Draws `crop` (camera pixels) of the video's current frame at `size`. */
  draw(video: HTMLVideoElement, crop: RectPx, size: FrameSize): DrawnPicture {
    const { widthPx, heightPx } = size;
    if (this.#canvas.width !== widthPx) this.#canvas.width = widthPx;
    if (this.#canvas.height !== heightPx) this.#canvas.height = heightPx;
    this.#context.imageSmoothingQuality = 'high';
    this.#context.drawImage(video, crop.xPx, crop.yPx, crop.widthPx, crop.heightPx, 0, 0, widthPx, heightPx);
    const pixels = this.#context.getImageData(0, 0, widthPx, heightPx);
    return { thumbprint: thumbprint(pixels.data, widthPx, heightPx) };
  }

  /**
   * JPEG of what was drawn last, at `quality` 0–1 or at half of it when the first is longer than
   * `maxBytes`. Null when neither fits or the browser encodes no JPEG.
   */
  async encode(quality: number, maxBytes: number): Promise<Uint8Array | null> {
    for (const attempt of [quality, quality / 2]) {
      const blob = await new Promise<Blob | null>((resolve) => {
        this.#canvas.toBlob(resolve, 'image/jpeg', attempt);
      });
      if (blob === null || blob.type !== 'image/jpeg') return null;
      if (blob.size <= maxBytes) return new Uint8Array(await blob.arrayBuffer());
    }
    return null;
  }
}
