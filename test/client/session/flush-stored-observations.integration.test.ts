import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { RelayConnection } from '../../../client/connection/connection.ts';
import type { ConnectionOptions } from '../../../client/connection/connection-options.ts';
import type { QueuedObservation } from '../../../client/connection/observation-outbox.ts';
import { flushStoredObservations } from '../../../client/session/flush-stored-observations.ts';
import type { StoredObservations, StoredSession } from '../../../client/session/observation-store.ts';
import { startTestGateway, type TestGateway } from '../../../harness/gateway.ts';
import { faceAtScreen } from '../../../harness/observations.ts';
import { waitFor } from '../../../harness/wait-for.ts';
import { STREAM_PATH } from '../../../shared/protocol/version.ts';

const CAMERA = { widthPx: 640, heightPx: 480 };
const EVERY_MS = 20;
/** At 60 a second more than a part of a second takes. */
const STORED = 150;

let gateway: TestGateway;
let users = 40;

beforeAll(async () => {
  gateway = await startTestGateway({ RESUME_GRACE_MS: '500' });
});

afterAll(() => gateway?.dispose());

function connect(userId: number, options: Partial<ConnectionOptions>): RelayConnection {
  return new RelayConnection({
    url: `ws://127.0.0.1:${gateway.port}${STREAM_PATH}`,
    createSocket: (url, subprotocol) => new WebSocket(url, subprotocol),
    getTicket: () => gateway.ticket(userId),
    now: () => performance.now(),
    random: Math.random,
    setTimer: (callback, delayMs) => setTimeout(callback, delayMs),
    clearTimer: (handle) => clearTimeout(handle as NodeJS.Timeout),
    ...options,
  });
}

/** A session that lost its network after its first observation, and what its page stored from then on. */
async function offlineSession(userId: number) {
  let session: StoredSession | null = null;
  let updates = 0;
  const connection = connect(userId, {
    onWelcome: ({ sessionId, late, resume }) => {
      session = { sessionId, token: late ?? resume, camera: CAMERA, sectionId: null };
    },
    onUpdate: () => updates++,
  });
  connection.start({ camera: CAMERA, sectionId: null, mode: 'device' });
  connection.connect();
  await waitFor('the welcome', () => connection.canSend());
  connection.sendObservation({ observation: faceAtScreen(), captureMs: connection.captureClockMs() ?? 0 });
  await waitFor('the first update', () => updates === 1);
  const { resumeToken } = connection;
  const firstMs = (connection.captureClockMs() ?? 0) + EVERY_MS;
  connection.close();
  if (session === null) throw new Error('no session');
  const rows = new Map<number, QueuedObservation>();
  for (let turn = 0; turn < STORED; turn++) {
    const captureMs = firstMs + turn * EVERY_MS;
    rows.set(captureMs, { captureMs, observation: faceAtScreen({ headYawDeg: (turn % 7) / 10 }) });
  }
  const lastMs = firstMs + (STORED - 1) * EVERY_MS;
  await new Promise((resolve) => setTimeout(resolve, STORED * EVERY_MS));
  return { session: session as StoredSession, resumeToken, rows, lastMs };
}

/** What of the rows is stored now, as IndexedDB gives it. `canRemove`: false as where the tab closes before it could. */
function storeOf(session: StoredSession, rows: Map<number, QueuedObservation>, canRemove = () => true) {
  return {
    read: async (): Promise<readonly StoredObservations[]> =>
      rows.size === 0
        ? []
        : [
            {
              session,
              observations: [...rows.values()],
              storedAtMs: 1,
              storage: {
                put: () => {},
                clear: () => {},
                remove: (captureMs) => {
                  if (canRemove()) rows.delete(captureMs);
                },
              },
            },
          ],
  };
}

function flush(userId: number, store: ReturnType<typeof storeOf>, withinMs: number, resumeToken: string | null = null) {
  return flushStoredObservations({
    store,
    withinMs,
    resumeToken,
    addresses: { httpOrigin: '', streamUrl: '' },
    getTicket: () => gateway.ticket(userId),
    connect: ({ addresses: _, ...options }) => connect(userId, options),
    onBegin: () => {},
    onDelivered: () => {},
  });
}

/** Resolves once the stored session covers `lastMs` and no more, whatever was sent twice. */
function untilCounted(userId: number, sessionId: string, lastMs: number): Promise<boolean> {
  return waitFor(`${lastMs} ms in the report`, async () => {
    const report = await gateway.report(sessionId, userId);
    if (report === null) return false;
    return report.focusedMs + report.unfocusedMs + report.unknownMs + report.untrackedMs === lastMs;
  });
}

describe('a stored lesson', () => {
  it('that takes longer than a page waits is delivered in parts, and the page’s own session counts between them', async () => {
    const userId = ++users;
    const { session, rows, lastMs } = await offlineSession(userId);
    const store = storeOf(session, rows);
    expect(await flush(userId, store, 1000)).toBe(true);
    expect(rows.size).toBeLessThan(STORED);
    expect(rows.size).toBeGreaterThan(0);
    let updates = 0;
    const live = connect(userId, { onUpdate: () => updates++ });
    live.start({ camera: CAMERA, sectionId: null, mode: 'device' });
    live.connect();
    await waitFor('the session of the page', () => live.canSend());
    live.sendObservation({ observation: faceAtScreen(), captureMs: live.captureClockMs() ?? 0 });
    await waitFor('its first observation', () => updates === 1);
    live.close();
    while (await flush(userId, store, 1000));
    expect(rows.size).toBe(0);
    await untilCounted(userId, session.sessionId, lastMs);
  });

  it('is counted once where the tab closes before it could remove what was delivered', async () => {
    const userId = ++users;
    const { session, rows, lastMs } = await offlineSession(userId);
    let removals = 0;
    await flush(
      userId,
      storeOf(session, rows, () => ++removals <= 20),
      1000,
    );
    expect(rows.size).toBe(STORED - 20);
    while (await flush(userId, storeOf(session, rows), 20_000));
    expect(rows.size).toBe(0);
    await untilCounted(userId, session.sessionId, lastMs);
  });

  it('of the session that the page resumes is delivered whole before that: newer messages would make it too old', async () => {
    const userId = ++users;
    const { session, rows, lastMs, resumeToken } = await offlineSession(userId);
    expect(await flush(userId, storeOf(session, rows), 1000, resumeToken)).toBe(false);
    expect(rows.size).toBe(0);
    await untilCounted(userId, session.sessionId, lastMs);
  });
});
