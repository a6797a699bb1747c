import path from 'node:path';
import type { BackoffPolicy } from '../../shared/backoff.ts';
import { describeError, RelayError } from '../../shared/errors.ts';
import type { MetricsWindow } from '../../shared/metrics-window.ts';
import { type Clock, systemClock } from '../lib/clock.ts';
import type { Logger } from '../lib/logger.ts';
import { createMutex } from '../lib/mutex.ts';
import { within } from '../lib/timeout.ts';
import type { MetricsStore, TimeByWindow } from '../store/port.ts';
import { openCheckpoints } from './checkpoints.ts';
import { type Delivery, deliverInHalves } from './deliver.ts';
import { openQueueFile, type QueueRow, readRow } from './queue-file.ts';
import { createRetryLoop } from './retry-loop.ts';
import { NOTHING_DEFERRED, type OpenSecondWay, type QueuedWindow } from './second-way.ts';

/** The file's name is older than the word "queue": a gateway that is updated finds what it has left. */
const QUEUE_FILE = 'spool.db';
/** Windows in one transaction of the store at most. */
const BATCH_SIZE = 50;
/** Batches that are searched for windows that need not wait. */
const DEFERRED_BATCHES = 20;
const CLOSE_GRACE_MS = 2000;
const NOTHING_VIA: TimeByWindow = new Map();

/** An entry that the store rejects permanently, with the reason. */
export interface SetAsideEntry {
  /** The window's JSON text as it was appended. */
  readonly body: string;
  readonly error: string;
}

/**
 * Durable queue between sessions and the store. Windows are delivered in the order they were
 * appended, again and again until the store has them; the store makes each count once.
 */
export interface DeliveryQueue {
  /** Resolves when the window is on the disk. Rejects with RelayError `spool_failed` or `spool_closed`. */
  append(window: MetricsWindow): Promise<void>;
  /**
   * Writes what running sessions have counted since their last windows, in case this process is killed, and forgets
   * sessions that have ended. Rejects with `spool_failed`.
   */
  checkpoint(open: readonly MetricsWindow[], goneSessionIds: readonly string[]): Promise<void>;
  /** Number of windows that wait for delivery. */
  depth(): number;
  /** Age of the window that has waited longest, ms; null if none waits. */
  oldestAgeMs(): number | null;
  /** Number of entries that the store rejected permanently. */
  setAsideCount(): number;
  setAside(): Promise<SetAsideEntry[]>;
  /** Windows of a session that are not in the store yet, in order. */
  pendingFor(sessionId: string): Promise<MetricsWindow[]>;
  /**
   * Delivers the waiting windows of one session now, for at most `budgetMs`, and resolves with the number left. While the
   * queue waits after a failure nothing is tried: a class that reconnects during an outage does not defeat the backoff.
   */
  flushSession(sessionId: string, budgetMs: number): Promise<number>;
  /**
   * Before a student's data is deleted from the store: delivers the student's windows, for at most `budgetMs`, and forgets
   * everything else of the student. Resolves with the number of windows that still wait; nothing is forgotten then.
   * Rejects with `spool_failed`.
   */
  forgetStudent(userId: number, budgetMs: number): Promise<number>;
  /**
   * At shutdown: tries to deliver everything now, without the rest of a wait. Resolves with the number of windows left
   * when there is none, the store cannot be reached, or `budgetMs` have passed.
   */
  flush(budgetMs: number): Promise<number>;
  /**
   * Waits a moment for the delivery under way and leaves the rest to the next start. What the store takes
   * after that is delivered again then, and counts once. Always resolves; safe to call twice.
   */
  close(): Promise<void>;
}

