import type { Direction } from '../../shared/direction.ts';
import { RelayError } from '../../shared/errors.ts';
import type { Bout, MetricsWindow, Suspect } from '../../shared/metrics-window.ts';

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
  /** Time whose messages came late, after an outage, ms. */
  readonly lateMs: number;
  readonly pausedHiddenMs: number;
  readonly pausedStudentMs: number;
  readonly pausedCameraMs: number;
  readonly secondFaceMs: number;
  /** Why the session's observations are implausible; null where they are not. */
  readonly suspect: Suspect | null;
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

/** Focused and unfocused time, whole ms. */
export interface FocusTime {
  readonly focusedMs: number;
  readonly unfocusedMs: number;
}

/** Time by the key of its window (records.ts, windowKey). */
export type TimeByWindow = ReadonlyMap<string, FocusTime>;

/** The store cannot be reached or refuses our statements; `isUntouched` when it surely has nothing of what it was given. */
export class StoreUnreachableError extends RelayError {
  readonly isUntouched: boolean;

  constructor(error: RelayError, isUntouched: boolean) {
    super(error.code, error.message, { ...(error.hint === null ? {} : { hint: error.hint }), cause: error.cause });
    this.isUntouched = isUntouched;
  }
}

export interface Statement {
  readonly sql: string;
  readonly values: readonly (string | number | null)[];
}

export interface StatementResult {
  readonly rows: readonly Readonly<Record<string, unknown>>[];
  readonly changed: number;
}

/**
 * Where metrics end up. Both implementations pass one contract suite. Where a method rejects with `store_unreachable`, it rejects
 * with `store_query_failed` when the database answers and refuses a statement of ours: that is no outage.
 */
export interface MetricsStore {
  readonly kind: 'libsql' | 'mysql';
  /** Brings the schema up to date. Safe to call twice, and by two gateways at once. */
  migrate(): Promise<void>;
  /** Brings the schema up to date unless this has been done; then it asks nothing. Rejects with `store_unreachable`. */
  ready(): Promise<void>;
  /**
   * Stores windows in one transaction; a window whose key is there already changes nothing.
   * Rejects with RelayError: `store_unreachable` or `store_query_failed` (try again later) or `store_rejected` (this data
   * will never be taken). `viaSecondWay` is the part of their time that the school's platform has already, by the queue's
   * second way: it is left out of the platform's tables.
   */
  applyWindows(windows: readonly MetricsWindow[], viaSecondWay?: TimeByWindow): Promise<ApplyResult>;
  /**
   * One session, or null if the store has no window of it. Windows still in the delivery queue are not in it.
   * Rejects with `store_unreachable`.
   */
  sessionReport(sessionId: string): Promise<SessionReport | null>;
  /**
   * Runs statements that both databases understand, all or none, each with its values for `?`; resolves with the rows
   * of each, and how many it changed. One statement alone is one question to the database. Rejects with `store_unreachable`.
   */
  execute(statements: readonly Statement[]): Promise<StatementResult[]>;
  /** Resolves if the store answers, else rejects with `store_unreachable`. */
  ping(): Promise<void>;
  close(): Promise<void>;
}
