import path from 'node:path';
import { describeError, RelayError } from '../../shared/errors.ts';
import type { MetricsWindow } from '../../shared/metrics-window.ts';
import { NOT_WITH_PHP, NOTHING_DEFERRED, openPhpPath } from '../eyelearn/php/fallback.ts';
import type { PhpOptions } from '../eyelearn/php/poster.ts';
import { type BackoffPolicy, backoffMs } from '../lib/backoff.ts';
import { type Clock, systemClock } from '../lib/clock.ts';
import type { Logger } from '../lib/logger.ts';
import { createMutex } from '../lib/mutex.ts';
import type { MetricsStore } from '../store/port.ts';
import { openCheckpoints } from './checkpoints.ts';
import { deliver, readEntry } from './deliver.ts';
import { openSpoolFile } from './queue-file.ts';

const SPOOL_FILE = 'spool.db';
/** Windows handed to the store in one transaction at most. */
const BATCH_SIZE = 50;
/** Windows looked at, in batches, for some that need not wait for a PHP post to be settled. */
const DEFERRED_BATCHES = 20;
const CLOSE_GRACE_MS = 2000;
const BACKOFF: BackoffPolicy = { firstMs: 500, maxMs: 60_000 };

/** An entry the store will never take, with the reason. */
export interface SetAsideEntry {
  /** The window's JSON text as it was appended. */
  readonly body: string;
  readonly error: string;
}

/**
 * Durable queue between sessions and the store. Windows are delivered in the order they were
 * appended, again and again until the store has them; the store makes each count once.
 */
export interface Spool {
  /** Resolves when the window is on the disk. Rejects with RelayError `spool_failed` or `spool_closed`. */
  append(window: MetricsWindow): Promise<void>;
  /**
   * Keeps what running sessions have counted since their last windows, in case this process is killed, and forgets the
   * sessions that are gone. Rejects with `spool_failed`.
   */
  checkpoint(open: readonly MetricsWindow[], goneSessionIds: readonly string[]): Promise<void>;
  /** Windows that wait for delivery. */
  depth(): number;
  /** Age of the window that has waited longest, ms; null if none waits. */
  oldestAgeMs(): number | null;
  /** Number of entries that the store refused for good. */
  setAsideCount(): number;
  setAside(): Promise<SetAsideEntry[]>;
  /** Windows of a session that are not in the store yet, in order. */
  pendingFor(sessionId: string): Promise<MetricsWindow[]>;
  /**
   * Before a student's data is deleted from the store: delivers what waits, for at most `budgetMs`, and forgets what
   * else is kept of the student. Resolves with the number of their windows that still wait; nothing is forgotten then.
   */
  forgetStudent(userId: number, budgetMs: number): Promise<number>;
  /**
   * Tries to deliver everything now, whatever wait was on. Resolves with the number of windows left
   * as soon as none is, the store is out of reach, or `budgetMs` have passed.
   */
  flush(budgetMs: number): Promise<number>;
  /**
   * Gives the delivery under way a moment to end, and keeps what is left for the next start. What the store
   * takes after that is delivered once more then, and counts once. Safe to call twice.
   */
  close(): Promise<void>;
}

export interface SpoolOptions {
  /** Folder of the spool's file `spool.db`; both are made if they are not there. */
  readonly dataDir: string;
  readonly store: Pick<MetricsStore, 'applyWindows'> & Partial<Pick<MetricsStore, 'eyelearnDay'>>;
  /** The PHP endpoint, for EyeLearn's rows: besides the store, or while the store is out of reach. */
  readonly php?: SpoolPhpOptions | null;
  readonly logger: Logger;
  readonly clock?: Clock;
  /** Numbers in [0, 1), for the jitter. */
  readonly random?: () => number;
  readonly backoff?: BackoffPolicy;
  readonly batchSize?: number;
}

export interface SpoolPhpOptions extends PhpOptions {
  /** `always`: the store does not reach EyeLearn's database. `fallback`: it does, when it can be reached. */
  readonly use: 'always' | 'fallback';
  /** How long the store must be out of reach before windows go to PHP, ms. */
  readonly fallbackAfterMs?: number;
  /** Age from which a post with an unknown outcome is settled against the database, ms. */
  readonly settleAfterMs?: number;
}

