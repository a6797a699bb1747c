import { readFile } from 'node:fs/promises';
import sharp from 'sharp';
import type { FrameSize, RectPx } from '../shared/geometry.ts';
import { splitMjpeg } from './mjpeg.ts';
import { encodePicture, type PictureFormat } from './page-pictures.ts';

const CACHE_ENTRIES = 512;

export interface Picture {
  readonly image: Uint8Array;
  readonly crop: RectPx;
  readonly fullFrame: boolean;
}

/** A Motion-JPEG clip that plays the part of a camera. */
export class Clip {
  readonly size: FrameSize;
  readonly fps: number;
  readonly #frames: readonly Uint8Array[];
  /** Students who watch the same clip ask for the same crops. */
  readonly #cache = new Map<string, Promise<Picture>>();

  private constructor(frames: readonly Uint8Array[], size: FrameSize, fps: number) {
    this.#frames = frames;
    this.size = size;
    this.fps = fps;
  }

  static async open(path: string, fps: number): Promise<Clip> {
    const frames = splitMjpeg(await readFile(path));
    const { width, height } = await sharp(frames[0]).metadata();
    return new Clip(frames, { widthPx: width, heightPx: height }, fps);
  }

  get lengthMs(): number {
    return Math.round((this.#frames.length / this.fps) * 1000);
  }

  /**
   * The picture a browser would send at a moment of the clip: `crop` in camera pixels (null = the
   * whole frame), its longer side at most `imageSizePx`, never enlarged, in `format`.
   */
  picture(atMs: number, crop: RectPx | null, imageSizePx: number, format: PictureFormat): Promise<Picture> {
    const index = Math.min(this.#frames.length - 1, Math.floor((atMs * this.fps) / 1000));
    const rect = crop ?? { xPx: 0, yPx: 0, ...this.size };
    const place = [index, rect.xPx, rect.yPx, rect.widthPx, rect.heightPx, imageSizePx];
    const key = [...place, format.codec, format.quality, format.grey].join();
    const cached = this.#cache.get(key);
    if (cached !== undefined) return cached;
    const drawn = this.#draw(index, rect, imageSizePx, format).then((image) => ({
      image,
      crop: rect,
      fullFrame: crop === null,
    }));
    this.#cache.set(key, drawn);
    const oldest = this.#cache.size > CACHE_ENTRIES ? this.#cache.keys().next().value : undefined;
    if (oldest !== undefined) this.#cache.delete(oldest);
    return drawn;
  }

  #draw(index: number, rect: RectPx, imageSizePx: number, format: PictureFormat): Promise<Uint8Array> {
    const drawn = sharp(this.#frames[index])
      .extract({ left: rect.xPx, top: rect.yPx, width: rect.widthPx, height: rect.heightPx })
      .resize({ width: imageSizePx, height: imageSizePx, fit: 'inside', withoutEnlargement: true });
    return encodePicture(drawn, format);
  }
}
