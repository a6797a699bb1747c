import type { BackoffPolicy } from '../../shared/backoff.ts';
import { describeError, RelayError } from '../../shared/errors.ts';
import type { Clock } from '../lib/clock.ts';
import type { Logger } from '../lib/logger.ts';
import { createMutex } from '../lib/mutex.ts';
import type { MetricsStore, TimeByWindow } from '../store/port.ts';
import { type Delivery, deliverInHalves, type Outcome } from './deliver.ts';
import { type QueueRow, readRow } from './queue-row.ts';
import { createRetryLoop } from './retry-loop.ts';
import { NOTHING_DEFERRED, type QueuedWindow, type SecondWay } from './second-way.ts';

/** Windows in one transaction of the store at most: its statements are as many for 200 as for one. */
export const BATCH_SIZE = 200;
/** Batches that are searched for windows that need not wait. */
const DEFERRED_BATCHES = 5;
const NOTHING_VIA: TimeByWindow = new Map();

/** Where windows wait for the store: a file of this gateway, or a stream that all gateways share. One contract suite tests both. */
export interface WindowSource {
  /** Number of windows that wait, as far as is known without asking. */
  count(): number;
  /** Finds the number out again. Rejects with what its place rejects with. */
  recount(): Promise<void>;
  /** The first waiting windows, in the order they were appended. */
  waiting(limit: number): Promise<QueueRow[]>;
  /**
   * Removes what was delivered, puts aside what was refused, and makes the changes of the second way, together. Rejects where
   * this could not be written: the same windows are delivered again then, and count once.
   */
  resolve(outcome: Outcome, changes: () => void): Promise<void>;
}

export interface DeliveryLoopOptions {
  readonly source: WindowSource;
  readonly store: Pick<MetricsStore, 'applyWindows'>;
  readonly secondWay: SecondWay | null;
  readonly logger: Logger;
  readonly clock: Clock;
  /** Numbers in [0, 1), for the jitter. */
  readonly random: () => number;
  readonly backoff?: BackoffPolicy | undefined;
  readonly batchSize?: number | undefined;
}

/** Delivers from a source to the store, batch by batch, and waits after failures. An empty source has no timer and asks nothing of the store. */
export interface DeliveryLoop {
  /** Windows may have come. */
  start(): void;
  /** Delivers at once, without the rest of a wait, and resolves when nothing is left or all of it has to wait. */
  runNow(): Promise<void>;
  /** True while it waits after a failure. */
  isBackingOff(): boolean;
  /** Delivers rows out of turn, batch by batch; returns early when they have to wait. A failure makes everything wait. */
  deliverOutOfTurn(find: () => Promise<QueueRow[]>): Promise<void>;
  /** Starts nothing more; resolves when the delivery under way has ended. */
  stop(): Promise<void>;
}

/** A row with the window that it holds. */
export interface ReadRow<Row extends QueueRow> extends QueuedWindow {
  readonly row: Row;
}

/** Splits rows into windows and those that cannot be read. */
export function readRows<Row extends QueueRow>(
  rows: readonly Row[],
): { windows: ReadRow<Row>[]; unreadable: { id: number; error: string }[] } {
  const windows: ReadRow<Row>[] = [];
  const unreadable: { id: number; error: string }[] = [];
  for (const row of rows) {
    try {
      windows.push({ id: row.id, window: readRow(row), isMoved: row.isMoved, row });
    } catch (error) {
      unreadable.push({ id: row.id, error: describeError(error) });
    }
  }
  return { windows, unreadable };
}

export function createDeliveryLoop(options: DeliveryLoopOptions): DeliveryLoop {
  const { source, store, secondWay, logger, batchSize = BATCH_SIZE } = options;
  /** One delivery at a time. */
  const deliveryMutex = createMutex();
  let isStopping = false;

  const loop = createRetryLoop({
    hasWork: () => source.count() > 0,
    deliver: () => deliveryMutex.run(() => deliverSome((limit) => source.waiting(limit))),
    failed(error, retryInMs) {
      const code = error instanceof RelayError ? error.code : 'spool_delivery_failed';
      logger.warn(
        { code, error: describeError(error), waiting: source.count(), retryInMs },
        'metrics wait in the queue',
      );
      // A failure of the source's own says nothing about the store.
      if (['store_unreachable', 'store_query_failed'].includes(code) && !isStopping) secondWay?.storeUnavailable();
    },
    recovered: (failures) => logger.info({ failures, waiting: source.count() }, 'metrics are being stored again'),
    clock: options.clock,
    random: options.random,
    backoff: options.backoff,
  });

  /**
   * Delivers one batch of the rows that `find` yields. Resolves with 0, or with the ms to wait when all of them have to wait.
   * Rejects with the store's failure, or with the source's.
   */
  async function deliverSome(find: (limit: number) => Promise<QueueRow[]>): Promise<number> {
    const deferral = (await secondWay?.begin()) ?? NOTHING_DEFERRED;
    const limit = deferral.waitMs > 0 ? batchSize * DEFERRED_BATCHES : batchSize;
    const found = readRows(await find(limit));
    const windows = found.windows.filter(({ window }) => !deferral.isDeferred(window)).slice(0, batchSize);
    if (windows.length === 0 && found.unreadable.length === 0) {
      if (found.windows.length > 0) return deferral.waitMs;
      // Another process has taken what was counted here.
      await source.recount();
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
    for (const { id, error } of outcome.setAside) {
      logger.error({ code: 'window_set_aside', entry: id, error }, 'the store refuses a metrics window for good');
    }
    await source.resolve(outcome, secondWay?.changesFor(windows, outcome, viaSecondWay) ?? (() => undefined));
  }

  return {
    start: loop.start,
    runNow: loop.runNow,
    isBackingOff: loop.isBackingOff,
    async deliverOutOfTurn(find) {
      try {
        while (!isStopping && (await find()).length > 0) {
          const waitMs = await deliveryMutex.run(() => deliverSome(find));
          if (waitMs > 0) return;
        }
      } catch (error) {
        if (!isStopping) loop.fail(error);
      }
    },
    stop() {
      isStopping = true;
      return loop.stop();
    },
  };
}
