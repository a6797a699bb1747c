import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import mysql from 'mysql2/promise';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { type DeliveryQueue, openQueue } from '../../../gateway/delivery/queue.ts';
import { createMysqlStore } from '../../../gateway/store/mysql/store.ts';
import { openStore } from '../../../gateway/store/open.ts';
import type { MetricsStore } from '../../../gateway/store/port.ts';
import { type MariaDb, startMariaDb } from '../../../harness/mariadb.ts';
import { describeError } from '../../../shared/errors.ts';
import { captureLog } from '../../support/log-capture.ts';
import { metricsWindow, SESSION_A, sumOf, windowSeries } from './windows.ts';

const QUICK = { transactionMs: 1000, idleMs: 200 };
const BACKOFF = { firstMs: 20, maxMs: 200 };
const WAIT = { timeout: 60_000, interval: 20 };

describe('MySQL with faults', () => {
  let server: MariaDb;
  let url: string;
  let folder: string;
  let log: ReturnType<typeof captureLog>;
  let count = 0;
  const stores: MetricsStore[] = [];
  const spools: DeliveryQueue[] = [];

  beforeAll(async () => {
    server = await startMariaDb();
  });
  afterAll(() => server.stop());
  beforeEach(async () => {
    count += 1;
    log = captureLog();
    url = await server.createDatabase(`faults_${count}`);
    folder = await mkdtemp(path.join(os.tmpdir(), 'relay-faults-'));
  });
  afterEach(async () => {
    for (const spool of spools.splice(0)) await spool.close();
    for (const store of stores.splice(0)) await store.close();
    await rm(folder, { recursive: true, force: true });
  });

  function quickStore(): MetricsStore {
    const store = createMysqlStore({ url, logger: log.logger, limits: QUICK });
    stores.push(store);
    return store;
  }

  async function spoolOn(store: MetricsStore): Promise<DeliveryQueue> {
    const spool = await openQueue({ dataDir: folder, store, logger: log.logger, backoff: BACKOFF, batchSize: 3 });
    spools.push(spool);
    return spool;
  }

  async function admin<T>(work: (connection: mysql.Connection) => Promise<T>): Promise<T> {
    const connection = await mysql.createConnection({ uri: url });
    try {
      return await work(connection);
    } finally {
      await connection.end();
    }
  }

  /** Resolves when a statement that names a session waits for a lock. */
  async function waitsFor(connection: mysql.Connection, sessionId: string): Promise<void> {
    // InnoDB may answer a second query within 100 ms from an old snapshot, of an earlier test even.
    await vi.waitFor(
      async () => {
        const [rows] = await connection.query<mysql.RowDataPacket[]>(
          "SELECT COUNT(*) AS n FROM information_schema.INNODB_TRX WHERE trx_state = 'LOCK WAIT' AND trx_query LIKE ?",
          [`%${sessionId}%`],
        );
        expect(rows).toEqual([{ n: 1 }]);
      },
      { timeout: 60_000, interval: 200 },
    );
  }

  it('killed twice in the middle of a stream of windows, has every window once in the end', async () => {
    const store = quickStore();
    const spool = await spoolOn(store);
    const windows = windowSeries(120);
    for (const [index, window] of windows.entries()) {
      if (index === 30 || index === 80) await server.kill();
      if (index === 60 || index === 110) await server.restart();
      await spool.append(window);
    }
    await vi.waitFor(() => expect(spool.depth()).toBe(0), WAIT);
    const report = await store.sessionReport(SESSION_A);
    expect(report?.windows).toEqual(windows);
    expect(report?.focusedMs).toBe(sumOf(windows, ({ focusedMs }) => focusedMs));
    expect(log.codes()).toContain('store_unreachable');
    expect(spool.setAsideCount()).toBe(0);
  });

  it('frozen, counts as unreachable, and takes each window once when it runs again', async () => {
    const store = quickStore();
    await store.applyWindows([metricsWindow()]);
    server.signal('SIGSTOP');
    const spool = await spoolOn(store);
    try {
      for (const window of windowSeries(9)) await spool.append(window);
      await vi.waitFor(() => expect(log.codes()).toContain('store_unreachable'), WAIT);
    } finally {
      server.signal('SIGCONT');
    }
    await vi.waitFor(() => expect(spool.depth()).toBe(0), WAIT);
    const report = await store.sessionReport(SESSION_A);
    expect(report?.windows).toHaveLength(9);
    expect(report?.focusedMs).toBe(9 * 20_250);
  });

  it('away when the gateway starts, is migrated and filled when it comes', async () => {
    await server.kill();
    const store = await openStore({ mysqlUrl: url, dataDir: folder }, log.logger);
    stores.push(store);
    expect(log.codes()).toEqual(['store_unreachable']);
    const spool = await spoolOn(store);
    const windows = windowSeries(4);
    for (const window of windows) await spool.append(window);
    await expect(store.ping()).rejects.toMatchObject({ code: 'store_unreachable' });
    await server.restart();
    await vi.waitFor(() => expect(spool.depth()).toBe(0), WAIT);
    expect((await store.sessionReport(SESSION_A))?.windows).toEqual(windows);
  });

  it('restarted between two uses, is not noticed', async () => {
    const store = createMysqlStore({ url, logger: log.logger });
    stores.push(store);
    await store.applyWindows([metricsWindow({ seq: 0 })]);
    await server.restart();
    expect(await store.applyWindows([metricsWindow({ seq: 1 })])).toEqual({ applied: 1, repeated: 0 });
  });

  it('locked by somebody for a while, is waited for', async () => {
    const store = createMysqlStore({ url, logger: log.logger });
    stores.push(store);
    await store.applyWindows([metricsWindow({ seq: 0 })]);
    const waiting = await admin(async (connection) => {
      await connection.query('START TRANSACTION');
      await connection.query('SELECT * FROM relay_sessions FOR UPDATE');
      const applied = store.applyWindows([metricsWindow({ seq: 1 })]);
      await waitsFor(connection, SESSION_A);
      await connection.query('COMMIT');
      return applied;
    });
    expect(waiting).toEqual({ applied: 1, repeated: 0 });
  });

  it('chosen as the victim of a deadlock, is tried again', async () => {
    const store = createMysqlStore({ url, logger: log.logger });
    stores.push(store);
    const [first, second] = ['00000000-0000-4000-8000-000000000001', '00000000-0000-4000-8000-000000000002'];
    const both = [metricsWindow({ sessionId: first }), metricsWindow({ sessionId: second })];
    await store.applyWindows(both);
    // Somebody holds the second session and then wants the first, which we hold while we wait for the second.
    await admin(async (connection) => {
      await connection.query('START TRANSACTION');
      // It has changed a row and ours has not, so ours is the one to go.
      await connection.query(
        'UPDATE relay_sessions SET user_id = user_id, window_count = window_count + 100 WHERE session_uuid = ?',
        [second],
      );
      const applied = store.applyWindows(both.map((window) => ({ ...window, seq: 1 })));
      await waitsFor(connection, second);
      await connection.query('SELECT * FROM relay_sessions WHERE session_uuid = ? FOR UPDATE', [first]);
      await connection.query('ROLLBACK');
      expect(await applied).toEqual({ applied: 2, repeated: 0 });
    });
    const [[deadlocks]] = await admin((connection) =>
      connection.query<mysql.RowDataPacket[]>("SHOW GLOBAL STATUS LIKE 'Innodb_deadlocks'"),
    );
    expect(Number(deadlocks?.Value)).toBeGreaterThan(0);
    for (const sessionId of [first, second]) {
      expect((await store.sessionReport(sessionId))?.focusedMs).toBe(2 * 20_250);
    }
  });

  it('interrupted in the middle of a migration, is migrated to the end the next time', async () => {
    await quickStore().migrate();
    await admin(async (connection) => {
      await connection.query('DROP VIEW relay_report_sessions');
      await connection.query('DROP TABLE relay_windows');
      await connection.query('DELETE FROM relay_migrations');
    });
    const store = quickStore();
    await store.migrate();
    await store.applyWindows(windowSeries(2));
    expect((await store.sessionReport(SESSION_A))?.windows).toHaveLength(2);
  });

  it('left alone, keeps no connection', async () => {
    const store = quickStore();
    await Promise.all(windowSeries(6).map((window) => store.applyWindows([window])));
    await vi.waitFor(async () => {
      const open = await admin(async (connection) => {
        const [rows] = await connection.query<mysql.RowDataPacket[]>(
          'SELECT ID FROM information_schema.PROCESSLIST WHERE DB = DATABASE() AND ID <> CONNECTION_ID()',
        );
        return rows;
      });
      expect(open).toEqual([]);
    }, WAIT);
  });

  it.each([
    ['a wrong password', (good: string) => good.replace(/:[^:@]+@/, ':wr0ng-s3cret@'), 'check user and password'],
    ['a database that is not there', (good: string) => good.replace(/faults_\d+$/, 'nowhere'), 'create the database'],
  ])('unreachable through %s, says what to do and keeps the password to itself', async (_what, spoil, hint) => {
    const spoiled = spoil(url);
    const store = await openStore({ mysqlUrl: spoiled, dataDir: folder }, log.logger);
    stores.push(store);
    const error = await store.applyWindows([metricsWindow()]).catch((reason: unknown) => reason);
    expect(error).toMatchObject({ code: 'store_unreachable', hint: expect.stringContaining(hint) });
    const told = JSON.stringify(log.entries) + describeError(error);
    const { password } = new URL(spoiled);
    for (const secret of [password, decodeURIComponent(password)]) expect(told).not.toContain(secret);
  });
});
