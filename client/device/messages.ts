import type { FrameSize } from '../../shared/geometry.ts';
import type { FaceObservation } from '../../shared/observation.ts';

/** What an observer makes of a picture. */
export interface Observed {
  /** Null: the picture is identical to the one before, or where the page rests, nothing has changed. */
  readonly observation: FaceObservation | null;
  /** True: much has changed, and more pictures should follow soon. */
  readonly moved: boolean;
}

/** From the page to the device worker. */
export type ToWorker =
  /** Load the models and warm up. */
  | { readonly type: 'open'; readonly modelsUrl: string; readonly modelsBytes: number }
  /** Analyse a picture of the camera, whose full frame is `camera` camera pixels. */
  | {
      readonly type: 'infer';
      readonly id: number;
      readonly picture: VideoFrame | ImageBitmap;
      readonly camera: FrameSize;
      /** Capture clock, ms. */
      readonly captureMs: number;
      /** True: only an observation that differs from the newest one is of use. */
      readonly rests: boolean;
    }
  /** Forget the previous picture: the next one is a new scene. */
  | { readonly type: 'forget' };

/** From the worker to the page. */
export type FromWorker =
  | { readonly type: 'progress'; readonly loadedBytes: number }
  /**
   * Ready; `inferenceMs` is the time for one picture, ms, `downloadedBytes` what the link carried for the models,
   * `takesFrames` whether a VideoFrame may be given to it.
   */
  | {
      readonly type: 'ready';
      readonly inferenceMs: number;
      readonly downloadedBytes: number;
      readonly takesFrames: boolean;
    }
  | ({ readonly type: 'inferred'; readonly id: number; readonly inferenceMs: number } & Observed)
  | { readonly type: 'failed'; readonly code: string; readonly message: string };
