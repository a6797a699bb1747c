import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { createClient } from '@libsql/client';
import { AckPolicy } from '@nats-io/jetstream';
import { nanos } from '@nats-io/transport-node';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type DeliveryQueue, openQueue } from '../../../gateway/delivery/queue.ts';
import { namesOf } from '../../../gateway/delivery/stream/names.ts';
import { openStreamQueue } from '../../../gateway/delivery/stream/queue.ts';
import { streamRecords } from '../../../gateway/delivery/stream/stream-records.ts';
import { type NatsLink, natsLink } from '../../../gateway/nats/connection.ts';
import { createLibsqlStore } from '../../../gateway/store/libsql/store.ts';
import type { MetricsStore } from '../../../gateway/store/port.ts';
import { type Nats, type NatsServer, startNats } from '../../../harness/nats.ts';
import { RelayError } from '../../../shared/errors.ts';
import { captureLog } from '../../support/log-capture.ts';
import { natsConfig } from '../nats/nats-config.ts';
import { metricsWindow, SESSION_A, SESSION_B, sumOf, windowSeries } from '../store/windows.ts';

const BUDGET_MS = 20_000;
const WITHIN = { timeout: 20_000 };
const BACKOFF = { firstMs: 100, maxMs: 100 };

let nats: Nats;
let server: NatsServer;
let folder: string;
let prefix: string;
let store: MetricsStore;
let isStoreReachable: boolean;
let log: ReturnType<typeof captureLog>;
const queues: DeliveryQueue[] = [];
const links: NatsLink[] = [];

beforeAll(async () => {
  nats = await startNats();
  const [first] = nats.servers;
  if (first === undefined) throw new Error('there is no server');
  server = first;
});
afterAll(() => nats.stop());

beforeEach(async () => {
  folder = await mkdtemp(path.join(os.tmpdir(), 'relay-gateways-'));
  prefix = randomUUID().slice(0, 8);
  isStoreReachable = true;
  log = captureLog();
  store = createLibsqlStore({ path: path.join(folder, 'store.db'), logger: log.logger });
  await store.migrate();
});
afterEach(async () => {
  await Promise.all(queues.splice(0).map((queue) => queue.close()));
  await Promise.all(links.splice(0).map((link) => link.close()));
  await store.close();
  await rm(folder, { recursive: true, force: true });
});

const unreachable = () => new RelayError('store_unreachable', 'the store is unreachable', { hint: 'test' });

/** The store that all share, while it is reachable. */
const shared: Pick<MetricsStore, 'applyWindows' | 'execute'> = {
  applyWindows: (...given) => (isStoreReachable ? store.applyWindows(...given) : Promise.reject(unreachable())),
  execute: (...given) => (isStoreReachable ? store.execute(...given) : Promise.reject(unreachable())),
};

const filesOf = (name: string) => path.join(folder, name);

/** A gateway's queue with NATS_URL. */
async function gateway(
  name: string,
  apply = shared.applyWindows,
  url = nats.url,
): Promise<DeliveryQueue & { readonly link: NatsLink }> {
  const link = natsLink(natsConfig(url, { NATS_PREFIX: prefix }), log.logger, { idleMs: 100, timeoutMs: 1000 });
  links.push(link);
  const queue = await openStreamQueue({
    dataDir: filesOf(name),
    store: { ...shared, applyWindows: apply },
    nats: link,
    gatewayId: randomUUID(),
    logger: log.logger,
    backoff: BACKOFF,
    shareEveryMs: 300,
    confirmAfterMs: 200,
  });
  queues.push(queue);
  return { ...queue, link };
}

/** A gateway's queue without NATS_URL. */
async function aloneGateway(name: string): Promise<DeliveryQueue> {
  const queue = await openQueue({ dataDir: filesOf(name), store: shared, logger: log.logger, backoff: BACKOFF });
  queues.push(queue);
  return queue;
}

async function windowsOf(sessionId: string) {
  return (await store.sessionReport(sessionId))?.windows ?? [];
}

/** Number of windows in the stream. */
const inStream = () =>
  links.at(-1)?.use(async ({ jsm }) => (await jsm.streams.info(`${prefix}_windows`)).state.messages) ?? 0;

