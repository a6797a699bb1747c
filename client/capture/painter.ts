import type { RectPx } from '../../shared/geometry.ts';
import type { Codec } from '../../shared/protocol/frames.ts';
import type { PictureRequest, PictureResult } from './picture.ts';
import { LARGE_MOVEMENT, type LumaGrid, largestDifference, lumaGrid } from './picture-diff.ts';
import { stripJpeg, stripWebp } from './strip-metadata.ts';

/** A canvas of the page or of a worker. */
export interface Surface {
  readonly canvas: { width: number; height: number };
  readonly context: CanvasRenderingContext2D | OffscreenCanvasRenderingContext2D;
  /** Encodes what is drawn. Browsers that lack `type` answer with another one, or with null. */
  encode(type: string, quality: number): Promise<Blob | null>;
}

const MEDIA_TYPES: Readonly<Record<Codec, string>> = { jpeg: 'image/jpeg', webp: 'image/webp' };
const STRIP = { jpeg: stripJpeg, webp: stripWebp } satisfies Record<Codec, unknown>;
export const CANVAS_SETTINGS = { alpha: false, willReadFrequently: true } as const;

/** Draws parts of a picture in shades of grey at the size they are sent at, compares them with what was sent, encodes them. */
export class Painter {
  readonly #surface: Surface;
  #newest: LumaGrid | null = null;
  #sent: LumaGrid | null = null;

  constructor(surface: Surface) {
    this.#surface = surface;
  }

  /** `place`: where in `source`, in its own pixels, the part to draw is. */
  async take(source: CanvasImageSource, place: RectPx, request: PictureRequest): Promise<PictureResult> {
    const grid = this.#draw(source, place, request);
    this.#newest = grid;
    const difference = request.repeatable && this.#sent !== null ? largestDifference(this.#sent, grid) : Number.NaN;
    if (difference <= request.sameWithin) return { kind: 'same' };
    if (!request.encode) return { kind: 'changed' };
    return this.#encode(request, difference > LARGE_MOVEMENT);
  }

  /** The picture taken last is what later ones are compared with. */
  sent(): void {
    this.#sent = this.#newest;
  }

  /** True when this browser truly encodes WebP: some answer with PNG. */
  async encodesWebp(): Promise<boolean> {
    const { canvas } = this.#surface;
    if (canvas.width === 0 || canvas.height === 0) canvas.width = canvas.height = 16;
    const blob = await this.#surface.encode(MEDIA_TYPES.webp, 0.5);
    return blob?.type === MEDIA_TYPES.webp;
  }

  #draw(source: CanvasImageSource, place: RectPx, { size }: PictureRequest): LumaGrid {
    const { canvas, context } = this.#surface;
    const { widthPx, heightPx } = size;
    if (canvas.width !== widthPx) canvas.width = widthPx;
    if (canvas.height !== heightPx) canvas.height = heightPx;
    context.imageSmoothingQuality = 'high';
    context.globalCompositeOperation = 'source-over';
    context.drawImage(source, place.xPx, place.yPx, place.widthPx, place.heightPx, 0, 0, widthPx, heightPx);
    // Gaze is found as well without colour, in a fifth fewer bytes (docs/accuracy.md, "Gaze from pictures as they are sent").
    context.globalCompositeOperation = 'saturation';
    context.fillStyle = '#808080';
    context.fillRect(0, 0, widthPx, heightPx);
    return lumaGrid(context.getImageData(0, 0, widthPx, heightPx).data, widthPx, heightPx);
  }

  /** At the asked-for quality, or at half of it where the first is too long. */
  async #encode({ codec, quality, maxBytes }: PictureRequest, moved: boolean): Promise<PictureResult> {
    for (const attempt of [quality, quality / 2]) {
      const blob = await this.#surface.encode(MEDIA_TYPES[codec], attempt);
      if (blob === null || blob.type !== MEDIA_TYPES[codec]) return { kind: 'none' };
      const image = STRIP[codec](new Uint8Array(await blob.arrayBuffer()));
      if (image.byteLength <= maxBytes) return { kind: 'picture', image, codec, moved };
    }
    return { kind: 'none' };
  }
}
