import type { BackoffPolicy } from '../../shared/backoff.ts';
import { RelayError } from '../../shared/errors.ts';
import type { MetricsWindow } from '../../shared/metrics-window.ts';
import { type Clock, systemClock } from '../lib/clock.ts';
import type { Logger } from '../lib/logger.ts';
import { within } from '../lib/timeout.ts';
import type { MetricsStore } from '../store/port.ts';
import { createDeliveryLoop, readRows } from './delivery-loop.ts';
import { openFileWindows } from './file-windows.ts';
import type { SetAsideEntry } from './queue-row.ts';
import type { OpenSecondWay } from './second-way.ts';

const CLOSE_GRACE_MS = 2000;

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
  /** What waited in the stream of all gateways when this one last saw it; null where there is none. */
  streamLag(): StreamLag | null;
  /** Number of entries that the store refused for good. */
  setAsideCount(): number;
  setAside(): Promise<SetAsideEntry[]>;
  /**
   * Windows of a session that are not in the store yet, in order; while the store is unavailable some of them may be. Rejects as
   * NATS does.
   */
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
  /** What keeps windows from where they wait for delivery; null where nothing does. */
  fault(): RelayError | null;
  /**
   * Waits a moment for the delivery under way and leaves the rest to the next start. What the store takes
   * after that is delivered again then, and counts once. Always resolves; safe to call twice.
   */
  close(): Promise<void>;
}

/** Windows of all gateways that wait for the store. */
export interface StreamLag {
  readonly windows: number;
  /** Age of the one that has waited longest, ms; 0 if none waits. */
  readonly oldestAgeMs: number;
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

/**
 * Opens the queue in this gateway's file and resumes the delivery of what an earlier run has left. An empty queue has no
 * timer and asks nothing of the store. Throws RelayError `spool_failed`.
 */
export async function openQueue(options: QueueOptions): Promise<DeliveryQueue> {
  const { store, logger, clock = systemClock, random = Math.random } = options;
  const windows = await openFileWindows(options.dataDir, logger, clock, () => loop.start());
  const { file, run } = windows;
  let closing: Promise<void> | null = null;
  const secondWay =
    (await options.openSecondWay?.({
      place: { kind: 'file', connection: file.connection },
      run,
      newestId: () => run(() => file.newestId()),
      async notMoved(afterId, limit) {
        const rows = await run(() => file.notMoved(afterId, limit));
        return { windows: readRows(rows).windows, lastId: rows.at(-1)?.id ?? null };
      },
      markMoved: (ids, changes) => run(() => file.markMoved(ids, changes)),
      clock,
      random,
      logger,
    })) ?? null;
  const loop = createDeliveryLoop({
    source: windows,
    store,
    secondWay,
    logger,
    clock,
    random,
    backoff: options.backoff,
    batchSize: options.batchSize,
  });

  loop.start();
  return {
    append(window) {
      if (closing !== null) return Promise.reject(new RelayError('spool_closed', 'the delivery queue is closed'));
      return windows.append(window);
    },
    checkpoint: (open, goneSessionIds) =>
      closing === null ? windows.checkpoint(open, goneSessionIds) : Promise.resolve(),
    depth: windows.count,
    oldestAgeMs: windows.oldestAgeMs,
    streamLag: () => null,
    setAsideCount: windows.setAsideCount,
    setAside: windows.setAside,
    async pendingFor(sessionId) {
      const rows = await run(() => file.waitingOfSession(sessionId.toLowerCase()));
      return readRows(rows).windows.map(({ window }) => window);
    },
    async flushSession(sessionId, budgetMs) {
      const find = () => run(() => file.waitingOfSession(sessionId.toLowerCase()));
      if (!loop.isBackingOff()) await within(loop.deliverOutOfTurn(find), budgetMs, undefined, clock);
      return (await find()).length;
    },
    async forgetStudent(userId, budgetMs) {
      const find = () => run(() => file.waitingOfStudent(userId));
      await within(loop.deliverOutOfTurn(find), budgetMs, undefined, clock);
      const waiting = (await find()).length;
      if (waiting > 0) return waiting;
      await windows.forgetStudent(userId);
      await secondWay?.forgetStudent(userId);
      return 0;
    },
    async flush(budgetMs) {
      // Appends under way come first.
      const everything = windows.appended().then(() => loop.runNow());
      await within(everything, budgetMs, undefined, clock);
      return windows.count();
    },
    fault: () => null,
    close() {
      closing ??= (async () => {
        await within(Promise.allSettled([loop.stop(), secondWay?.close()]), CLOSE_GRACE_MS, undefined, clock);
        await windows.close();
      })();
      return closing;
    },
  };
}
