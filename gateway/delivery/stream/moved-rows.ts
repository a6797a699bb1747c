import type { Clock } from '../../lib/clock.ts';
import type { Logger } from '../../lib/logger.ts';
import type { MetricsStore } from '../../store/port.ts';
import { createDeliveryLoop } from '../delivery-loop.ts';
import type { FileWindows } from '../file-windows.ts';
import type { OpenSecondWay } from '../second-way.ts';

export interface MovedRowsOptions {
  readonly windows: FileWindows;
  readonly store: Pick<MetricsStore, 'applyWindows'>;
  readonly openSecondWay: OpenSecondWay | null;
  readonly logger: Logger;
  readonly clock: Clock;
  /** Numbers in [0, 1), for the jitter. */
  readonly random: () => number;
}

/**
 * Windows of this gateway's file whose time had gone the second way before it got NATS: what is known of that time is in the same
 * file, so they are delivered from there, and no more are moved. Null where there are none. Resolves when delivery has begun.
 */
export async function deliverMovedRows(options: MovedRowsOptions): Promise<{ close(): Promise<void> } | null> {
  const { windows, store, openSecondWay, logger, clock, random } = options;
  const { file, run } = windows;
  const countMoved = () => run(() => file.countMoved());
  let count = await countMoved();
  if (count === 0) return null;
  const secondWay =
    (await openSecondWay?.({
      place: { kind: 'file', connection: file.connection },
      run,
      newestId: () => run(() => file.newestId()),
      notMoved: async () => ({ windows: [], lastId: null }),
      markMoved: (ids, changes) => run(() => file.markMoved(ids, changes)),
      clock,
      random,
      logger,
    })) ?? null;
  const recount = async () => {
    count = await countMoved();
  };
  const loop = createDeliveryLoop({
    source: {
      count: () => count,
      recount,
      waiting: (limit) => run(() => file.moved(limit)),
      async resolve(outcome, changes) {
        await windows.resolve(outcome, changes);
        await recount();
      },
    },
    store,
    secondWay,
    logger,
    clock,
    random,
  });
  loop.start();
  return {
    async close() {
      await Promise.allSettled([loop.stop(), secondWay?.close()]);
    },
  };
}
