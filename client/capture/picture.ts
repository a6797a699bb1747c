import type { FrameSize, RectPx } from '../../shared/geometry.ts';
import type { Codec } from '../../shared/protocol/frames.ts';

/** What to make of the camera's present frame. */
export interface PictureRequest {
  /** Part of the frame, camera pixels. */
  readonly crop: RectPx;
  /** Size to draw it at. */
  readonly size: FrameSize;
  readonly codec: Codec;
  /** 0–1, as canvas encoders take it. */
  readonly quality: number;
  readonly maxBytes: number;
  /** True when the picture sent last shows this part too: one that looks the same needs not be encoded. */
  readonly repeatable: boolean;
  /** Largest difference that looks the same (picture-diff.ts). */
  readonly sameWithin: number;
  /** False: where the picture has changed, say so and encode nothing. */
  readonly encode: boolean;
}

export type PictureResult =
  /** `moved`: it differs much from the one sent last. */
  | {
      readonly kind: 'picture';
      readonly image: Uint8Array<ArrayBuffer>;
      readonly codec: Codec;
      readonly moved: boolean;
    }
  /** It looks as the one sent last. */
  | { readonly kind: 'same' }
  /** It does not, and was not asked to be encoded. */
  | { readonly kind: 'changed' }
  /** It cannot be encoded within the allowed bytes, or not at all. */
  | { readonly kind: 'none' };

/** Takes pictures of a video, one at a time. */
export interface Grabber {
  grab(video: HTMLVideoElement, request: PictureRequest): Promise<PictureResult>;
  /** The picture grabbed last has been sent: later ones are compared with it. */
  sent(): void;
  dispose(): void;
}
