import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { RelayConnection } from '../../../client/connection/connection.ts';
import { ObservationOutbox } from '../../../client/connection/observation-outbox.ts';
import { PostTransport } from '../../../client/connection/post-transport.ts';
import { startTestGateway, type TestGateway } from '../../../harness/gateway.ts';
import { faceAtScreen } from '../../../harness/observations.ts';
import { openTcpLink, type TcpLink } from '../../../harness/tcp-link.ts';
import { waitFor } from '../../../harness/wait-for.ts';
import { STREAM_PATH } from '../../../shared/protocol/version.ts';

const EVERY_MS = 200;
/** What the student did at the beginning and end of capture is known to so much. */
const EDGE_MS = 1000;

let gateway: TestGateway;
let link: TcpLink;

beforeAll(async () => {
  gateway = await startTestGateway();
  link = await openTcpLink(gateway.port);
});

afterAll(async () => {
  await link?.close();
  await gateway?.dispose();
});

describe('H-5 device mode by POSTs', () => {
  it('a cut and an outage lose no time, and a POST carries observations of seconds', async () => {
    const outbox = new ObservationOutbox(null);
    const seen = { resumed: 0, posts: 0, updates: 0 };
    const timers = {
      setTimer: (callback: () => void, delayMs: number) => setTimeout(callback, delayMs),
      clearTimer: (handle: unknown) => clearTimeout(handle as NodeJS.Timeout),
    };
    const connection = new RelayConnection({
      ...timers,
      url: `http://127.0.0.1:${link.port}${STREAM_PATH}`,
      createSocket: (url) =>
        new PostTransport({
          ...timers,
          url,
          now: () => performance.now(),
          mode: () => 'device',
          fetch: (address, init) => {
            seen.posts += 1;
            return fetch(address, init);
          },
        }),
      getTicket: () => gateway.ticket(5),
      now: () => performance.now(),
      random: Math.random,
      outbox,
      onWelcome: ({ resumed }) => {
        if (resumed) seen.resumed += 1;
      },
      onUpdate: () => {
        seen.updates += 1;
      },
    });
    connection.start({ camera: { widthPx: 640, heightPx: 480 }, sectionId: null, mode: 'device' });
    connection.connect();
    await waitFor('the welcome', () => connection.phase === 'connected');
    const startedMs = performance.now();
    let turn = 0;
    const timer = setInterval(() => {
      turn += 1;
      const captureMs = connection.captureClockMs();
      const observation = faceAtScreen({ headYawDeg: (turn % 7) / 10 });
      if (captureMs !== null) connection.sendObservation({ observation, captureMs });
    }, EVERY_MS);
    try {
      await waitFor('updates', () => seen.updates >= 8);
      expect(seen.posts).toBeLessThan(seen.updates / 2);
      // Connections of the network are cut: the POSTs that were on them come again.
      await link.cut();
      await link.restore();
      const before = seen.updates;
      await waitFor('updates after the cut', () => seen.updates > before + 5);
      // The network is gone for longer than a POST is tried again.
      await link.cut();
      await waitFor('the end of the connection', () => connection.phase === 'reconnecting');
      await waitFor('observations that wait', () => outbox.size >= 3);
      await link.restore();
      connection.hurry();
      await waitFor('the session, resumed', () => connection.phase === 'connected' && outbox.size === 0);
    } finally {
      clearInterval(timer);
    }
    const trueMs = performance.now() - startedMs;
    const stopped = await connection.stop();
    connection.close();
    expect(seen.resumed).toBeGreaterThan(0);
    const { focusedMs = 0, unfocusedMs = 0, unknownMs = 0, untrackedMs = 0 } = stopped?.totals ?? {};
    expect(Math.abs(focusedMs + unfocusedMs + unknownMs + untrackedMs - trueMs)).toBeLessThan(EDGE_MS);
    expect(untrackedMs).toBeLessThan(EDGE_MS);
  });
});