describe('windows of several gateways', () => {
  it('of a gateway that is gone with its disk are delivered by another', async () => {
    isStoreReachable = false;
    const gone = await gateway('gone');
    const windows = windowSeries(5);
    for (const window of windows) await gone.append(window);
    await expect.poll(inStream).toBe(5);
    await gone.close();
    await gone.link.close();
    await rm(filesOf('gone'), { recursive: true });
    isStoreReachable = true;
    const other = await gateway('other');
    await expect.poll(() => windowsOf(SESSION_A)).toEqual(windows);
    expect(other.depth()).toBe(0);
  });

  it('are found by another that takes the session over while the store is unavailable, beside its own', async () => {
    isStoreReachable = false;
    const [first, ...rest] = windowSeries(3);
    if (first === undefined) throw new Error('there is no window');
    const gone = await gateway('gone');
    await gone.append(first);
    await expect.poll(inStream, WITHIN).toBe(1);
    const other = await gateway('other');
    for (const window of rest) await other.append(window);
    expect(await other.pendingFor(SESSION_A)).toEqual([first, ...rest]);
  });

  it('of one student are never in the hands of two of them', async () => {
    const busy = new Map<number, string>();
    const overlaps: number[] = [];
    const applied = new Map<string, number>();
    const noting =
      (name: string): MetricsStore['applyWindows'] =>
      async (windows, ...rest) => {
        const students = new Set(windows.map(({ userId }) => userId));
        for (const userId of students) {
          if (busy.has(userId)) overlaps.push(userId);
          busy.set(userId, name);
        }
        applied.set(name, (applied.get(name) ?? 0) + windows.length);
        try {
          return await store.applyWindows(windows, ...rest);
        } finally {
          for (const userId of students) busy.delete(userId);
        }
      };
    const three = await Promise.all(['one', 'two', 'three'].map((name) => gateway(name, noting(name))));
    const windows = Array.from({ length: 480 }, (_, index) =>
      metricsWindow({
        sessionId: `0b0a3c52-6f1c-4c9a-9a3e-${String(index % 48).padStart(12, '0')}`,
        userId: index % 48,
        seq: Math.floor(index / 48),
      }),
    );
    // In waves, so that parts change hands meanwhile.
    for (let from = 0; from < windows.length; from += 40) {
      await Promise.all(windows.slice(from, from + 40).map((window, index) => three[index % 3]?.append(window)));
    }
    await expect.poll(() => three.reduce((sum, queue) => sum + queue.depth(), 0)).toBe(0);
    const [found] = await store.execute([{ sql: 'SELECT COUNT(*) AS n FROM relay_windows', values: [] }]);
    expect(Number(found?.rows[0]?.n)).toBe(480);
    expect(overlaps).toEqual([]);
  });

  it('of a part that a gateway has left behind for good are delivered by another', async () => {
    const before = await gateway('before');
    await before.append(metricsWindow({ userId: 8, sessionId: SESSION_B }));
    await expect.poll(() => before.depth(), WITHIN).toBe(0);
    await before.close();
    // As after a fault of NATS: the server has the consumer still, and nothing asks it for windows.
    const { subjectsOfPart, stream } = namesOf({ prefix });
    await before.link.use(({ jsm }) =>
      jsm.consumers.add(stream, {
        name: `${randomUUID()}-7`,
        filter_subject: subjectsOfPart(7),
        ack_policy: AckPolicy.Explicit,
        inactive_threshold: nanos(3_600_000),
      }),
    );
    const queue = await gateway('after');
    await queue.append(metricsWindow());
    await expect.poll(() => windowsOf(SESSION_A), WITHIN).toHaveLength(1);
    expect(log.codes()).toContain('parts_without_gateway');
  });

  it('wait in the file while NATS is unavailable, which is said, and go to it when it is back', async () => {
    const queue = await gateway('one');
    await queue.append(metricsWindow());
    await expect.poll(() => queue.depth()).toBe(0);
    await server.kill();
    const windows = windowSeries(4);
    for (const window of windows) await queue.append(window);
    await expect.poll(() => queue.fault()?.code).toBe('nats_unreachable');
    expect(queue.depth()).toBe(3 + 1);
    expect(await windowsOf(SESSION_A)).toHaveLength(1);
    expect(log.codes()).toContain('nats_unreachable');
    await server.restart();
    await expect.poll(() => windowsOf(SESSION_A)).toEqual(windows);
    await expect.poll(() => queue.fault()).toBeNull();
    await expect.poll(() => queue.depth()).toBe(0);
  });

  it('are published again where NATS has lost them', async () => {
    isStoreReachable = false;
    const before = await gateway('one');
    const windows = windowSeries(3);
    for (const window of windows) await before.append(window);
    await expect.poll(inStream).toBe(3);
    await before.close();
    await server.kill();
    await rm(server.storeDir, { recursive: true });
    await server.restart();
    isStoreReachable = true;
    const queue = await gateway('one');
    await expect.poll(() => windowsOf(SESSION_A)).toEqual(windows);
    await expect.poll(() => queue.depth()).toBe(0);
    expect(log.codes()).toContain('windows_lost_by_stream');
  });

  it('are published again under their old ids, though the stream of a version before remembers ids for two minutes', async () => {
    isStoreReachable = false;
    const queue = await gateway('one');
    const windows = windowSeries(3);
    for (const window of windows) await queue.append(window);
    await expect.poll(inStream, WITHIN).toBe(3);
    const stream = `${prefix}_windows`;
    await queue.link.use(({ jsm }) => jsm.streams.update(stream, { duplicate_window: nanos(120_000) }));
    await queue.close();
    const after = await gateway('one');
    await after.link.use(({ jsm }) => jsm.streams.purge(stream));
    isStoreReachable = true;
    await expect.poll(() => windowsOf(SESSION_A), WITHIN).toHaveLength(3);
    await expect.poll(() => after.depth(), WITHIN).toBe(0);
  });

  it('of a student whose data was deleted do not come back from the file of a gateway that was off', async () => {
    isStoreReachable = false;
    const off = await gateway('off');
    await off.append(metricsWindow());
    await expect.poll(inStream).toBe(1);
    await off.close();
    isStoreReachable = true;
    const other = await gateway('other');
    await expect.poll(() => windowsOf(SESSION_A)).toHaveLength(1);
    expect(await other.forgetStudent(7, BUDGET_MS)).toBe(0);
    await store.execute([
      { sql: 'DELETE FROM relay_windows WHERE user_id = ?', values: [7] },
      { sql: 'DELETE FROM relay_sessions WHERE user_id = ?', values: [7] },
    ]);
    const back = await gateway('off');
    await expect.poll(() => back.depth()).toBe(0);
    expect(await windowsOf(SESSION_A)).toEqual([]);
  });

  it('of a student are in the export while they wait, and are deleted by hand, also the copy in the file of a gateway', async () => {
    isStoreReachable = false;
    const off = await gateway('off');
    const window = metricsWindow();
    await off.append(window);
    await off.append(metricsWindow({ userId: 8, sessionId: SESSION_B }));
    await expect.poll(inStream, WITHIN).toBe(2);
    await expect.poll(() => off.streamLag()?.windows, WITHIN).toBe(2);
    expect(off.streamLag()?.oldestAgeMs).toBeGreaterThan(0);
    await off.close();
    const records = streamRecords(off.link);
    const exported = await records.exportOf(7);
    expect(exported).toEqual({
      'nats/windows': [{ body: JSON.stringify(window) }],
      'nats/refused': [],
      'nats/notes': [],
    });
    expect(await records.forgetStudent(7, Date.now(), 0)).toEqual({ 'nats/windows': 1 });
    expect(await records.exportOf(7)).toMatchObject({ 'nats/windows': [] });
    isStoreReachable = true;
    const back = await gateway('off');
    await expect.poll(() => back.depth(), WITHIN).toBe(0);
    expect(await windowsOf(SESSION_A)).toEqual([]);
    expect(await windowsOf(SESSION_B)).toHaveLength(1);
  });

  it('leave no connection behind when all are stored', async () => {
    const queue = await gateway('one');
    await queue.append(metricsWindow());
    await expect.poll(() => queue.depth()).toBe(0);
    await expect.poll(() => queue.link.state()).toBe('closed');
    await queue.append(metricsWindow({ seq: 1 }));
    await expect.poll(() => windowsOf(SESSION_A)).toHaveLength(2);
  });
});

