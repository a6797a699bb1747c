import type { Direction } from '../../shared/direction.ts';
import type { Bout, MetricsWindow } from '../../shared/metrics-window.ts';

/** One session as read back from the store. Times in UTC ms, durations in whole ms. */
export interface SessionReport {
  readonly sessionId: string;
  readonly userId: number;
  readonly moduleId: number;
  readonly startedAtMs: number;
  readonly endedAtMs: number;
  readonly final: boolean;
  readonly focusedMs: number;
  readonly unfocusedMs: number;
  readonly unknownMs: number;
  readonly untrackedMs: number;
  readonly directionMs: Readonly<Partial<Record<Direction, number>>>;
  readonly framesReceived: number;
  readonly framesProcessed: number;
  readonly framesDropped: number;
  readonly framesWithFace: number;
  readonly bytesUp: number;
  readonly bytesDown: number;
  readonly bouts: readonly Bout[];
  /** In order of (epoch, seq). */
  readonly windows: readonly MetricsWindow[];
}

/** Outcome of one delivery. `applied + repeated` is the number of windows given. */
export interface ApplyResult {
  readonly applied: number;
  /** Windows that were already there and changed nothing. */
  readonly repeated: number;
}

/** Where metrics end up. Both implementations pass one contract suite. */
export interface MetricsStore {
  readonly kind: 'libsql' | 'mysql';
  /** Brings the schema up to date. Safe to call twice, and by two gateways at once. */
  migrate(): Promise<void>;
  /**
   * Stores windows in one transaction; a window whose key is there already changes nothing.
   * Rejects with RelayError: `store_unreachable` (try again later) or `store_rejected` (this data
   * will never be taken).
   */
  applyWindows(windows: readonly MetricsWindow[]): Promise<ApplyResult>;
  /**
   * One session, or null if the store has no window of it. Windows still in the spool are not in it.
   * Rejects with `store_unreachable`.
   */
  sessionReport(sessionId: string): Promise<SessionReport | null>;
  /** Resolves if the store answers, else rejects with `store_unreachable`. */
  ping(): Promise<void>;
  close(): Promise<void>;
}
