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
 * calls it step by step during each delivery; what it knows is kept where the queue keeps which windows are moved, so that each step
 * is written together with the windows it concerns.
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
  /**
   * What the outcome changes in what this way keeps. The queue runs it in the transaction that removes the windows, or writes the
   * notes before it removes them.
   */
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

/** Notes about students that all gateways share; each gateway has those of the students whose windows it delivers. */
export interface StudentNotes {
  /** Students that are here and have a note, with the note, a JSON value. */
  all(): Iterable<readonly [userId: number, note: unknown]>;
  /** The note of a student; null where there is none or the student is not here. */
  get(userId: number): unknown;
  /** Changes a note in memory; null removes it. Nothing where the student is not here. */
  set(userId: number, note: unknown): void;
  /**
   * Writes the changes of these students, each student's at once. Called in the same turn as `set`. Rejects with `part_lost` where the
   * students are not here any more: what was not written does not hold then, and is not to be acted on.
   */
  commit(userIds: Iterable<number>): Promise<void>;
  /** Removes the note of a student, wherever the student is. Rejects as `commit` does, or as NATS does. */
  forget(userId: number): Promise<void>;
}

/** Where a second way keeps what it knows: tables of its own in the queue's file, or notes that all gateways share. */
export type SecondWayPlace =
  | { readonly kind: 'file'; readonly connection: Connection }
  | { readonly kind: 'notes'; readonly notes: StudentNotes };

/** What the queue offers to a second way. */
export interface QueueAccess {
  readonly place: SecondWayPlace;
  /** The place takes one task at a time. */
  readonly run: Mutex['run'];
  /** Id of the newest window in the queue, 0 if there is none. */
  newestId(): Promise<number>;
  /** Up to `limit` waiting windows behind `afterId` that are not moved yet, in order; those that cannot be read are left out. */
  notMoved(
    afterId: number,
    limit: number,
  ): Promise<{ readonly windows: QueuedWindow[]; readonly lastId: number | null }>;
  /** Marks windows as moved and writes `changes` with that. Rejects with `spool_failed` or `part_lost`. */
  markMoved(ids: readonly number[], changes: () => void): Promise<void>;
  readonly clock: Clock;
  /** Numbers in [0, 1), for jitter. */
  readonly random: () => number;
  readonly logger: Logger;
}

/** Opens a second way on the queue and resumes what an earlier run has left. */
export type OpenSecondWay = (queue: QueueAccess) => Promise<SecondWay>;
