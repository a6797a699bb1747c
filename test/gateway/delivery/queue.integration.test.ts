import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { type AddressInfo, createServer, type Server } from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { createClient } from '@libsql/client';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type DeliveryQueue, openQueue, type QueueOptions } from '../../../gateway/delivery/queue.ts';
import { createLibsqlStore } from '../../../gateway/store/libsql/store.ts';
import { createMysqlStore } from '../../../gateway/store/mysql/store.ts';
import type { MetricsStore } from '../../../gateway/store/port.ts';
import { backoffMs } from '../../../shared/backoff.ts';
import type { MetricsWindow } from '../../../shared/metrics-window.ts';
import { captureLog } from '../../support/log-capture.ts';
import { metricsWindow, SESSION_A, SESSION_B, START_MS, windowSeries } from '../store/windows.ts';
import { manualClock } from './manual-clock.ts';

const LIMITS = { transactionMs: 600_000, idleMs: 1000 };

describe('the wait before a new try', () => {
  it('is anywhere between nothing and a ceiling that doubles up to its limit', () => {
    const policy = { firstMs: 500, maxMs: 60_000 };
    expect([0, 1, 2, 6, 7, 50].map((failures) => backoffMs(policy, failures, () => 0.9999))).toEqual([
      499, 999, 1999, 31_996, 59_994, 59_994,
    ]);
    expect(backoffMs(policy, 9, () => 0)).toBe(0);
    fc.assert(
      fc.property(fc.nat(), fc.double({ min: 0, max: 0.999, noNaN: true }), (failures, random) => {
        const waitMs = backoffMs(policy, failures, () => random);
        expect(waitMs).toBeGreaterThanOrEqual(0);
        expect(waitMs).toBeLessThan(policy.maxMs);
        expect(Number.isInteger(waitMs)).toBe(true);
      }),
    );
  });
});

