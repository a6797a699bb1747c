/** A correction of the system clock below this is left alone: clocks are slewed by that much all the time. */
const MIN_CORRECTION_MS = 1000;

/** UTC for one connection: it never steps, whatever becomes of the system clock meanwhile. */
export interface ConnectionClock {
  /** UTC ms. */
  readonly now: () => number;
  /** UTC ms at 0 of the monotonic clock, as the system clock had it when this one was opened. */
  readonly offsetMs: number;
}

/**
 * Opens clocks that do not step, each set by the system clock of its opening. Two of them differ by what the system clock
 * was corrected by in between, and by nothing else.
 */
export function steadyClocks(
  systemNow: () => number = Date.now,
  monotonicNow: () => number = () => performance.now(),
): () => ConnectionClock {
  let offsetMs = systemNow() - monotonicNow();
  return () => {
    const apparentMs = systemNow() - monotonicNow();
    if (Math.abs(apparentMs - offsetMs) >= MIN_CORRECTION_MS) offsetMs = apparentMs;
    const opened = offsetMs;
    return { offsetMs: opened, now: () => monotonicNow() + opened };
  };
}
