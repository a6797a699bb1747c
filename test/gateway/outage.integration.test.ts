import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { RelayConnection } from '../../client/connection/connection.ts';
import { FrameOutbox } from '../../client/connection/frame-outbox.ts';
import type { WebSocketLike } from '../../client/connection/socket.ts';
import { CLIP_FRAMES, emptyRoom } from '../../harness/clip.ts';
import { startTestGateway, type TestGateway } from '../../harness/gateway.ts';
import { ManualTime } from '../../harness/manual-time.ts';
import { type Service, startInference } from '../../harness/services.ts';
import { openTcpLink, type TcpLink } from '../../harness/tcp-link.ts';
import { STREAM_PATH } from '../../shared/protocol/version.ts';

interface Readiness {
  readonly inference: readonly string[];
}

const CAMERA = { widthPx: 400, heightPx: 300 };
const WHOLE = { xPx: 0, yPx: 0, ...CAMERA };
const STEP_MS = 200;
/** From here on the clip's man looks straight into his camera for a while. */
const LOOKING_FROM = 2;

let time: ManualTime;
let inference: Service;
let gateway: TestGateway;
let link: TcpLink;
let inferenceLink: TcpLink;
let looking: readonly Uint8Array[];
let away: readonly Uint8Array[];
let users = 0;

beforeAll(async () => {
  inference = await startInference({ env: { PATH: process.env.PATH, LOG_LEVEL: 'error' }, log: 'ignore' });
  // Client and gateway share one clock that the test moves: minutes of a lesson take seconds.
  time = new ManualTime();
  const startedMs = Date.now();
  inferenceLink = await openTcpLink(inference.port);
  gateway = await startTestGateway(
    { INFERENCE_URL: `http://127.0.0.1:${inferenceLink.port}`, RESUME_GRACE_MS: '600000' },
    { now: () => startedMs + time.nowMs },
  );
  link = await openTcpLink(gateway.port);
  looking = CLIP_FRAMES.slice(LOOKING_FROM, LOOKING_FROM + 4);
  // Pictures of the room without the student; each another one, as a camera's noise makes them.
  away = await Promise.all([1, 2, 3, 4].map((quality) => emptyRoom(80 + quality)));
});

afterAll(async () => {
  await link?.close();
  await gateway?.dispose();
  await inferenceLink?.close();
  await inference?.stop();
});

/** Its link opens in real time, with the first student: the manual clock waits for it. */
async function inferenceIsConnected(): Promise<void> {
  await expect
    .poll(async () => ((await (await fetch(new URL('/readyz', gateway.url))).json()) as Readiness).inference)
    .toEqual(['connected']);
}

/** A student whose pictures come from `camera`, over the client's own connection. */
function openStudent() {
  const userId = ++users;
  let wake = () => {};
  let sessionId = '';
  let isConnecting = false;
  const connection = new RelayConnection({
    url: `ws://127.0.0.1:${link.port}${STREAM_PATH}`,
    createSocket: (url, subprotocol) => {
      const socket = new WebSocket(url, subprotocol);
      socket.on('close', () => {
        isConnecting = false;
        wake();
      });
      return socket as unknown as WebSocketLike;
    },
    getTicket: () => {
      isConnecting = true;
      return gateway.ticket(userId);
    },
    now: time.now,
    random: () => 0.5,
    setTimer: time.setTimer,
    clearTimer: time.clearTimer,
    stopWithinMs: 600_000,
    outbox: new FrameOutbox(),
    onWelcome: (welcome) => {
      sessionId = welcome.sessionId;
      wake();
    },
    onUpdate: () => wake(),
    onConnectionChange: () => wake(),
  });
  const until = async (isTrue: () => boolean) => {
    while (!isTrue()) {
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
    }
  };
  let frames = 0;
  const show = (camera: readonly Uint8Array[]) => {
    const image = camera[frames++ % camera.length] as Uint8Array;
    const captureMs = connection.captureClockMs() ?? 0;
    return connection.sendFrame({ image, codec: 'jpeg', crop: WHOLE, fullFrame: true, captureMs });
  };
  return {
    userId,
    connection,
    sessionId: () => sessionId,
    begin: async () => {
      connection.start({ camera: CAMERA, sectionId: 1, mode: 'server' });
      connection.connect();
      await until(() => connection.phase === 'connected');
      await inferenceIsConnected();
    },
    /** Pictures every 200 ms; what has left is answered before the next. */
    watch: async (camera: readonly Uint8Array[], forMs: number) => {
      for (let atMs = 0; atMs < forMs; atMs += STEP_MS) {
        time.advance(STEP_MS);
        if (connection.accepts()) show(camera);
        await until(() => connection.stats().acked === connection.stats().framesSent);
      }
    },
    /** The same while nothing gets through. */
    watchOffline: async (camera: readonly Uint8Array[], forMs: number) => {
      for (let atMs = 0; atMs < forMs; atMs += STEP_MS) {
        time.advance(STEP_MS);
        if (connection.accepts()) show(camera);
        await until(() => !isConnecting);
      }
    },
    /** Time continues until the connection is back; it stands still while an attempt is under way. */
    comeBack: async (camera: readonly Uint8Array[]) => {
      await link.restore();
      while (connection.phase !== 'connected') {
        time.advance(STEP_MS);
        if (connection.accepts()) show(camera);
        await until(() => !isConnecting || connection.phase === 'connected');
      }
    },
    until,
  };
}

