/**
 * The capture clock: whole ms since the session's first start, on the client's monotonic clock.
 * `originMs` is that clock's reading at capture time 0; null before the first start.
 */
export interface CaptureClock {
  readonly originMs: number | null;
}

export const CLOCK_STOPPED: CaptureClock = { originMs: null };

/** Reading at `nowMs` of the monotonic clock, whole ms; null when the clock has not started. */
export function readClock(clock: CaptureClock, nowMs: number): number | null {
  return clock.originMs === null ? null : Math.max(0, Math.floor(nowMs - clock.originMs));
}

/** Starts at 0, unless the clock runs already. */
export function beginClock(clock: CaptureClock, nowMs: number): CaptureClock {
  return clock.originMs === null ? { originMs: nowMs } : clock;
}

/**
 * The clock after the gateway resumed a session that has reached `reachedMs`: it continues, or moves forward to there
 * when it is behind (the page was loaded again).
 */
export function resumeClock(clock: CaptureClock, reachedMs: number, nowMs: number): CaptureClock {
  const readingMs = readClock(clock, nowMs);
  return readingMs !== null && readingMs >= reachedMs ? clock : { originMs: nowMs - reachedMs };
}
