import type { MetricsWindow } from '../../shared/metrics-window.ts';
import type { Clock } from '../lib/clock.ts';
import type { Logger } from '../lib/logger.ts';
import type { Mutex } from '../lib/mutex.ts';
import type { Connection } from '../lib/sqlite-file.ts';
import type { TimeByWindow } from '../store/port.ts';
import type { Outcome } from './deliver.ts';

/** One window of the queue. */
export interface QueuedWindow {
  readonly id: number;
  readonly window: MetricsWindow;
  /** Its time goes the second way; the store still has to get the window itself. */
  readonly isMoved: boolean;
}

/** Windows that have to wait, and for how long at least. */
export interface Deferral {
  readonly isDeferred: (window: MetricsWindow) => boolean;
  readonly waitMs: number;
}

export const NOTHING_DEFERRED: Deferral = { isDeferred: () => false, waitMs: 0 };

/**
 * A second way for students' time to the school's platform, while the store cannot be reached or beside it. The queue
 * calls it step by step during each delivery; it keeps its own tables in the queue's file, so that each step is written together
 * with the windows it concerns.
 */
export interface SecondWay {
  /** A delivery begins: nothing more is moved to this way until it ends. Resolves with the windows that must wait. */
  begin(): Promise<Deferral>;
  /**
   * Before windows are given to the store: finds out how much of their time this way has stored, and locks the rest so
   * that it is not stored twice. Rejects with `store_unreachable`.
   */
  before(windows: readonly QueuedWindow[]): Promise<TimeByWindow>;
  /** The delivery failed: this way may take the time only if the store surely does not have it. */
  failed(windows: readonly QueuedWindow[], failure: unknown): Promise<void>;
  /** What the outcome changes in this way's tables. The queue runs it in the transaction that removes the windows. */
  changesFor(windows: readonly QueuedWindow[], outcome: Outcome, viaSecondWay: TimeByWindow): () => void;
  /** The outcome has been written. */
  delivered(deliveredIds: readonly number[]): void;
  /** The store cannot be reached: after a while its windows are moved to this way. */
  storeUnavailable(): void;
  /** Forgets all time of a student that it still has to store, and what it knows of time that it has stored. */
  forgetStudent(userId: number): Promise<void>;
  /** Ends what is under way. */
  close(): Promise<void>;
}

/** What the queue offers to a second way. */
export interface QueueAccess {
  /** The queue's file: a place for tables of its own. */
  readonly connection: Connection;
  /** The file takes one task at a time. */
  readonly run: Mutex['run'];
  /** Id of the newest window in the queue, 0 if there is none. */
  newestId(): Promise<number>;
  /** Up to `limit` waiting windows behind `afterId` that are not moved yet, in order; those that cannot be read are left out. */
  notMoved(
    afterId: number,
    limit: number,
  ): Promise<{ readonly windows: QueuedWindow[]; readonly lastId: number | null }>;
  /** Marks windows as moved and runs `changes` in the same transaction. Rejects with `spool_failed`. */
  markMoved(ids: readonly number[], changes: () => void): Promise<void>;
  readonly clock: Clock;
  /** Numbers in [0, 1), for jitter. */
  readonly random: () => number;
  readonly logger: Logger;
}

/** Opens a second way on the queue's file and resumes what an earlier run has left. */
export type OpenSecondWay = (queue: QueueAccess) => Promise<SecondWay>;
