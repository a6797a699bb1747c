/** After a large movement pictures come QUICK_MS apart for QUICK_FOR_MS: the gateway believes a new direction when two show it. */
export const QUICK_MS = 100;
const QUICK_FOR_MS = 200;

/** A comparison comes with a video frame, so up to this much early. */
const EARLY_MS = 50;

/** True while nothing needs to be sent unless something moves: the gateway asks for `maxFps`, the newest message is recent. */
export function isResting(sentAtMs: number, nowMs: number, maxFps: number): boolean {
  return nowMs - sentAtMs < 1000 / maxFps - EARLY_MS;
}

/**
 * What a page leaves out while the gateway asks for few messages, and when it sends sooner (PROTOCOL.md, U-8), in both modes.
 * `nowMs` is of a monotonic clock, `captureMs` of the capture clock.
 */
export class RestRule {
  /**
   * Capture time until which nothing has changed since the newest message, and nothing was sent of it; null where nothing was
   * left out. A message that is sent while the page rests comes after a SAME of this time, so that it does not cover the time before.
   */
  unchangedMs: number | null = null;
  /** When the newest message was sent. */
  #messageMs = Number.NEGATIVE_INFINITY;
  #quickUntilMs = 0;

  rests(nowMs: number, maxFps: number): boolean {
    return isResting(this.#messageMs, nowMs, maxFps);
  }

  /** A message was sent. */
  sent(nowMs: number): void {
    this.#messageMs = nowMs;
    this.unchangedMs = null;
  }

  /** The message that is sent shows a large movement. */
  moved(nowMs: number): void {
    this.#quickUntilMs = nowMs + QUICK_FOR_MS;
  }

  /** True where the next picture comes after QUICK_MS. */
  isQuick(nowMs: number): boolean {
    return nowMs < this.#quickUntilMs;
  }
}
