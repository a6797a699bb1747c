import { type BackoffPolicy, backoffCeilingMs } from '../../shared/backoff.ts';

/** Failed requests in a row after which a replica is ejected for a while. */
export const EJECT_AFTER = 3;
const EJECTION: BackoffPolicy = { firstMs: 1000, maxMs: 30_000 };

/**
 * How far a replica is trusted: plain data, changed by the functions below. A replica that is up
 * but answers badly or not at all is ejected, then tried with single requests until one succeeds.
 */
export interface ReplicaHealth {
  readonly failures: number;
  /** Ejections in a row: each lasts twice as long as the one before. */
  readonly ejections: number;
  /** Until when it gets no request; null while it is trusted. */
  readonly ejectedUntilMs: number | null;
  /** A single request is under way to see whether it works again. */
  readonly probing: boolean;
}

export const HEALTHY: ReplicaHealth = { failures: 0, ejections: 0, ejectedUntilMs: null, probing: false };

/** True when a request may go there now. */
export function mayServe(health: ReplicaHealth, nowMs: number): boolean {
  return health.ejectedUntilMs === null || (nowMs >= health.ejectedUntilMs && !health.probing);
}

/** A request goes out. */
export function noteSent(health: ReplicaHealth): ReplicaHealth {
  return health.ejectedUntilMs === null ? health : { ...health, probing: true };
}

/** The request was answered, also where the picture was unusable. */
export function noteSuccess(health: ReplicaHealth): ReplicaHealth {
  return health.failures === 0 && health.ejectedUntilMs === null ? health : HEALTHY;
}

/** The request failed or was not answered. */
export function noteFailure(health: ReplicaHealth, nowMs: number): ReplicaHealth {
  const failures = health.failures + 1;
  if (!health.probing && failures < EJECT_AFTER) return { ...health, failures };
  const ejections = health.ejections + 1;
  const durationMs = backoffCeilingMs(EJECTION, ejections - 1);
  return { failures, ejections, ejectedUntilMs: nowMs + durationMs, probing: false };
}
