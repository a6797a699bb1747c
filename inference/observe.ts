import { describeError, RelayError } from '../shared/errors.ts';
import type { InferenceRequest } from '../shared/link.ts';
import type { FaceObservation } from '../shared/observation.ts';
import { observationOf } from '../shared/vision/observe.ts';
import type { FaceEngine } from './engine/engine.ts';
import { type GuardFault, guardImage } from './pixels/guard.ts';
import type { PictureReader } from './pixels/reader.ts';

/** What one observation is made of: a picture and where it belongs. */
export type ObserveRequest = Pick<InferenceRequest, 'frame' | 'crop' | 'roi' | 'image'>;

export type ObserveOutcome =
  | { readonly status: 'ok'; readonly observation: FaceObservation }
  | { readonly status: GuardFault | 'engineFailed'; readonly reason: string };

/** What serves requests, one at a time. */
export interface Vision {
  readonly engine: FaceEngine;
  readonly read: PictureReader;
}

/**
 * One request from its bytes to its observation: guard, decode, locate, measure. A function of the
 * request alone; nothing of it is kept. Never rejects: whatever goes wrong is this request's outcome.
 */
export async function observe({ engine, read }: Vision, request: ObserveRequest): Promise<ObserveOutcome> {
  const verdict = guardImage(request.image);
  if (!verdict.ok) return { status: verdict.fault, reason: verdict.reason };
  try {
    const { format, widthPx, heightPx } = verdict;
    const { image: bytes, crop, roi } = request;
    const picture = await read({ bytes, format, widthPx, heightPx, crop }, roi);
    const location = await engine.locate(picture, roi);
    return { status: 'ok', observation: observationOf(location, request.frame) };
  } catch (error) {
    const corrupt = error instanceof RelayError && error.code === 'image_corrupt';
    return { status: corrupt ? 'imageCorrupt' : 'engineFailed', reason: describeError(error) };
  }
}
