import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type DeliveryQueue, openQueue, type QueueOptions } from '../../../gateway/delivery/queue.ts';
import { openStreamQueue } from '../../../gateway/delivery/stream/queue.ts';
import { type NatsLink, natsLink } from '../../../gateway/nats/connection.ts';
import { createLibsqlStore } from '../../../gateway/store/libsql/store.ts';
import type { MetricsStore } from '../../../gateway/store/port.ts';
import { type Nats, startNats } from '../../../harness/nats.ts';
import { RelayError } from '../../../shared/errors.ts';
import type { MetricsWindow } from '../../../shared/metrics-window.ts';
import { captureLog } from '../../support/log-capture.ts';
import { natsConfig } from '../nats/nats-config.ts';
import { metricsWindow, SESSION_A, SESSION_B, sumOf, windowSeries } from '../store/windows.ts';

const BUDGET_MS = 20_000;

let nats: Nats;
beforeAll(async () => {
  nats = await startNats();
});
afterAll(() => nats.stop());

describe.each(['file', 'stream'] as const)('the queue over a %s', (kind) => {
  let folder: string;
  let prefix: string;
  let store: MetricsStore;
  let log: ReturnType<typeof captureLog>;
  const queues: DeliveryQueue[] = [];
  const links: NatsLink[] = [];

  beforeEach(async () => {
    folder = await mkdtemp(path.join(os.tmpdir(), 'relay-queue-'));
    prefix = randomUUID().slice(0, 8);
    log = captureLog();
    store = createLibsqlStore({ path: path.join(folder, 'store.db'), logger: log.logger });
    await store.migrate();
  });
  afterEach(async () => {
    for (const queue of queues.splice(0)) await queue.close();
    for (const link of links.splice(0)) await link.close();
    await store.close();
    await rm(folder, { recursive: true, force: true });
  });

  async function open(
    options: Partial<Pick<QueueOptions, 'dataDir' | 'batchSize'>> & { apply?: MetricsStore['applyWindows'] } = {},
  ): Promise<DeliveryQueue> {
    const { apply = (...given) => store.applyWindows(...given), ...rest } = options;
    const common = {
      dataDir: folder,
      store: {
        applyWindows: apply,
        execute: (...given: Parameters<MetricsStore['execute']>) => store.execute(...given),
      },
      logger: log.logger,
      backoff: { firstMs: 60_000, maxMs: 60_000 },
      ...rest,
    };
    if (kind === 'file') return keep(await openQueue(common));
    const link = natsLink(natsConfig(nats.url, { NATS_PREFIX: prefix }), log.logger, { idleMs: 100 });
    links.push(link);
    return keep(
      await openStreamQueue({ ...common, nats: link, gatewayId: randomUUID(), shareEveryMs: 300, confirmAfterMs: 200 }),
    );
  }

  function keep(queue: DeliveryQueue): DeliveryQueue {
    queues.push(queue);
    return queue;
  }

  const unreachable = () =>
    Promise.reject(new RelayError('store_unreachable', 'the store is unreachable', { hint: 'test' }));

  async function windowsOf(sessionId: string) {
    return (await store.sessionReport(sessionId))?.windows ?? [];
  }

  it('delivers what is appended and keeps nothing', async () => {
    const queue = await open();
    const windows = windowSeries(5);
    for (const window of windows) await queue.append(window);
    expect(await queue.flush(BUDGET_MS)).toBe(0);
    expect(await windowsOf(SESSION_A)).toEqual(windows);
    expect(queue.depth()).toBe(0);
    expect(queue.oldestAgeMs()).toBeNull();
  });

  it('delivers each session in the order of appending, in batches', async () => {
    const calls: MetricsWindow[][] = [];
    const queue = await open({
      batchSize: 10,
      apply(windows, ...rest) {
        calls.push([...windows]);
        return store.applyWindows(windows, ...rest);
      },
    });
    const windows = Array.from({ length: 100 }, (_, index) =>
      metricsWindow({ sessionId: index % 3 === 0 ? SESSION_A : SESSION_B, seq: index }),
    );
    await Promise.all(windows.map((window) => queue.append(window)));
    expect(await queue.flush(BUDGET_MS)).toBe(0);
    for (const id of [SESSION_A, SESSION_B]) {
      const of = (list: readonly MetricsWindow[]) => list.filter(({ sessionId }) => sessionId === id);
      expect(of(calls.flat())).toEqual(of(windows));
    }
    expect(Math.max(...calls.map((call) => call.length))).toBeLessThanOrEqual(10);
  });

  it('keeps what is left when it closes, and continues with it when it is opened again', async () => {
    const queue = await open({ apply: unreachable });
    for (const window of windowSeries(3)) await queue.append(window);
    expect(await queue.flush(BUDGET_MS)).toBe(3);
    await queue.close();
    await queue.close();
    await expect(queue.append(metricsWindow({ seq: 3 }))).rejects.toMatchObject({ code: 'spool_closed' });
    const again = await open();
    expect(await again.flush(BUDGET_MS)).toBe(0);
    expect(await windowsOf(SESSION_A)).toHaveLength(3);
  });

  it('takes what waits for delivery along when it closes in the middle', async () => {
    const queue = await open({ batchSize: 1 });
    const windows = windowSeries(50);
    const appends = windows.map((window) => queue.append(window));
    const closed = queue.close();
    await Promise.all(appends);
    await closed;
    const again = await open();
    await again.flush(BUDGET_MS);
    expect(await store.sessionReport(SESSION_A)).toMatchObject({ focusedMs: sumOf(windows, (w) => w.focusedMs) });
  });

  it('sets a poisoned window aside with its reason, and delivers all the others', async () => {
    const queue = await open();
    const good = windowSeries(6);
    const poisoned = [
      metricsWindow({ seq: 6, focusedMs: -5 }),
      metricsWindow({ seq: 7, userId: 8 }),
      metricsWindow({ seq: 8, gatewayMsSum: Number.NaN }),
    ];
    const [a, b, c, d, e, f] = good;
    for (const window of [a, poisoned[0], b, c, poisoned[1], poisoned[2], d, e, f]) {
      if (window !== undefined) await queue.append(window);
    }
    await expect.poll(() => windowsOf(SESSION_A)).toEqual(good);
    await expect.poll(() => queue.depth()).toBe(0);
    const aside = await queue.setAside();
    expect(aside.map(({ error }) => error).sort()).toEqual([
      expect.stringContaining('focusedMs'),
      expect.stringContaining('gatewayMsSum'),
      expect.stringContaining('student 7'),
    ]);
    expect(queue.setAsideCount()).toBe(3);
    expect(aside.map(({ body }) => JSON.parse(body))).toContainEqual(
      expect.objectContaining({ seq: 6, focusedMs: -5 }),
    );
    expect(log.codes().filter((code) => code === 'window_set_aside').length).toBeGreaterThanOrEqual(1);
  });

  it('tries at once when it is flushed, whatever wait was on', async () => {
    let isReachable = false;
    const queue = await open({ apply: (...given) => (isReachable ? store.applyWindows(...given) : unreachable()) });
    await queue.append(metricsWindow());
    await expect.poll(() => log.codes()).toContain('store_unreachable');
    expect(await queue.flush(BUDGET_MS)).toBe(1);
    isReachable = true;
    expect(await queue.flush(BUDGET_MS)).toBe(0);
    expect(await windowsOf(SESSION_A)).toHaveLength(1);
    expect(log.entries.map(({ message }) => message)).toContain('metrics are being stored again');
  });

  it('says of a session how many of its windows are not in the store', async () => {
    const queue = await open();
    await queue.append(metricsWindow());
    expect(await queue.flushSession(SESSION_A.toUpperCase(), BUDGET_MS)).toBe(0);
    expect(await windowsOf(SESSION_A)).toHaveLength(1);
    expect(await queue.flushSession(SESSION_B, BUDGET_MS)).toBe(0);
    await queue.close();
    const away = await open({ apply: unreachable });
    await away.append(metricsWindow({ seq: 1 }));
    await expect.poll(() => log.codes()).toContain('store_unreachable');
    expect(await away.flushSession(SESSION_A, BUDGET_MS)).toBe(1);
  });

  it('delivers a student before the deletion, and forgets what was set aside', async () => {
    const queue = await open();
    await queue.append(metricsWindow({ userId: 7 }));
    await queue.append(metricsWindow({ userId: 7, seq: 1, focusedMs: -5 }));
    await queue.append(metricsWindow({ userId: 8, seq: 2, sessionId: SESSION_B, focusedMs: -5 }));
    await expect.poll(async () => (await queue.setAside()).length).toBe(2);
    expect(await queue.forgetStudent(7, BUDGET_MS)).toBe(0);
    expect(await windowsOf(SESSION_A)).toHaveLength(1);
    expect((await queue.setAside()).map(({ body }) => JSON.parse(body).userId)).toEqual([8]);
  });
});
