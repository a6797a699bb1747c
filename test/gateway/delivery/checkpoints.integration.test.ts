import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { type DeliveryQueue, openQueue } from '../../../gateway/delivery/queue.ts';
import { createLibsqlStore } from '../../../gateway/store/libsql/store.ts';
import type { MetricsStore } from '../../../gateway/store/port.ts';
import { captureLog } from '../../support/log-capture.ts';
import { metricsWindow, SESSION_A, SESSION_B } from '../store/windows.ts';

const WAIT = { timeout: 30_000, interval: 10 };

describe('open windows of running sessions', () => {
  let folder: string;
  let store: MetricsStore;
  const spools: DeliveryQueue[] = [];

  beforeEach(async () => {
    folder = await mkdtemp(path.join(os.tmpdir(), 'relay-open-'));
    store = createLibsqlStore({ path: path.join(folder, 'store.db'), logger: captureLog().logger });
    await store.migrate();
  });
  afterEach(async () => {
    for (const spool of spools.splice(0)) await spool.close();
    await store.close();
    await rm(folder, { recursive: true, force: true });
  });

  /** A spool on the same folder; the one before it counts as killed, for it was not closed. */
  async function open(): Promise<DeliveryQueue> {
    const spool = await openQueue({ dataDir: folder, store, logger: captureLog().logger });
    spools.push(spool);
    return spool;
  }

  it('become windows when the gateway is killed', async () => {
    const killed = await open();
    await killed.checkpoint([metricsWindow({ focusedMs: 100 })], []);
    await killed.checkpoint([metricsWindow({ focusedMs: 200 }), metricsWindow({ sessionId: SESSION_B })], []);
    await open();
    await vi.waitFor(async () => expect((await store.sessionReport(SESSION_A))?.focusedMs).toBe(200), WAIT);
    await vi.waitFor(async () => expect((await store.sessionReport(SESSION_B))?.windows).toHaveLength(1), WAIT);
  });

  it('count once when they were saved after all', async () => {
    const killed = await open();
    await killed.checkpoint([metricsWindow({ focusedMs: 100 })], []);
    await killed.append(metricsWindow({ focusedMs: 300 }));
    const next = await open();
    await next.flush(10_000);
    await vi.waitFor(async () => expect((await store.sessionReport(SESSION_A))?.focusedMs).toBe(300), WAIT);
    expect((await store.sessionReport(SESSION_A))?.windows).toHaveLength(1);
  });

  it('are forgotten with their session, and taken over only once', async () => {
    const killed = await open();
    await killed.checkpoint([metricsWindow(), metricsWindow({ sessionId: SESSION_B })], []);
    await killed.checkpoint([], [SESSION_B]);
    await open();
    const third = await open();
    await third.flush(10_000);
    await vi.waitFor(async () => expect((await store.sessionReport(SESSION_A))?.windows).toHaveLength(1), WAIT);
    expect(await store.sessionReport(SESSION_B)).toBeNull();
  });
});
