import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import mysql from 'mysql2/promise';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { type DeliveryQueue, openQueue } from '../../../../gateway/delivery/queue.ts';
import { openStreamQueue, type StreamQueueOptions } from '../../../../gateway/delivery/stream/queue.ts';
import type { PhpFallbackOptions } from '../../../../gateway/eyelearn/php/fallback.ts';
import { eyelearn } from '../../../../gateway/eyelearn/platform.ts';
import { type NatsLink, natsLink } from '../../../../gateway/nats/connection.ts';
import type { Platform } from '../../../../gateway/platform.ts';
import { deleteStudent } from '../../../../gateway/privacy/student.ts';
import { createLibsqlStore } from '../../../../gateway/store/libsql/store.ts';
import { createMysqlStore } from '../../../../gateway/store/mysql/store.ts';
import type { MetricsStore } from '../../../../gateway/store/port.ts';
import { createEyelearnDayTables, createEyelearnTables } from '../../../../harness/eyelearn-schema.ts';
import { type MariaDb, middayZone, startMariaDb } from '../../../../harness/mariadb.ts';
import { type Nats, startNats } from '../../../../harness/nats.ts';
import { type PhpServer, startPhpServer } from '../../../../harness/php-server.ts';
import { openTcpLink, type TcpLink } from '../../../../harness/tcp-link.ts';
import { captureLog } from '../../../support/log-capture.ts';
import { natsConfig } from '../../nats/nats-config.ts';
import { SESSION_A, SESSION_B } from '../../store/windows.ts';
import { appendAll, BACKOFF, lesson, OUTCOMES, onDisk, QUICK, storedRows, storedWindows, WAIT } from './through-php.ts';

type Over = 'file' | 'stream';

