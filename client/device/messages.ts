import type { FrameSize } from '../../shared/geometry.ts';
import type { FaceObservation } from '../../shared/observation.ts';

/** What the page says to the device's worker. */
export type ToWorker =
  /** Load the models and make ready. */
  | { readonly type: 'open'; readonly modelsUrl: string; readonly modelsBytes: number }
  /** Look at a picture of the camera, whose full frame is `camera` camera pixels. */
  | {
      readonly type: 'look';
      readonly id: number;
      readonly picture: ImageBitmap;
      readonly camera: FrameSize;
      /** Capture clock, ms. */
      readonly captureMs: number;
    }
  /** What was seen before says nothing about the next picture. */
  | { readonly type: 'forget' };

/** What the worker says to the page. */
export type FromWorker =
  | { readonly type: 'progress'; readonly loadedBytes: number }
  /** Ready; `lookMs` is what one look at a picture takes here, ms, `downloadedBytes` what the models took of the link. */
  | {
      readonly type: 'ready';
      readonly lookMs: number;
      readonly downloadedBytes: number;
    }
  /** Null: the picture is bit for bit the one before. */
  | {
      readonly type: 'seen';
      readonly id: number;
      readonly observation: FaceObservation | null;
      readonly lookMs: number;
    }
  | { readonly type: 'failed'; readonly code: string; readonly message: string };
