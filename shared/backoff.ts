/** Limits of the waits between attempts that fail one after another. */
export interface BackoffPolicy {
  /** Longest first wait, ms. */
  readonly firstMs: number;
  /** Longest of all waits, ms. */
  readonly maxMs: number;
}

/** Longest wait after `failures` earlier ones, ms: doubles from `firstMs` to `maxMs`. `failures` is 0 after the first failure. */
export function backoffCeilingMs({ firstMs, maxMs }: BackoffPolicy, failures: number): number {
  return Math.min(maxMs, firstMs * 2 ** Math.min(Math.max(0, failures), 30));
}

/**
 * Wait before the next attempt, whole ms: exponential with full jitter, uniform in [0, backoffCeilingMs), after
 * "Exponential Backoff And Jitter" (AWS Architecture Blog, 2015). `failures` is 0 after the first failure, `random` gives
 * numbers in [0, 1).
 */
export function backoffMs(policy: BackoffPolicy, failures: number, random: () => number): number {
  return Math.floor(random() * backoffCeilingMs(policy, failures));
}
