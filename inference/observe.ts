import { Buffer } from 'node:buffer';
import { describeError, RelayError } from '../shared/errors.ts';
import type { InferenceRequest } from '../shared/link.ts';
import type { FaceObservation } from '../shared/observation.ts';
import { observationOf } from '../shared/vision/observe.ts';
import type { FaceEngine } from './engine/engine.ts';
import { type GuardFault, guardImage } from './pixels/guard.ts';
import type { PictureReader } from './pixels/reader.ts';

/** What one observation is made of: a picture and where it belongs. */
export type ObserveRequest = Pick<InferenceRequest, 'frame' | 'crop' | 'roi' | 'countFaces' | 'image'>;

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
    const { image: bytes, crop, roi, countFaces } = request;
    const picture = await read({ bytes, format, widthPx, heightPx, crop }, roi);
    const location = await engine.locate(picture, roi, countFaces);
    return { status: 'ok', observation: observationOf(location, request.frame) };
  } catch (error) {
    const corrupt = error instanceof RelayError && error.code === 'image_corrupt';
    return { status: corrupt ? 'imageCorrupt' : 'engineFailed', reason: describeError(error) };
  }
}

/** 32×32 black pixels, JPEG. */
const BLACK_JPEG =
  '/9j/2wBDABALDA4MChAODQ4SERATGCgaGBYWGDEjJR0oOjM9PDkzODdASFxOQERXRTc4UG1RV19iZ2hnPk1xeXBkeFxlZ2P/2wBDARESEhgVGC8aGi9jQjhCY2NjY2NjY2NjY2NjY2NjY2NjY2NjY2NjY2NjY2NjY2NjY2NjY2NjY2NjY2NjY2NjY2P/wAARCAAgACADASIAAhEBAxEB/8QAFQABAQAAAAAAAAAAAAAAAAAAAAf/xAAUEAEAAAAAAAAAAAAAAAAAAAAA/8QAFAEBAAAAAAAAAAAAAAAAAAAAAP/EABQRAQAAAAAAAAAAAAAAAAAAAAD/2gAMAwEAAhEDEQA/AJ+AAAAAAAD/2Q==';

/**
 * Runs every step once, so that the first request is as fast as the rest and a broken engine is found at the start. Rejects
 * as the step that fails.
 */
export async function warmUp({ engine, read }: Vision): Promise<void> {
  const size = { widthPx: 32, heightPx: 32 };
  // A black picture fails the hint, so the detector runs as well.
  const hint = { centerXPx: 16, centerYPx: 16, sizePx: 32, rotationRad: 0 };
  const bytes = Buffer.from(BLACK_JPEG, 'base64');
  const picture = await read({ bytes, format: 'jpeg', ...size, crop: { xPx: 0, yPx: 0, ...size } }, hint);
  await engine.locate(picture, hint);
}
