import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type CalibrationQueue, openCalibrationQueue } from '../../../gateway/delivery/calibrations.ts';
import { newestCalibration } from '../../../gateway/store/calibrations.ts';
import { createLibsqlStore } from '../../../gateway/store/libsql/store.ts';
import { createMysqlStore } from '../../../gateway/store/mysql/store.ts';
import type { MetricsStore } from '../../../gateway/store/port.ts';
import { waitFor } from '../../../harness/wait-for.ts';
import { RelayError } from '../../../shared/errors.ts';
import { CALIBRATION_VERSION } from '../../../shared/focus/calibration.ts';
import { captureLog } from '../../support/log-capture.ts';
import { aCalibration, aCentre, DEVICE_A } from '../store/calibrations.ts';
import { START_MS } from '../store/windows.ts';
import { manualClock } from './manual-clock.ts';

describe('calibrations on their way to the store', () => {
  let folder: string;
  let store: MetricsStore;
  let away: MetricsStore;
  let log: ReturnType<typeof captureLog>;
  let clock: ReturnType<typeof manualClock>;
  const queues: CalibrationQueue[] = [];

  beforeEach(async () => {
    folder = await mkdtemp(path.join(os.tmpdir(), 'relay-calibrations-'));
    log = captureLog();
    clock = manualClock(START_MS);
    store = createLibsqlStore({ path: path.join(folder, 'store.db'), logger: log.logger });
    await store.migrate();
    // Port 1 has no listener.
    away = createMysqlStore({ url: 'mysql://relay:secret@127.0.0.1:1/relay', logger: log.logger });
  });
  afterEach(async () => {
    for (const queue of queues.splice(0)) await queue.close();
    await store.close();
    await away.close();
    await rm(folder, { recursive: true, force: true });
  });

  async function open(to: Pick<MetricsStore, 'execute'> = store): Promise<CalibrationQueue> {
    const queue = await openCalibrationQueue({
      dataDir: folder,
      store: to,
      logger: log.logger,
      clock,
      random: () => 0.5,
    });
    queues.push(queue);
    return queue;
  }

  it('arrive there', async () => {
    const queue = await open();
    await queue.enqueue(aCalibration());
    await waitFor('the delivery', () => queue.depth() === 0);
    expect(await newestCalibration(store, 7, DEVICE_A, CALIBRATION_VERSION)).toEqual(aCalibration());
    expect(await queue.newest(7, DEVICE_A)).toEqual(aCalibration());
  });

  it('are found, and the newest first, while the store is away', async () => {
    const queue = await open(away);
    await queue.enqueue(aCalibration());
    await queue.enqueue(aCalibration({ createdAtMs: START_MS + 1 }));
    expect((await queue.newest(7, DEVICE_A))?.createdAtMs).toBe(START_MS + 1);
    await expect(queue.newest(8, DEVICE_A)).rejects.toMatchObject({ code: 'store_unreachable' });
    expect(queue.depth()).toBe(2);
  });

  it('are forgotten with their student', async () => {
    const queue = await open(away);
    await queue.enqueue(aCalibration());
    await queue.enqueue(aCalibration({ userId: 8 }));
    await queue.forgetStudent(7);
    expect(queue.depth()).toBe(1);
    await expect(queue.newest(7, DEVICE_A)).rejects.toMatchObject({ code: 'store_unreachable' });
    expect((await queue.newest(8, DEVICE_A))?.userId).toBe(8);
  });

  it('are found before own centres, wherever either waits', async () => {
    const keeper = await open(away);
    await keeper.enqueue(aCentre({ createdAtMs: START_MS + 9 }));
    await expect(keeper.newest(7, DEVICE_A)).rejects.toMatchObject({ code: 'store_unreachable' });
    await keeper.enqueue(aCalibration());
    expect(await keeper.newest(7, DEVICE_A)).toEqual(aCalibration());
  });

  it('outlive the gateway and are tried again and again', async () => {
    const first = await open(away);
    await first.enqueue(aCalibration());
    await waitFor('a timer', () => clock.timers().length > 0);
    await first.close();
    let isThere = false;
    const second = await open({
      execute: (statements) => (isThere ? store : away).execute(statements),
    });
    await waitFor('a timer', () => clock.timers().length > 0);
    expect(second.depth()).toBe(1);
    isThere = true;
    clock.advance(60_000);
    await waitFor('the delivery', () => second.depth() === 0);
    expect(await newestCalibration(store, 7, DEVICE_A, CALIBRATION_VERSION)).toEqual(aCalibration());
  });

  it('that the store rejects are set aside and delay no others', async () => {
    const queue = await open({
      execute: async (statements) => {
        if (statements.some(({ values }) => values[0] === 66)) throw new RelayError('store_rejected', 'not this one');
        return store.execute(statements);
      },
    });
    await Promise.all([
      queue.enqueue(aCalibration({ userId: 66 })),
      queue.enqueue(aCalibration()),
      queue.enqueue(aCalibration({ userId: 8 })),
    ]);
    await waitFor('the delivery', () => queue.depth() === 0);
    expect(await newestCalibration(store, 8, DEVICE_A, CALIBRATION_VERSION)).not.toBeNull();
    expect(await newestCalibration(store, 66, DEVICE_A, CALIBRATION_VERSION)).toBeNull();
    expect(log.codes()).toContain('calibration_set_aside');
  });

  it('are refused when the folder cannot be written', async () => {
    await expect(
      openCalibrationQueue({ dataDir: '/dev/null/nowhere', store, logger: log.logger }),
    ).rejects.toMatchObject({ code: 'spool_failed' });
  });
});
