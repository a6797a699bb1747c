import type { RectPx } from '../../shared/geometry.ts';
import type { Limits } from '../../shared/protocol/control.ts';
import { type Update, wholeImageSizePx } from '../../shared/protocol/update.ts';

/** What the gateway last asked for: how often, how large, which part of the picture. */
export interface Guidance {
  readonly maxFps: number;
  readonly credit: number;
  /** Longer side of the image to send, px. */
  readonly imageSizePx: number;
  /** Largest image in bytes that the gateway takes. */
  readonly maxFrameBytes: number;
  /** Part of the camera frame to send next, camera pixels; null = the whole frame, small. */
  readonly nextCrop: RectPx | null;
  /** The newest limits of the session; an acknowledgement paces within them (U-7). */
  readonly limits: Limits;
}

/** Guidance at the start of a connection or after new limits. */
export function guidanceFromLimits(limits: Limits, nextCrop: RectPx | null): Guidance {
  return { ...limits, limits, nextCrop };
}

/**
 * Guidance after an acknowledgement, which paces within the session's limits (U-7). Credit is at least 1: with 0 nothing
 * would be sent, so nothing could raise it.
 */
export function guidanceFromUpdate(guidance: Guidance, update: Update): Guidance {
  const { limits } = guidance;
  const mostPx = update.nextCrop === null ? wholeImageSizePx(limits.imageSizePx) : limits.imageSizePx;
  return {
    ...guidance,
    maxFps: Math.min(limits.maxFps, update.maxFps),
    credit: Math.max(1, Math.min(limits.credit, update.credit)),
    imageSizePx: Math.min(mostPx, update.imageSizePx),
    nextCrop: update.nextCrop,
  };
}