interface PendingAppend {
  readonly sessionId: string;
  readonly body: string;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

const entryOf = (window: MetricsWindow) => ({
  sessionId: window.sessionId.toLowerCase(),
  body: JSON.stringify(window),
});

/**
 * Opens a spool and goes on delivering what an earlier run left. An empty spool has no timer and
 * asks nothing of the store. Throws RelayError `spool_failed`.
 */
export async function openSpool(options: SpoolOptions): Promise<Spool> {
  const { store, logger, clock = systemClock, random = Math.random, backoff = BACKOFF } = options;
  const batchSize = options.batchSize ?? BATCH_SIZE;
  const file = await openSpoolFile(path.join(options.dataDir, SPOOL_FILE));
  const mutex = createMutex();
  const checkpoints = await openCheckpoints(options.dataDir);
  const recovered = await checkpoints.recover();
  if (recovered.length > 0) {
    await file.append(recovered.map(entryOf), clock.nowMs());
    await checkpoints.write(
      [],
      recovered.map(({ sessionId }) => sessionId),
    );
    logger.info({ windows: recovered.length }, 'open windows of a gateway that was killed are taken over');
  }
  let stats = await file.stats();
  let queue: PendingAppend[] = [];
  let failures = 0;
  let closing: Promise<void> | null = null;
  let closed = false;
  let delivering: Promise<boolean> | null = null;
  let cancelRetry: (() => void) | null = null;
  const phpPath =
    options.php == null ? null : await openPhpPath({ ...options.php, file, mutex, store, clock, random, logger });

  function writeQueue(): void {
    void mutex.run(async () => {
      // Whatever has queued up while the one before was written shares one commit.
      const entries = queue;
      queue = [];
      if (entries.length === 0) return;
      const appendedAtMs = clock.nowMs();
      try {
        await file.append(entries, appendedAtMs);
      } catch (error) {
        for (const { reject } of entries) reject(error);
        return;
      }
      stats = {
        ...stats,
        waiting: stats.waiting + entries.length,
        oldestAppendedAtMs: stats.oldestAppendedAtMs ?? appendedAtMs,
      };
      for (const { resolve } of entries) resolve();
      start();
    });
  }

  /** Resolves with the time after which to look again, when all that is left must wait; else with null. */
  async function deliverBatch(): Promise<number | null> {
    const deferral = (await phpPath?.begin()) ?? NOTHING_DEFERRED;
    const isSome = deferral.waitMs > 0;
    const found = await mutex.run(() => file.waiting(isSome ? batchSize * DEFERRED_BATCHES : batchSize));
    const rows = isSome ? found.filter((row) => !deferral.isDeferred(row)).slice(0, batchSize) : found;
    if (rows.length === 0 && found.length > 0) return deferral.waitMs;
    if (rows.length === 0) {
      // Somebody else took what we had counted.
      stats = await mutex.run(() => file.stats());
      return null;
    }
    const php = phpPath === null ? NOT_WITH_PHP : await phpPath.before(rows);
    const delivery = await deliver(rows, store, php.elsewhere);
    if (delivery.failure !== null) await phpPath?.failed(rows, delivery.failure);
    const { deliveredIds, setAside, failure } = delivery;
    for (const { id, error } of setAside) {
      logger.error({ code: 'window_set_aside', entry: id, error }, 'the store refuses a metrics window for good');
    }
    await mutex.run(async () => {
      if (closed) return;
      await file.resolve(delivery, phpPath?.changeOf(rows, delivery, php.elsewhere));
      stats = {
        waiting: stats.waiting - deliveredIds.length - setAside.length,
        setAside: stats.setAside + setAside.length,
        oldestAppendedAtMs: await file.oldestAppendedAtMs(),
      };
    });
    if (failure !== null) throw failure;
    phpPath?.delivered(deliveredIds);
    if (failures > 0) logger.info({ failures, waiting: stats.waiting }, 'metrics are being stored again');
    failures = 0;
    return null;
  }

  /** False when the store is out of reach and a later try is set. */
  async function deliverAll(): Promise<boolean> {
    try {
      while (stats.waiting > 0 && closing === null) {
        const waitMs = await deliverBatch();
        if (waitMs === null) continue;
        startAfter(waitMs);
        return false;
      }
      return true;
    } catch (error) {
      retryLater(error);
      return false;
    }
  }

  function retryLater(error: unknown): void {
    const retryInMs = backoffMs(backoff, failures, random);
    failures += 1;
    const code = error instanceof RelayError ? error.code : 'spool_delivery_failed';
    logger.warn({ code, error: describeError(error), waiting: stats.waiting, retryInMs }, 'metrics wait in the spool');
    if (closing !== null) return;
    phpPath?.storeIsAway();
    startAfter(retryInMs);
  }

  function startAfter(waitMs: number): void {
    if (closing !== null) return;
    cancelRetry = clock.after(waitMs, () => {
      cancelRetry = null;
      start();
    });
  }

  function start(): void {
    if (delivering !== null || cancelRetry !== null || closing !== null || stats.waiting === 0) return;
    delivering = deliverAll().finally(() => {
      delivering = null;
      // Windows may have come in between the last look and here.
      start();
    });
  }

  /** Waits until nothing is being delivered any more; false when that was for want of a store. */
  async function delivered(): Promise<boolean> {
    while (delivering !== null) if (!(await delivering)) return false;
    return true;
  }

  async function deliverNow(): Promise<void> {
    // Appends under way come first.
    await mutex.run(async () => undefined);
    if ((await delivered()) && stats.waiting === 0) return;
    cancelRetry?.();
    cancelRetry = null;
    start();
    await delivered();
  }

  /** Resolves when the work is done or `budgetMs` have passed. */
  async function within(budgetMs: number, work: Promise<unknown>): Promise<void> {
    let cancel: () => void = () => undefined;
    const budget = new Promise<void>((resolve) => {
      cancel = clock.after(budgetMs, resolve);
    });
    await Promise.race([work, budget]);
    cancel();
  }

  start();
  return {
    append(window) {
      if (closing !== null) return Promise.reject(new RelayError('spool_closed', 'the spool is closed'));
      return new Promise((resolve, reject) => {
        queue.push({ ...entryOf(window), resolve, reject });
        if (queue.length === 1) writeQueue();
      });
    },
    checkpoint: (open, goneSessionIds) =>
      closing === null ? checkpoints.write(open, goneSessionIds) : Promise.resolve(),
    depth: () => stats.waiting,
    oldestAgeMs: () =>
      stats.oldestAppendedAtMs === null ? null : Math.max(0, clock.nowMs() - stats.oldestAppendedAtMs),
    setAsideCount: () => stats.setAside,
    setAside: () => mutex.run(async () => (await file.setAside()).map(({ body, error }) => ({ body, error }))),
    pendingFor: (sessionId) =>
      mutex.run(async () => {
        const rows = await file.waitingOf(sessionId.toLowerCase());
        return rows.flatMap((row) => {
          try {
            return [readEntry(row)];
          } catch {
            return [];
          }
        });
      }),
    async forgetStudent(userId, budgetMs) {
      await within(budgetMs, deliverNow());
      return mutex.run(async () => {
        const waiting = await file.waitingOfStudent(userId);
        if (waiting > 0) return waiting;
        await file.forgetStudent(userId);
        stats = await file.stats();
        return 0;
      });
    },
    async flush(budgetMs) {
      await within(budgetMs, deliverNow());
      return stats.waiting;
    },
    close() {
      closing ??= (async () => {
        cancelRetry?.();
        cancelRetry = null;
        await within(CLOSE_GRACE_MS, Promise.all([delivered(), phpPath?.close()]));
        await mutex.run(async () => {
          closed = true;
          file.close();
          checkpoints.close();
        });
      })();
      return closing;
    },
  };
}