/** A student who has looked for 10 s when the link goes away. */
async function cutOff() {
  const student = openStudent();
  const { connection, until } = student;
  await student.begin();
  await student.watch(looking, 10_000);
  await link.cut();
  await until(() => connection.phase === 'reconnecting');
  return student;
}

async function outageOf(forMs: number) {
  const student = await cutOff();
  const { connection } = student;
  await student.watchOffline(looking, forMs / 2);
  await student.watchOffline(away, forMs / 2);
  await student.comeBack(away);
  await student.watch(away, 10_000);
  const elapsedMs = connection.captureClockMs() ?? 0;
  const stopped = await connection.stop();
  connection.close();
  const report = await gateway.report(student.sessionId(), student.userId);
  if (stopped === null || report === null) throw new Error('the session has no end or no report');
  return { elapsedMs, totals: stopped.totals, report };
}

describe('an outage, with what really happened known', () => {
  it('of 30 s loses nothing: totals are the truth to within a second', async () => {
    const { elapsedMs, totals, report } = await outageOf(30_000);
    expect(totals.untrackedMs).toBe(0);
    expect(Math.abs(totals.focusedMs - 25_000)).toBeLessThanOrEqual(1000);
    expect(Math.abs(totals.unfocusedMs - (elapsedMs - 25_000))).toBeLessThanOrEqual(1000);
    expect(report).toMatchObject({ focusedMs: totals.focusedMs, unfocusedMs: totals.unfocusedMs, untrackedMs: 0 });
    expect(report.endedAtMs - report.startedAtMs).toBe(elapsedMs);
  });

  it('L-8 of inference too, which is back 3 s after the student, loses nothing', async () => {
    const student = await cutOff();
    const { connection } = student;
    await inferenceLink.cut();
    await student.watchOffline(looking, 20_000);
    const lookedForMs = connection.captureClockMs() ?? 0;
    await student.comeBack(away);
    await student.watch(away, 3000);
    await inferenceLink.restore();
    await inferenceIsConnected();
    await student.watch(away, 10_000);
    const elapsedMs = connection.captureClockMs() ?? 0;
    const totals = (await connection.stop())?.totals;
    connection.close();
    expect(totals?.untrackedMs).toBe(0);
    expect(Math.abs((totals?.focusedMs ?? 0) - lookedForMs)).toBeLessThanOrEqual(2000);
    expect((totals?.focusedMs ?? 0) + (totals?.unfocusedMs ?? 0)).toBe(elapsedMs);
  });

  it('with a pause in it: time before the pause is counted, the pause is not', async () => {
    const student = await cutOff();
    const { connection } = student;
    await student.watchOffline(looking, 10_000);
    const paused = connection.stop();
    await student.watchOffline(looking, 20_000);
    await student.comeBack(looking);
    await student.watch(looking, 5000);
    expect((await paused)?.totals).toMatchObject({ unfocusedMs: 0, untrackedMs: 0 });
    connection.start({ camera: CAMERA, sectionId: 1, mode: 'server' });
    await student.watch(away, 5000);
    const totals = (await connection.stop())?.totals;
    connection.close();
    expect(Math.abs((totals?.focusedMs ?? 0) - 20_000)).toBeLessThanOrEqual(1000);
    expect(Math.abs((totals?.unfocusedMs ?? 0) - 5000)).toBeLessThanOrEqual(1000);
    expect(totals?.untrackedMs).toBe(0);
  });

  it('of 90 s keeps the first minute of it: about 30 s are untracked', async () => {
    const { elapsedMs, totals, report } = await outageOf(90_000);
    expect(totals.untrackedMs).toBeGreaterThan(27_000);
    expect(totals.untrackedMs).toBeLessThan(36_000);
    expect(Math.abs(totals.focusedMs - 55_000)).toBeLessThanOrEqual(1000);
    const counted = totals.focusedMs + totals.unfocusedMs + totals.unknownMs + totals.untrackedMs;
    expect(counted).toBe(elapsedMs);
    expect(report.untrackedMs).toBe(totals.untrackedMs);
  });
});