describe('three servers of NATS, one of which is gone for good', () => {
  it('have the windows of all students delivered, also of the parts whose consumer that server had', async () => {
    const three = await startNats({ servers: 3 });
    try {
      const queue = await gateway('one', shared.applyWindows, three.url);
      const students = Array.from({ length: 16 }, (_, index) => ({
        userId: 16 + index,
        sessionId: `0b0a3c52-6f1c-4c9a-9a3e-${String(index).padStart(12, '0')}`,
      }));
      isStoreReachable = false;
      for (const student of students) await queue.append(metricsWindow(student));
      // It has taken the parts then.
      await expect.poll(() => log.codes(), { timeout: 60_000 }).toContain('store_unreachable');
      await expect.poll(() => queue.streamLag()?.windows, { timeout: 60_000 }).toBe(students.length);
      await three.servers[2]?.kill();
      for (const student of students) await queue.append(metricsWindow({ ...student, seq: 1 }));
      isStoreReachable = true;
      await expect.poll(() => queue.depth(), { timeout: 60_000 }).toBe(0);
      const [found] = await store.execute([{ sql: 'SELECT COUNT(*) AS n FROM relay_windows', values: [] }]);
      expect(Number(found?.rows[0]?.n)).toBe(32);
    } finally {
      await three.stop();
    }
  });
});

