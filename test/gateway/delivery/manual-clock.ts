import type { Clock } from '../../../gateway/lib/clock.ts';

/** A clock that stands still until it is moved. */
export interface ManualClock extends Clock {
  /** Moves time on and calls what has come due, in order. */
  advance(byMs: number): void;
  /** Delays of the timers that are set, ms from now, shortest first. */
  timers(): number[];
}

export function manualClock(startMs: number): ManualClock {
  let nowMs = startMs;
  const timers = new Set<{ readonly dueMs: number; readonly callback: () => void }>();
  return {
    nowMs: () => nowMs,
    after(delayMs, callback) {
      const timer = { dueMs: nowMs + delayMs, callback };
      timers.add(timer);
      return () => timers.delete(timer);
    },
    advance(byMs) {
      const endMs = nowMs + byMs;
      const due = [...timers].filter(({ dueMs }) => dueMs <= endMs).sort((a, b) => a.dueMs - b.dueMs);
      for (const timer of due) {
        nowMs = timer.dueMs;
        if (timers.delete(timer)) timer.callback();
      }
      nowMs = endMs;
    },
    timers: () => [...timers].map(({ dueMs }) => dueMs - nowMs).sort((a, b) => a - b),
  };
}
