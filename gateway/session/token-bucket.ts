/** A token bucket as plain data: `tokens` at `updatedAtMs` on a monotonic clock. */
export interface TokenBucket {
  readonly tokens: number;
  readonly updatedAtMs: number;
}

export interface BucketLimits {
  readonly perSecond: number;
  readonly burst: number;
}

export function fullBucket(limits: BucketLimits, nowMs: number): TokenBucket {
  return { tokens: limits.burst, updatedAtMs: nowMs };
}

/** Takes `cost` tokens if they are there; else the bucket is only refilled and `taken` is false. */
export function takeTokens(
  bucket: TokenBucket,
  limits: BucketLimits,
  nowMs: number,
  cost: number,
): { bucket: TokenBucket; taken: boolean } {
  const refilled = bucket.tokens + (Math.max(0, nowMs - bucket.updatedAtMs) / 1000) * limits.perSecond;
  const tokens = Math.min(limits.burst, refilled);
  const taken = tokens >= cost;
  return { bucket: { tokens: taken ? tokens - cost : tokens, updatedAtMs: nowMs }, taken };
}