describe('time that goes through PHP', () => {
  let server: MariaDb;
  let url: string;
  let connection: mysql.Connection;
  let php: PhpServer;
  let link: TcpLink;
  let folder: string;
  let log: ReturnType<typeof captureLog>;
  let count = 0;
  const spools: DeliveryQueue[] = [];
  const stores: MetricsStore[] = [];
  const platforms: Platform[] = [];
  let nats: Nats;
  const links: NatsLink[] = [];

  beforeAll(async () => {
    [server, nats] = await Promise.all([startMariaDb({ timeZone: middayZone(Date.now()) }), startNats()]);
  });
  afterAll(() => Promise.all([server.stop(), nats.stop()]));
  beforeEach(async () => {
    count += 1;
    log = captureLog();
    folder = await mkdtemp(path.join(os.tmpdir(), 'relay-php-test-'));
    url = await server.createDatabase(`php_${count}`);
    connection = await mysql.createConnection({ uri: url, decimalNumbers: true });
    await createEyelearnTables(connection, 'full');
    php = await startPhpServer(url);
    link = await openTcpLink(server.port);
  });
  afterEach(async () => {
    for (const spool of spools.splice(0)) await spool.close();
    for (const each of links.splice(0)) await each.close();
    for (const store of stores.splice(0)) await store.close();
    await php.stop();
    await link.close();
    await connection.end();
    await rm(folder, { recursive: true, force: true });
  });

  /** Opens a queue in a folder: in its file alone, or over the stream. */
  async function openOver(
    over: Over,
    options: Pick<StreamQueueOptions, 'store' | 'openSecondWay'> & { readonly dataDir: string },
  ): Promise<DeliveryQueue> {
    const common = { ...options, logger: log.logger, backoff: BACKOFF };
    if (over === 'file') return keep(await openQueue(common));
    const prefix = `php_${count}`;
    const natsOfGateway = natsLink(natsConfig(nats.url, { NATS_PREFIX: prefix }), log.logger, { idleMs: 100 });
    links.push(natsOfGateway);
    return keep(
      await openStreamQueue({
        ...common,
        nats: natsOfGateway,
        gatewayId: randomUUID(),
        shareEveryMs: 300,
        confirmAfterMs: 500,
      }),
    );
  }

  function keep(spool: DeliveryQueue): DeliveryQueue {
    spools.push(spool);
    return spool;
  }

  /** A spool whose store is our own file: PHP is the only way to EyeLearn. */
  async function phpOnly(lineage: 'a' | 'b' | 'c'): Promise<DeliveryQueue> {
    const store = createLibsqlStore({ path: path.join(folder, 'store.db'), logger: log.logger });
    stores.push(store);
    await store.migrate();
    const { openSecondWay } = eyelearn({ php: { ...QUICK, url: php.url(lineage), use: 'always' } }, log.logger);
    return openOver('file', { dataDir: folder, store, openSecondWay: openSecondWay(store) });
  }

  /** A spool on MySQL behind the link, with PHP for when the link is cut. */
  async function withFallback(
    lineage: 'a' | 'b' | 'c',
    more: Partial<PhpFallbackOptions> = {},
    over: Over = 'file',
    dataDir = folder,
  ): Promise<DeliveryQueue> {
    const behind = new URL(url);
    behind.port = String(link.port);
    const platform = eyelearn({ php: { ...QUICK, url: php.url(lineage), use: 'fallback', ...more } }, log.logger);
    platforms.push(platform);
    const store = createMysqlStore({
      url: behind.href,
      logger: log.logger,
      hooks: await platform.loadStoreHooks?.(),
      limits: { transactionMs: 2000, idleMs: 500 },
    });
    stores.push(store);
    return openOver(over, { dataDir, store, openSecondWay: platform.openSecondWay(store) });
  }

  const stored = () => storedRows(connection);
  const ledger = () => storedWindows(connection);

  it("stores 600 s as 600 s, where the seed's client stores 6,300 s", async () => {
    for (let totalS = 30; totalS <= 600; totalS += 30) {
      const cumulative = {
        user_id: 8,
        module_id: 3,
        section_id: 12,
        focused_time: totalS,
        unfocused_time: 0,
        total_time: totalS,
      };
      const response = await fetch(php.url('a'), {
        method: 'POST',
        body: JSON.stringify({ ...cumulative, focus_percentage: 100, session_type: 'viewing' }),
      });
      expect(await response.json()).toMatchObject({ success: true });
    }
    expect(await stored()).toMatchObject({ totalS: 6300 });
    await connection.query('DELETE FROM eye_tracking_sessions');
    const spool = await phpOnly('a');
    await appendAll(spool, lesson(0, 20));
    await vi.waitFor(
      async () => expect(await stored()).toMatchObject({ focusedS: 410, unfocusedS: 190, totalS: 600 }),
      WAIT,
    );
    expect((await stored()).rows).toBe(1);
  });

  it('keeps the seconds that ten posts of 0.9 s would lose', async () => {
    const spool = await phpOnly('a');
    await appendAll(spool, lesson(0, 10, { focusedMs: 900, unfocusedMs: 0 }));
    await appendAll(spool, lesson(10, 11, { focusedMs: 0, unfocusedMs: 0, final: true }));
    await vi.waitFor(async () => expect(await stored()).toMatchObject({ totalS: 9 }), WAIT);
  });

  it('is right where each post is a row of its own', async () => {
    const spool = await phpOnly('b');
    await appendAll(spool, lesson(0, 20));
    await vi.waitFor(async () => expect(await stored()).toMatchObject({ focusedS: 410, unfocusedS: 190 }), WAIT);
  });

  it('waits, all of it, where the endpoint always fails', async () => {
    const broken = await phpOnly('c');
    await appendAll(broken, lesson(0, 4));
    await vi.waitFor(
      () => expect(log.codes().filter((code) => code === 'php_refused').length).toBeGreaterThan(2),
      WAIT,
    );
    expect(await stored()).toMatchObject({ rows: 0 });
    await broken.close();
    await phpOnly('a');
    await vi.waitFor(async () => expect(await stored()).toMatchObject({ focusedS: 82, unfocusedS: 38 }), WAIT);
    expect(log.codes()).not.toContain('php_uncertain');
  });

  it('waits while the endpoint is down, and is posted once when it is back', async () => {
    const spool = await phpOnly('a');
    await php.kill();
    await appendAll(spool, lesson(0, 4));
    await vi.waitFor(() => expect(log.codes()).toContain('php_refused'), WAIT);
    await php.restart();
    await vi.waitFor(async () => expect(await stored()).toMatchObject({ focusedS: 82, unfocusedS: 38 }), WAIT);
  });

  describe('where PHP alone writes the rows, beside a database', () => {
    const FEED = `SELECT (SELECT SUM(total_focused_time + total_unfocused_time) FROM eye_tracking_analytics) AS analyticsS,
      (SELECT SUM(total_study_time_seconds) FROM daily_analytics) AS daysS,
      (SELECT COUNT(*) FROM relay_windows) AS windows,
      (SELECT COUNT(*) FROM focus_events WHERE event_type = 'focus_start') AS starts,
      (SELECT COUNT(*) FROM focus_events e JOIN eye_tracking_sessions t ON t.id = e.session_id
        WHERE e.event_type = 'focus_end' AND e.duration_seconds = 20 AND t.section_id = 12) AS ends`;
    /** Windows of today with a stretch of focus each, ten of them a minute apart at the end of now. */
    const bouts = (from: number, to: number) =>
      lesson(from, to).map((window) => {
        const startedAtMs = window.startedAtMs - 60_000 * (20 - window.seq);
        return { ...window, startedAtMs, bouts: [{ kind: 'focused' as const, startedAtMs, durationMs: 20_400 }] };
      });
    const fed = async () => ({ ...(await connection.query<mysql.RowDataPacket[]>(FEED))[0][0] });

    beforeEach(() => createEyelearnDayTables(connection, 'both'));

    it("the days, focus_events and our tables are the gateway's", async () => {
      const spool = await withFallback('a', { use: 'always' });
      await appendAll(spool, bouts(0, 10));
      const all = { analyticsS: 300, daysS: 300, windows: 10, starts: 10, ends: 10 };
      await vi.waitFor(async () => expect(await fed()).toEqual(all), WAIT);
      await vi.waitFor(
        async () => expect(await stored()).toEqual({ rows: 1, focusedS: 205, unfocusedS: 95, totalS: 300 }),
        WAIT,
      );
    });

    it('while the database cannot be reached, PHP has the time, and everything else comes later', async () => {
      const spool = await withFallback('a', { use: 'always' });
      await link.cut();
      await appendAll(spool, bouts(0, 10));
      await vi.waitFor(async () => expect(await stored()).toMatchObject({ totalS: 300 }), WAIT);
      await link.restore();
      const all = { analyticsS: 300, daysS: 300, windows: 10, starts: 10, ends: 10 };
      await vi.waitFor(async () => expect(await fed()).toEqual(all), WAIT);
      await appendAll(spool, bouts(10, 12));
      await vi.waitFor(async () => expect(await fed()).toMatchObject({ daysS: 360, starts: 12, ends: 12 }), WAIT);
      await vi.waitFor(async () => expect(await stored()).toMatchObject({ rows: 1, totalS: 360 }), WAIT);
    });

    it('what is deleted of a student includes the rows that PHP has made, and their events', async () => {
      const spool = await withFallback('a', { use: 'always' });
      await appendAll(spool, [
        ...bouts(0, 2),
        ...bouts(0, 2).map((window) => ({ ...window, userId: 8, sessionId: SESSION_B })),
      ]);
      await vi.waitFor(async () => expect(await fed()).toMatchObject({ starts: 4, ends: 4 }), WAIT);
      const store = stores.at(-1);
      if (store === undefined) throw new Error('no store');
      const platform = platforms.at(-1);
      if (platform === undefined) throw new Error('no platform');
      const operator = { userId: null, role: 'operator' };
      const receipt = await deleteStudent(store, platform.records, 7, Date.now(), operator);
      expect(receipt).toMatchObject({ eye_tracking_sessions: 1, focus_events: 4, relay_windows: 2 });
      expect(await stored()).toMatchObject({ rows: 1 });
      expect(await fed()).toMatchObject({ starts: 2, ends: 2 });
    });

    it('the same where the platform has no tables of days', async () => {
      await connection.query('DROP TABLE eye_tracking_analytics, daily_analytics, user_study_sessions');
      const spool = await withFallback('a', { use: 'always' });
      await appendAll(spool, [
        ...bouts(0, 2),
        ...bouts(0, 2).map((window) => ({ ...window, userId: 8, sessionId: SESSION_B })),
      ]);
      await vi.waitFor(() => expect(spool.depth()).toBe(0), WAIT);
      await vi.waitFor(async () => expect(await stored()).toMatchObject({ rows: 2, totalS: 120 }), WAIT);
      const [store, platform] = [stores.at(-1), platforms.at(-1)];
      if (store === undefined || platform === undefined) throw new Error('no store');
      const operator = { userId: null, role: 'operator' };
      const receipt = await deleteStudent(store, platform.records, 7, Date.now(), operator);
      expect(receipt).toMatchObject({ eye_tracking_sessions: 1, relay_windows: 2 });
      expect(await stored()).toMatchObject({ rows: 1, totalS: 60 });
    });

    it('while the database refuses to be written, PHP has the time', async () => {
      await connection.query('CREATE TABLE relay_migrations (nothing INT)');
      const spool = await withFallback('a', { use: 'always' });
      await appendAll(spool, bouts(0, 10));
      await vi.waitFor(async () => expect(await stored()).toMatchObject({ totalS: 300 }), WAIT);
      await connection.query('DROP TABLE relay_migrations');
      await vi.waitFor(async () => expect(await fed().catch(() => null)).toMatchObject({ daysS: 300, ends: 10 }), WAIT);
      expect(await stored()).toMatchObject({ totalS: 300 });
    });
  });

  describe.each(['file', 'stream'] as const)('beside a database, from a %s', (over) => {
    it('is not touched while MySQL can be reached', async () => {
      const spool = await withFallback('b', {}, over);
      await appendAll(spool, lesson(0, 10));
      await vi.waitFor(() => expect(spool.depth()).toBe(0), WAIT);
      expect(await stored()).toEqual({ rows: 1, focusedS: 205, unfocusedS: 95, totalS: 300 });
      expect(log.codes()).not.toContain('php_fallback');
    });

    it.each(over === 'file' ? (['a', 'b'] as const) : (['a'] as const))(
      'is in the rows once, and in our ledger, when MySQL is back: lineage %s',
      async (lineage) => {
        const spool = await withFallback(lineage, {}, over);
        await appendAll(spool, lesson(0, 5));
        await vi.waitFor(() => expect(spool.depth()).toBe(0), WAIT);
        await link.cut();
        await appendAll(spool, lesson(5, 12));
        await vi.waitFor(async () => expect((await stored()).totalS).toBeGreaterThanOrEqual(300), WAIT);
        await link.restore();
        await vi.waitFor(() => expect(spool.depth()).toBe(0), WAIT);
        await appendAll(spool, lesson(12, 20));
        await vi.waitFor(() => expect(spool.depth()).toBe(0), WAIT);
        expect(await stored()).toMatchObject({ focusedS: 410, unfocusedS: 190, totalS: 600 });
        expect(await ledger()).toEqual({ windows: 20, focusedMs: 20 * 20_500 });
      },
    );

    it('is in the rows once where no lesson section is known and posts are small', async () => {
      const spool = await withFallback('a', { minDeltaS: 2 }, over);
      const bare = { sectionId: null, focusedMs: 1900, unfocusedMs: 1100 };
      await appendAll(spool, lesson(0, 5, bare));
      await vi.waitFor(() => expect(spool.depth()).toBe(0), WAIT);
      await link.cut();
      await appendAll(spool, lesson(5, 9, bare));
      await vi.waitFor(() => expect(php.storedSeconds()).toBeGreaterThan(5), WAIT);
      await appendAll(spool, lesson(9, 12, bare));
      await link.restore();
      await vi.waitFor(() => expect(spool.depth()).toBe(0), WAIT);
      await appendAll(spool, lesson(12, 20, bare));
      await vi.waitFor(() => expect(spool.depth()).toBe(0), WAIT);
      expect(await stored()).toMatchObject({ focusedS: 38, unfocusedS: 22, totalS: 60 });
    });

    it.each(over === 'file' ? OUTCOMES : OUTCOMES.slice(0, 2))(
      'is settled when MySQL is back, where the endpoint %s',
      async (_what, fail) => {
        const spool = await withFallback('a', {}, over);
        await appendAll(spool, lesson(0, 5));
        await vi.waitFor(() => expect(spool.depth()).toBe(0), WAIT);
        await link.cut();
        await fail(php);
        await appendAll(spool, lesson(5, 8));
        await vi.waitFor(
          () => expect(log.codes().filter((code) => String(code).match(/^php_(uncertain|refused)$/))).not.toEqual([]),
          WAIT,
        );
        await appendAll(spool, lesson(8, 12));
        await link.restore();
        await vi.waitFor(() => expect(spool.depth()).toBe(0), WAIT);
        expect(await stored()).toMatchObject({ focusedS: 246, unfocusedS: 114, totalS: 360 });
        expect(await ledger()).toEqual({ windows: 12, focusedMs: 12 * 20_500 });
      },
    );
  });

  it("is not given to PHP when the queue's own file fails and MySQL has it", async () => {
    const queue = await withFallback('b', { minDeltaS: 1 });
    await onDisk(
      folder,
      "CREATE TRIGGER full BEFORE DELETE ON spool_windows BEGIN SELECT RAISE(FAIL, 'disk full'); END",
    );
    await appendAll(queue, lesson(0, 5));
    await vi.waitFor(
      () => expect(log.codes().filter((code) => code === 'spool_failed').length).toBeGreaterThan(5),
      WAIT,
    );
    await onDisk(folder, 'DROP TRIGGER full');
    await vi.waitFor(() => expect(queue.depth()).toBe(0), WAIT);
    expect(await stored()).toMatchObject({ focusedS: 102, unfocusedS: 47 });
    expect(log.codes()).not.toContain('php_fallback');
    expect(php.storedSeconds()).toBe(0);
  });

  it('is forgotten with the student: what is still to be posted, and posts with an unknown outcome', async () => {
    const queue = await phpOnly('a');
    await php.failNext('silence_after');
    await appendAll(queue, lesson(0, 2));
    await vi.waitFor(() => expect(log.codes()).toContain('php_uncertain'), WAIT);
    await appendAll(queue, [...lesson(2, 3, { focusedMs: 5000, unfocusedMs: 0 })]);
    await appendAll(queue, lesson(0, 1, { sessionId: SESSION_B, userId: 8, focusedMs: 5000, unfocusedMs: 0 }));
    await vi.waitFor(() => expect(queue.depth()).toBe(0), WAIT);
    expect(await queue.forgetStudent(7, 5000)).toBe(0);
    expect(await onDisk(folder, 'SELECT user_id FROM php_accounts')).toEqual([{ user_id: 8 }]);
    expect(await onDisk(folder, 'SELECT user_id FROM php_posts')).toEqual([]);
  });

  it('is moved to PHP page by page when much has waited', async () => {
    const queue = await withFallback('a', { minDeltaS: 3600 });
    await link.cut();
    await Promise.all(lesson(0, 450).map((window) => queue.append(window)));
    const moved = async () =>
      Number((await onDisk(folder, 'SELECT SUM(is_with_php) AS moved FROM spool_windows'))[0]?.moved);
    // The batch under way when the link was cut may be in MySQL already: it stays.
    await vi.waitFor(async () => expect(await moved()).toBeGreaterThanOrEqual(400), WAIT);
    // Logged after the last page.
    await vi.waitFor(() => expect(log.codes()).toContain('php_fallback'), WAIT);
    const [both] = await onDisk(
      folder,
      'SELECT SUM(is_with_php) AS moved, (SELECT focused_ms FROM php_accounts) AS focused_ms FROM spool_windows',
    );
    expect(both?.focused_ms).toBe(Number(both?.moved) * 20_500);
  });

  it('survives the death of the gateway in the middle of a post', async () => {
    const dying = await withFallback('a', { timeoutMs: 60_000 });
    await appendAll(dying, lesson(0, 5));
    await vi.waitFor(() => expect(dying.depth()).toBe(0), WAIT);
    await link.cut();
    await php.failNext('silence_after');
    await appendAll(dying, lesson(5, 8));
    await vi.waitFor(async () => expect((await stored()).totalS).toBeGreaterThan(150), WAIT);
    // The first one never hears the answer: it counts as dead from here.
    const reborn = await withFallback('a');
    expect(log.codes()).toContain('php_uncertain');
    await link.restore();
    await vi.waitFor(async () => expect((await ledger()).windows).toBe(8), WAIT);
    await vi.waitFor(() => expect(reborn.depth()).toBe(0), WAIT);
    expect(await stored()).toMatchObject({ focusedS: 164, unfocusedS: 76, totalS: 240 });
    expect((await stores.at(-1)?.sessionReport(SESSION_A))?.windows).toHaveLength(8);
  });

  it('is stored once where a gateway is gone in the middle of a post, and another has its students', async () => {
    const dying = await withFallback('a', { timeoutMs: 60_000 }, 'stream', path.join(folder, 'one'));
    await appendAll(dying, lesson(0, 5));
    await vi.waitFor(() => expect(dying.depth()).toBe(0), WAIT);
    await link.cut();
    await php.failNext('silence_after');
    await appendAll(dying, lesson(5, 8));
    await vi.waitFor(async () => expect((await stored()).totalS).toBeGreaterThan(150), WAIT);
    // It hears neither of NATS nor of PHP any more.
    await links.at(-1)?.close();
    const other = await withFallback('a', { timeoutMs: 1000 }, 'stream', path.join(folder, 'two'));
    await appendAll(other, lesson(8, 10));
    await link.restore();
    await vi.waitFor(async () => expect(await ledger()).toEqual({ windows: 10, focusedMs: 10 * 20_500 }), WAIT);
    await vi.waitFor(() => expect(other.depth()).toBe(0), WAIT);
    expect(await stored()).toMatchObject({ focusedS: 205, unfocusedS: 95, totalS: 300 });
  });
});