export interface QueueOptions {
  /** Folder of the queue's file `spool.db`; both are made if they are missing. */
  readonly dataDir: string;
  readonly store: Pick<MetricsStore, 'applyWindows'>;
  readonly openSecondWay?: OpenSecondWay | null;
  readonly logger: Logger;
  readonly clock?: Clock;
  /** Numbers in [0, 1), for the jitter. */
  readonly random?: () => number;
  readonly backoff?: BackoffPolicy;
  readonly batchSize?: number;
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

/** Splits rows into windows and those that cannot be read. */
function readRows(rows: readonly QueueRow[]): { windows: QueuedWindow[]; unreadable: { id: number; error: string }[] } {
  const windows: QueuedWindow[] = [];
  const unreadable: { id: number; error: string }[] = [];
  for (const row of rows) {
    try {
      windows.push({ id: row.id, window: readRow(row), isMoved: row.isMoved });
    } catch (error) {
      unreadable.push({ id: row.id, error: describeError(error) });
    }
  }
  return { windows, unreadable };
}

/**
 * Opens the queue and resumes the delivery of what an earlier run has left. An empty queue has no timer and
 * asks nothing of the store. Throws RelayError `spool_failed`.
 */
export async function openQueue(options: QueueOptions): Promise<DeliveryQueue> {
  const { store, logger, clock = systemClock, random = Math.random } = options;
  const batchSize = options.batchSize ?? BATCH_SIZE;
  const file = await openQueueFile(path.join(options.dataDir, QUEUE_FILE), logger, clock.nowMs());
  /** One task at a time on the file. */
  const fileMutex = createMutex();
  /** One delivery at a time. */
  const deliveryMutex = createMutex();
  const checkpoints = await openCheckpoints(options.dataDir, logger, clock.nowMs());
  const recovered = await checkpoints.recover();
  if (recovered.length > 0) {
    await file.append(recovered.map(entryOf), clock.nowMs());
    await checkpoints.write(
      [],
      recovered.map(({ sessionId }) => sessionId),
    );
    logger.info({ windows: recovered.length }, 'open windows of a gateway that was killed are recovered');
  }
  let stats = await file.stats();
  let pendingAppends: PendingAppend[] = [];
  let closing: Promise<void> | null = null;
  let closed = false;
  const secondWay =
    (await options.openSecondWay?.({
      connection: file.connection,
      run: fileMutex.run,
      newestId: () => fileMutex.run(() => file.newestId()),
      async notMoved(afterId, limit) {
        const rows = await fileMutex.run(() => file.notMoved(afterId, limit));
        return { windows: readRows(rows).windows, lastId: rows.at(-1)?.id ?? null };
      },
      markMoved: (ids, changes) => fileMutex.run(() => file.markMoved(ids, changes)),
      clock,
      random,
      logger,
    })) ?? null;

  const loop = createRetryLoop({
    hasWork: () => stats.waiting > 0,
    deliver: () => deliveryMutex.run(() => deliverSome((limit) => file.waiting(limit))),
    failed(error, retryInMs) {
      const code = error instanceof RelayError ? error.code : 'spool_delivery_failed';
      logger.warn(
        { code, error: describeError(error), waiting: stats.waiting, retryInMs },
        'metrics wait in the queue',
      );
      // A failure of the queue's own file says nothing about the store.
      if (['store_unreachable', 'store_query_failed'].includes(code) && closing === null) secondWay?.storeUnavailable();
    },
    recovered: (failures) => logger.info({ failures, waiting: stats.waiting }, 'metrics are being stored again'),
    clock,
    random,
    backoff: options.backoff,
  });

  function writeAppends(): void {
    void fileMutex.run(async () => {
      // Everything that has come while the batch before was written shares one commit.
      const entries = pendingAppends;
      pendingAppends = [];
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
      loop.start();
    });
  }

  /**
   * Delivers one batch of the rows that `find` yields. Resolves with 0, or with the ms to wait when all of them have to wait.
   * Rejects with the store's failure, or with `spool_failed`.
   */
  async function deliverSome(find: (limit: number) => Promise<QueueRow[]>): Promise<number> {
    const deferral = (await secondWay?.begin()) ?? NOTHING_DEFERRED;
    const limit = deferral.waitMs > 0 ? batchSize * DEFERRED_BATCHES : batchSize;
    const found = readRows(await fileMutex.run(() => find(limit)));
    const windows = found.windows.filter(({ window }) => !deferral.isDeferred(window)).slice(0, batchSize);
    if (windows.length === 0 && found.unreadable.length === 0) {
      if (found.windows.length > 0) return deferral.waitMs;
      // Another process has taken what was counted here.
      stats = await fileMutex.run(() => file.stats());
      return 0;
    }
    const viaSecondWay = (await secondWay?.before(windows)) ?? NOTHING_VIA;
    const delivery = await deliverInHalves(windows, (part) =>
      store.applyWindows(
        part.map(({ window }) => window),
        viaSecondWay,
      ),
    );
    if (delivery.failure !== null) await secondWay?.failed(windows, delivery.failure);
    try {
      await write({ ...delivery, setAside: [...found.unreadable, ...delivery.setAside] }, windows, viaSecondWay);
    } catch (error) {
      // The store may have these windows: the second way must not take them.
      await secondWay?.failed(windows, error);
      throw error;
    }
    if (delivery.failure !== null) throw delivery.failure;
    secondWay?.delivered(delivery.deliveredIds);
    return 0;
  }

  async function write(outcome: Delivery, windows: readonly QueuedWindow[], viaSecondWay: TimeByWindow): Promise<void> {
    const { deliveredIds, setAside } = outcome;
    for (const { id, error } of setAside) {
      logger.error({ code: 'window_set_aside', entry: id, error }, 'the store refuses a metrics window permanently');
    }
    const changes = secondWay?.changesFor(windows, outcome, viaSecondWay) ?? (() => undefined);
    await fileMutex.run(async () => {
      if (closed) return;
      await file.resolve(outcome, changes);
      stats = {
        waiting: stats.waiting - deliveredIds.length - setAside.length,
        setAside: stats.setAside + setAside.length,
        oldestAppendedAtMs: await file.oldestAppendedAtMs(),
      };
    });
  }

  /** Delivers rows out of turn, batch by batch; returns early when they have to wait. A failure makes the whole queue wait. */
  async function deliverOutOfTurn(find: () => Promise<QueueRow[]>): Promise<void> {
    const rest = async () => (await fileMutex.run(find)).length > 0;
    try {
      while (closing === null && (await rest())) {
        const waitMs = await deliveryMutex.run(() => deliverSome(find));
        if (waitMs > 0) return;
      }
    } catch (error) {
      if (closing === null) loop.fail(error);
    }
  }

  loop.start();
  return {
    append(window) {
      if (closing !== null) return Promise.reject(new RelayError('spool_closed', 'the delivery queue is closed'));
      return new Promise((resolve, reject) => {
        pendingAppends.push({ ...entryOf(window), resolve, reject });
        if (pendingAppends.length === 1) writeAppends();
      });
    },
    checkpoint: (open, goneSessionIds) =>
      closing === null ? checkpoints.write(open, goneSessionIds) : Promise.resolve(),
    depth: () => stats.waiting,
    oldestAgeMs: () =>
      stats.oldestAppendedAtMs === null ? null : Math.max(0, clock.nowMs() - stats.oldestAppendedAtMs),
    setAsideCount: () => stats.setAside,
    setAside: () => fileMutex.run(async () => (await file.setAside()).map(({ body, error }) => ({ body, error }))),
    async pendingFor(sessionId) {
      const rows = await fileMutex.run(() => file.waitingOfSession(sessionId.toLowerCase()));
      return readRows(rows).windows.map(({ window }) => window);
    },
    async flushSession(sessionId, budgetMs) {
      const find = () => file.waitingOfSession(sessionId.toLowerCase());
      if (!loop.isBackingOff()) await within(deliverOutOfTurn(find), budgetMs, undefined, clock);
      return (await fileMutex.run(find)).length;
    },
    async forgetStudent(userId, budgetMs) {
      const find = () => file.waitingOfStudent(userId);
      await within(deliverOutOfTurn(find), budgetMs, undefined, clock);
      const waiting = await fileMutex.run(async () => {
        const left = (await find()).length;
        if (left > 0) return left;
        await file.forgetStudent(userId);
        stats = await file.stats();
        return 0;
      });
      if (waiting === 0) await secondWay?.forgetStudent(userId);
      return waiting;
    },
    async flush(budgetMs) {
      // Appends under way come first.
      const everything = fileMutex.run(async () => undefined).then(() => loop.runNow());
      await within(everything, budgetMs, undefined, clock);
      return stats.waiting;
    },
    close() {
      closing ??= (async () => {
        await within(Promise.allSettled([loop.stop(), secondWay?.close()]), CLOSE_GRACE_MS, undefined, clock);
        await fileMutex.run(async () => {
          closed = true;
          for (const opened of [file, checkpoints]) {
            try {
              opened.close();
            } catch (error) {
              logger.warn({ code: 'spool_failed', error: describeError(error) }, 'a file of the queue did not close');
            }
          }
        });
      })();
      return closing;
    },
  };
}
