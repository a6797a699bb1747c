import type { Direction } from '../../shared/direction.ts';
import { RelayError } from '../../shared/errors.ts';
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

/** What another way has stored already of a window's time in EyeLearn's row, whole ms. */
export interface StoredElsewhere {
  readonly focusedMs: number;
  readonly unfocusedMs: number;
}

/** Whole seconds of one student and module on one day in EyeLearn's rows, and how much of them the gateway itself wrote. */
export interface EyelearnDay {
  readonly fromMs: number;
  readonly untilMs: number;
  readonly rowsFocusedS: number;
  readonly rowsUnfocusedS: number;
  readonly ownFocusedS: number;
  readonly ownUnfocusedS: number;
}

/** The store is out of reach; `isUntouched` when it surely has nothing of what it was given. */
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

/** Where metrics end up. Both implementations pass one contract suite. */
export interface MetricsStore {
  readonly kind: 'libsql' | 'mysql';
  /** Brings the schema up to date. Safe to call twice, and by two gateways at once. */
  migrate(): Promise<void>;
  /**
   * Stores windows in one transaction; a window whose key is there already changes nothing.
   * Rejects with RelayError: `store_unreachable` (try again later) or `store_rejected` (this data
   * will never be taken). What `elsewhere` has under a window's key (records.ts, windowKey) is left out of EyeLearn's
   * row, for it is in there.
   */
  applyWindows(
    windows: readonly MetricsWindow[],
    elsewhere?: ReadonlyMap<string, StoredElsewhere>,
  ): Promise<ApplyResult>;
  /**
   * EyeLearn's rows of the day on which `atMs` lies, in the store's time zone; null where the store has no such
   * table. Rejects with `store_unreachable`.
   */
  eyelearnDay(userId: number, moduleId: number, atMs: number): Promise<EyelearnDay | null>;
  /**
   * One session, or null if the store has no window of it. Windows still in the spool are not in it.
   * Rejects with `store_unreachable`.
   */
  sessionReport(sessionId: string): Promise<SessionReport | null>;
  /**
   * True or false where EyeLearn's table of users says whether the student has agreed to the camera, null where it does not.
   * Rejects with `store_unreachable`.
   */
  hasConsent(userId: number): Promise<boolean | null>;
  /**
   * Runs statements that both databases understand, all or none, each with its values for `?`; resolves with the rows
   * of each, and how many it changed. For the operator's work on whole tables. Rejects with `store_unreachable`.
   */
  execute(statements: readonly Statement[]): Promise<StatementResult[]>;
  /** Resolves if the store answers, else rejects with `store_unreachable`. */
  ping(): Promise<void>;
  close(): Promise<void>;
}
