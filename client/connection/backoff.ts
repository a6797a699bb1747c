const BASE_MS = 500;
const CAP_MS = 30_000;

/**
 * Pause before the next attempt after `failures` failed ones in a row (1 or more), whole ms.
 * Exponential backoff with full jitter: anything between nothing and the exponential bound, so
 * that a class of students does not come back in step after a restart of the gateway. Formula:
 * "Exponential Backoff And Jitter", AWS Architecture Blog. `random` is in [0, 1).
 */
export function fullJitterMs(failures: number, random: number): number {
  const boundMs = Math.min(CAP_MS, BASE_MS * 2 ** Math.max(0, failures - 1));
  return Math.floor(random * boundMs);
}
