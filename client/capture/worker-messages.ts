import type { RectPx } from '../../shared/geometry.ts';
import type { PictureRequest, PictureResult } from './picture.ts';

/** To the capture worker. */
export type ToCaptureWorker =
  | {
      readonly type: 'take';
      /** The camera's frame, or the part to draw at its size. The worker closes it. */
      readonly source: VideoFrame | ImageBitmap;
      /** Where in `source` the part to draw is. */
      readonly place: RectPx;
      readonly request: PictureRequest;
    }
  | { readonly type: 'sent' };

/** From it: `ready` once, then one `taken` for each `take`. */
export type FromCaptureWorker =
  /** `crops`: whether this browser draws a part of a VideoFrame as asked. */
  | { readonly type: 'ready'; readonly webp: boolean; readonly crops: boolean }
  | { readonly type: 'taken'; readonly result: PictureResult };
