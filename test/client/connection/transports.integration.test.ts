import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { WebSocket } from 'ws';
import { RelayConnection } from '../../../client/connection/connection.ts';
import type { WebSocketLike } from '../../../client/connection/socket.ts';
import { FIRST_PROBE_MS, Transports } from '../../../client/connection/transports.ts';
import { startTestGateway, type TestGateway } from '../../../harness/gateway.ts';
import { faceAtScreen } from '../../../harness/observations.ts';
import { openTcpLink, type TcpLink } from '../../../harness/tcp-link.ts';
import { waitFor } from '../../../harness/wait-for.ts';
import { STREAM_PATH } from '../../../shared/protocol/version.ts';

const KEY = 'gaze-relay:post:here';
const EVERY_MS = 200;

let gateway: TestGateway;
let link: TcpLink;
let users = 20;
const stored = new Map<string, string>();
/** As where a proxy answers `Upgrade` with 403. */
let isBlocked = false;

class NetworkWebSocket extends WebSocket {
  constructor(url: string, subprotocol: string) {
    super(isBlocked ? url.replace(STREAM_PATH, '/nothing') : url, subprotocol);
    // A browser's WebSocket says it by a close event alone.
    this.on('error', () => {});
  }
}

beforeAll(async () => {
  gateway = await startTestGateway();
  link = await openTcpLink(gateway.port);
});

afterAll(async () => {
  await link?.close();
  await gateway?.dispose();
});

beforeEach(() => {
  stored.clear();
  isBlocked = false;
  vi.stubGlobal('window', new EventTarget());
  vi.stubGlobal('navigator', {});
  vi.stubGlobal('WebSocket', NetworkWebSocket);
  vi.stubGlobal('localStorage', {
    getItem: (key: string) => stored.get(key) ?? null,
    setItem: (key: string, value: string) => void stored.set(key, value),
    removeItem: (key: string) => void stored.delete(key),
  });
});

afterEach(async () => {
  vi.unstubAllGlobals();
  await link.restore();
});

/**
 * A page in device mode that chooses its transports. `firstProbeMs`: in place of half a minute. `onFailed` runs when a
 * transport ends that carried nothing, before the next is opened.
 */
function openPage({ firstProbeMs = FIRST_PROBE_MS, onFailed = async (_kind: string) => {} } = {}) {
  const kinds: string[] = [];
  const updates: string[] = [];
  let failed = Promise.resolve();
  const timers = {
    setTimer: (callback: () => void, delayMs: number) =>
      setTimeout(callback, delayMs === FIRST_PROBE_MS ? firstProbeMs : delayMs),
    clearTimer: (handle: unknown) => clearTimeout(handle as NodeJS.Timeout),
  };
  const transports = new Transports({
    ...timers,
    httpOrigin: `http://127.0.0.1:${link.port}`,
    memoryKey: KEY,
    last: null,
    now: () => performance.now(),
    // Observations are small, but those of the device would be collected for seconds.
    mode: () => 'server',
  });
  const userId = ++users;
  const connection = new RelayConnection({
    ...timers,
    url: `ws://127.0.0.1:${link.port}${STREAM_PATH}`,
    createSocket: (url, subprotocol): WebSocketLike => {
      const transport = transports.open(url, subprotocol);
      const kind = transport instanceof WebSocket ? 'websocket' : 'post';
      kinds.push(kind);
      let received = 0;
      transport.addEventListener('message', ({ data }) => {
        received += 1;
        if (typeof data !== 'string') updates.push(kind);
      });
      transport.addEventListener('close', () => {
        if (received === 0) failed = onFailed(kind);
      });
      return transport;
    },
    getTicket: async () => {
      await failed;
      return gateway.ticket(userId);
    },
    now: () => performance.now(),
    random: () => 0.1,
  });
  connection.start({ camera: { widthPx: 640, heightPx: 480 }, sectionId: null, mode: 'device' });
  connection.connect();
  const timer = setInterval(() => {
    const captureMs = connection.captureClockMs();
    if (captureMs !== null) connection.sendObservation({ observation: faceAtScreen(), captureMs });
  }, EVERY_MS);
  const close = async () => {
    clearInterval(timer);
    await connection.stop();
    connection.close();
  };
  return { kinds, updates, close };
}

describe('a gateway that was away', () => {
  it('is reached by WebSocket again, and nothing is remembered, although a POST was the first to get through', async () => {
    await link.cut();
    const page = openPage({
      onFailed: async (kind) => {
        if (kind === 'websocket') await link.restore();
      },
    });
    try {
      await waitFor('updates by POST, then by WebSocket', () => page.updates.at(-1) === 'websocket', {
        withinMs: FIRST_PROBE_MS - 5000,
      });
      expect(page.kinds).toEqual(['websocket', 'post', 'websocket']);
      expect(page.updates).toContain('post');
      expect(stored.size).toBe(0);
    } finally {
      await page.close();
    }
  });
});

describe('a network that refuses WebSockets', () => {
  it('is remembered once a WebSocket failed while POSTs worked', async () => {
    isBlocked = true;
    const page = openPage();
    try {
      await waitFor('the memory', () => stored.has(KEY));
      expect(page.kinds).toEqual(['websocket', 'post']);
    } finally {
      await page.close();
    }
  });

  it('is left behind at the first probe where a page began with POSTs because of an earlier one', async () => {
    stored.set(KEY, JSON.stringify({ atMs: Date.now(), network: '' }));
    const page = openPage({ firstProbeMs: 1000 });
    try {
      await waitFor('updates by WebSocket', () => page.updates.at(-1) === 'websocket');
      expect(page.kinds).toEqual(['post', 'websocket']);
      expect(stored.size).toBe(0);
    } finally {
      await page.close();
    }
  });
});