describe('the queue in its file', () => {
  let folder: string;
  let store: MetricsStore;
  let log: ReturnType<typeof captureLog>;
  let clock: ReturnType<typeof manualClock>;
  const spools: DeliveryQueue[] = [];
  const stores: MetricsStore[] = [];
  const servers: Server[] = [];

  beforeEach(async () => {
    folder = await mkdtemp(path.join(os.tmpdir(), 'relay-spool-'));
    log = captureLog();
    clock = manualClock(START_MS);
    store = createLibsqlStore({ path: path.join(folder, 'store.db'), logger: log.logger });
    await store.migrate();
  });
  afterEach(async () => {
    for (const spool of spools.splice(0)) await spool.close();
    for (const opened of [...stores.splice(0), store]) await opened.close();
    for (const server of servers.splice(0)) server.close();
    await rm(folder, { recursive: true, force: true });
  });

  async function open(options: Partial<QueueOptions> = {}): Promise<DeliveryQueue> {
    const spool = await openQueue({ dataDir: folder, store, logger: log.logger, clock, random: () => 0.5, ...options });
    spools.push(spool);
    return spool;
  }

  /** A MySQL store at a port without a listener. */
  async function storeOutOfReach(): Promise<MetricsStore> {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    server.close();
    await once(server, 'close');
    const away = createMysqlStore({ url: `mysql://relay:secret@127.0.0.1:${port}/relay`, logger: log.logger });
    stores.push(away);
    return away;
  }

  /** A MySQL store at a port that takes connections and never says a word. */
  async function silentStore(): Promise<MetricsStore> {
    const server = createServer().listen(0, '127.0.0.1');
    servers.push(server);
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const url = `mysql://relay:secret@127.0.0.1:${port}/relay`;
    const silent = createMysqlStore({ url, logger: log.logger, limits: LIMITS });
    stores.push(silent);
    return silent;
  }

  /** The real store, with a note of what it was handed, call by call. */
  function noting(calls: MetricsWindow[][]): Pick<MetricsStore, 'applyWindows'> {
    return {
      applyWindows: (windows) => {
        calls.push([...windows]);
        return store.applyWindows(windows);
      },
    };
  }

  /** The queue's file takes new windows and cannot delete old ones, as on a disk that has just become full. */
  async function refuseDeletes(isOn: boolean): Promise<void> {
    await onDisk(
      isOn
        ? "CREATE TRIGGER full BEFORE DELETE ON spool_windows BEGIN SELECT RAISE(FAIL, 'disk full'); END"
        : 'DROP TRIGGER full',
    );
  }

  async function onDisk(sql: string): Promise<unknown[]> {
    const client = createClient({ url: pathToFileURL(path.join(folder, 'spool.db')).href });
    const { rows } = await client.execute(sql);
    client.close();
    return rows.map((row) => ({ ...row }));
  }

  it('has a window in its file by the time the append is answered', async () => {
    const spool = await open({ store: await storeOutOfReach() });
    const window = metricsWindow();
    await spool.append(window);
    const [row] = (await onDisk('SELECT session_id, body, status FROM spool_windows')) as { body: string }[];
    expect(row).toMatchObject({ session_id: SESSION_A, status: 'waiting' });
    expect(JSON.parse(row?.body ?? '')).toEqual(window);
    expect(await onDisk('PRAGMA journal_mode')).toEqual([{ journal_mode: 'wal' }]);
  });

  it('is silent when it is empty: no timer, no word to the store', async () => {
    const calls: MetricsWindow[][] = [];
    const spool = await open({ store: noting(calls) });
    expect(clock.timers()).toEqual([]);
    await spool.append(metricsWindow());
    await spool.flush(1000);
    expect(calls).toHaveLength(1);
    expect(clock.timers()).toEqual([]);
    clock.advance(24 * 3_600_000);
    await spool.flush(1000);
    expect(calls).toHaveLength(1);
  });

  it('delivers in the order of appending, in batches', async () => {
    const calls: MetricsWindow[][] = [];
    const spool = await open({ store: noting(calls), batchSize: 10 });
    const windows = Array.from({ length: 300 }, (_, index) =>
      metricsWindow({ sessionId: index % 3 === 0 ? SESSION_A : SESSION_B, seq: index }),
    );
    await Promise.all(windows.map((window) => spool.append(window)));
    expect(await spool.flush(1000)).toBe(0);
    expect(calls.flat()).toEqual(windows);
    expect(Math.max(...calls.map((call) => call.length))).toBe(10);
  });

  it('waits longer from failure to failure, and says each time how long and for what', async () => {
    const spool = await open({ store: await storeOutOfReach(), backoff: { firstMs: 1000, maxMs: 4000 } });
    await spool.append(metricsWindow());
    for (const [failures, waitMs] of [500, 1000, 2000, 2000].entries()) {
      await expect.poll(() => log.codes()).toHaveLength(failures + 1);
      expect(clock.timers()).toEqual([waitMs]);
      clock.advance(waitMs);
    }
    await expect.poll(() => log.codes()).toHaveLength(5);
    expect(log.entries.at(-1)).toMatchObject({
      level: 'warn',
      fields: { code: 'store_unreachable', waiting: 1, retryInMs: 2000 },
    });
    expect(spool.oldestAgeMs()).toBe(5500);
  });

  it('remembers what it set aside, and sets aside an unreadable entry', async () => {
    const away = await open({ store: await storeOutOfReach() });
    await away.append(metricsWindow({ seq: 0 }));
    await away.append(metricsWindow({ seq: 1 }));
    await away.close();
    const client = createClient({ url: pathToFileURL(path.join(folder, 'spool.db')).href });
    await client.execute("UPDATE spool_windows SET body = '{torn' WHERE id = 1");
    client.close();
    const spool = await open();
    expect(await spool.flush(1000)).toBe(0);
    expect((await store.sessionReport(SESSION_A))?.windows).toHaveLength(1);
    await spool.close();
    const again = await open();
    expect(again.setAsideCount()).toBe(1);
    expect(again.depth()).toBe(0);
  });

  it('lets go of a flush, and of everything when it closes, if the store says nothing in time', async () => {
    const spool = await open({ store: await silentStore() });
    await spool.append(metricsWindow());
    const flushed = spool.flush(3000);
    await expect.poll(() => clock.timers()).toEqual([3000]);
    clock.advance(3000);
    expect(await flushed).toBe(1);
    const closed = spool.close();
    await expect.poll(() => clock.timers()).toEqual([2000]);
    clock.advance(2000);
    await closed;
    expect(await onDisk('SELECT status FROM spool_windows')).toEqual([{ status: 'waiting' }]);
  });

  it('delivers one session out of turn, and nothing else with it', async () => {
    const calls: MetricsWindow[][] = [];
    const away = await storeOutOfReach();
    const first = await open({ store: away });
    for (const { seq } of windowSeries(60)) {
      await first.append(metricsWindow({ sessionId: SESSION_B, seq }));
      if (seq < 3) await first.append(metricsWindow({ seq }));
    }
    await first.close();
    let isHeld = true;
    let release: () => void = () => undefined;
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    const queue = await open({
      batchSize: 2,
      store: {
        async applyWindows(windows) {
          // The first batch of the queue itself is under way when the session is asked for.
          if (isHeld) {
            isHeld = false;
            await held;
          }
          return noting(calls).applyWindows(windows);
        },
      },
    });
    const flushed = queue.flushSession(SESSION_A.toUpperCase(), 60_000);
    release();
    expect(await flushed).toBe(0);
    expect((await store.sessionReport(SESSION_A))?.windows).toHaveLength(3);
    expect(queue.depth()).toBeGreaterThan(40);
  });

  it('leaves the backoff alone when a session is asked for', async () => {
    const away = await storeOutOfReach();
    let tries = 0;
    const queue = await open({
      store: {
        applyWindows: (windows) => {
          tries += 1;
          return away.applyWindows(windows);
        },
      },
    });
    await queue.append(metricsWindow());
    await expect.poll(() => clock.timers()).toEqual([250]);
    const before = tries;
    expect(await Promise.all([1, 2, 3].map(() => queue.flushSession(SESSION_A, 1000)))).toEqual([1, 1, 1]);
    expect(await queue.flushSession(SESSION_B, 1000)).toBe(0);
    expect(tries).toBe(before);
    expect(clock.timers()).toEqual([250]);
  });

  it('closes though its disk takes no writes any more, and loses nothing by that', async () => {
    const queue = await open();
    await refuseDeletes(true);
    for (const window of windowSeries(3)) await queue.append(window);
    await expect.poll(() => log.codes()).toContain('spool_failed');
    await queue.close();
    await refuseDeletes(false);
    const again = await open();
    expect(await again.flush(1000)).toBe(0);
    expect((await store.sessionReport(SESSION_A))?.windows).toHaveLength(3);
  });

  it('refuses a folder it cannot write to, in words', async () => {
    await expect(open({ dataDir: path.join(folder, 'store.db', 'below-a-file') })).rejects.toMatchObject({
      code: 'spool_failed',
      message: expect.stringContaining('cannot open'),
    });
  });
});
