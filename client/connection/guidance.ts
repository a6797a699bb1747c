import type { RectPx } from '../../shared/geometry.ts';
import type { Limits } from '../../shared/protocol/control.ts';
import type { Update } from '../../shared/protocol/update.ts';

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
}

/** Guidance at the start of a connection or after new limits: no crop is known to be good. */
export function guidanceFromLimits(limits: Limits, nextCrop: RectPx | null): Guidance {
  return { ...limits, nextCrop };
}

/** Guidance after an acknowledgement. A credit of 0 would never be lifted again: one stays. */
export function guidanceFromUpdate(guidance: Guidance, update: Update): Guidance {
  return {
    ...guidance,
    maxFps: update.maxFps,
    credit: Math.max(1, update.credit),
    imageSizePx: update.imageSizePx,
    nextCrop: update.nextCrop,
  };
}
