export interface BackoffPolicy {
  /** Ceiling of the first wait, ms. */
  readonly firstMs: number;
  /** Ceiling of every wait, ms. */
  readonly maxMs: number;
}

/**
 * Wait before the next try, ms: exponential with full jitter, uniform in [0, min(max, first · 2^failures)),
 * after "Exponential Backoff And Jitter" (AWS Architecture Blog, 2015). `failures` is 0 after the first failure,
 * `random` gives numbers in [0, 1).
 */
export function backoffMs(policy: BackoffPolicy, failures: number, random: () => number): number {
  const ceilingMs = Math.min(policy.maxMs, policy.firstMs * 2 ** Math.min(failures, 30));
  return Math.floor(random() * ceilingMs);
}