describe('a gateway with windows that wait', () => {
  it('gets NATS_URL: they go there, and count once', async () => {
    isStoreReachable = false;
    const alone = await aloneGateway('one');
    const windows = windowSeries(5);
    for (const window of windows) await alone.append(window);
    await alone.close();
    // The time of one had gone to PHP: what is known of that is in this file alone.
    const client = createClient({ url: pathToFileURL(path.join(filesOf('one'), 'spool.db')).href });
    await client.execute('UPDATE spool_windows SET is_with_php = 1 WHERE id = 2');
    client.close();
    isStoreReachable = true;
    const queue = await gateway('one');
    await expect.poll(() => windowsOf(SESSION_A)).toEqual(windows);
    await expect.poll(() => queue.depth()).toBe(0);
  });

  it('loses NATS_URL: it delivers them from its file, and what is still in the stream counts once', async () => {
    isStoreReachable = false;
    const queue = await gateway('one');
    const windows = windowSeries(5);
    for (const window of windows) await queue.append(window);
    await expect.poll(inStream).toBe(5);
    await queue.close();
    isStoreReachable = true;
    const alone = await aloneGateway('one');
    expect(await alone.flush(BUDGET_MS)).toBe(0);
    expect(await windowsOf(SESSION_A)).toEqual(windows);
    const again = await gateway('two');
    await expect.poll(inStream).toBe(0);
    expect(again.setAsideCount()).toBe(0);
    expect(await store.sessionReport(SESSION_A)).toMatchObject({ focusedMs: sumOf(windows, (w) => w.focusedMs) });
  });

  it('is of the version before, beside one of this: what both have of a session counts once', async () => {
    // The version before knows its file alone, in the form of that time, and stays as it is when it gets that back.
    const file = filesOf('one');
    isStoreReachable = false;
    const before = await aloneGateway('one');
    await before.append(metricsWindow());
    await before.close();
    const client = createClient({ url: pathToFileURL(path.join(file, 'spool.db')).href });
    for (const column of ['published_seq', 'published_at_ms', 'is_repeated']) {
      await client.execute(`ALTER TABLE spool_windows DROP COLUMN ${column}`);
    }
    client.close();
    isStoreReachable = true;
    const [old, next] = [await aloneGateway('old'), await gateway('one')];
    await Promise.all([old.append(metricsWindow({ seq: 1 })), next.append(metricsWindow({ seq: 1 }))]);
    await Promise.all([old.append(metricsWindow({ sessionId: SESSION_B })), next.append(metricsWindow({ seq: 2 }))]);
    await expect.poll(() => old.depth() + next.depth()).toBe(0);
    expect((await windowsOf(SESSION_A)).map(({ seq }) => seq)).toEqual([0, 1, 2]);
    expect(await windowsOf(SESSION_B)).toHaveLength(1);
  });
});
