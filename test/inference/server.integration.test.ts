import { connect } from 'node:net';
import { pino } from 'pino';
import sharp from 'sharp';
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { clipFrame, emptyRoom, wholeFrame } from '../../harness/clip.ts';
import { loadModels, type ModelFiles } from '../../inference/models/store.ts';
import { WorkerPool } from '../../inference/pool/pool.ts';
import { type InferenceServer, startServer } from '../../inference/server.ts';
import { encodeInferenceRequest, LINK_PATH, LINK_SUBPROTOCOL } from '../../shared/link.ts';
import { describeRefusedUpgrades } from '../support/refused-upgrades.ts';
import { faultBytes, spawnFaultyWorker } from './support/faults.ts';
import { type LinkClient, openLink } from './support/link-client.ts';

const PATIENT_MS = 60_000;
const logger = pino({ level: 'silent' });

let files: ModelFiles;
let pool: WorkerPool;
let server: InferenceServer;

beforeAll(async () => {
  files = await loadModels();
});

async function open({
  secret = null,
  ...options
}: {
  workers?: number;
  queueLimit?: number;
  hangMs?: number;
  secret?: string | null;
} = {}): Promise<LinkClient> {
  pool = new WorkerPool({
    workers: 1,
    queueLimit: 16,
    hangMs: PATIENT_MS,
    startMs: PATIENT_MS,
    spawn: () => spawnFaultyWorker({ engine: 'onnx', files }),
    onReplaced: () => {},
    ...options,
  });
  server = await startServer({ host: '127.0.0.1', port: 0, pool, secret, logger });
  await pool.start();
  return openLink(server.port, secret);
}

afterEach(async () => {
  await pool.close();
  await server.close();
});

async function get(path: string): Promise<{ status: number; body: unknown }> {
  const response = await fetch(`http://127.0.0.1:${server.port}${path}`);
  return { status: response.status, body: await response.json() };
}

describe('the inference service', () => {
  it('answers a real frame with a face, and says that it searched', async () => {
    const link = await open();
    const response = await link.request(wholeFrame(clipFrame(0)));
    expect(response).toMatchObject({ status: 'ok', observation: { faceCount: 1, detectorRan: true } });
    expect(response.serverMs).toBeGreaterThan(0);
    if (response.status !== 'ok' || response.observation.face === null) throw new Error('no face');
    const { face } = response.observation;
    expect(face.score).toBeGreaterThan(0.9);
    expect(Math.abs(face.headYawDeg)).toBeLessThan(30);
    const followed = await link.request(wholeFrame(clipFrame(1), { roi: face.nextRoi }));
    expect(followed).toMatchObject({ status: 'ok', observation: { faceCount: 1, detectorRan: false } });
    const counted = await link.request(wholeFrame(clipFrame(1), { roi: face.nextRoi, countFaces: true }));
    expect(counted).toMatchObject({ status: 'ok', observation: { faceCount: 1, detectorRan: true } });
  });

  it('answers many at once, each by its own id', async () => {
    const link = await open({ workers: 2 });
    const [room, frame] = [await emptyRoom(), clipFrame(0)];
    const responses = await Promise.all(
      Array.from({ length: 12 }, (_, index) => link.request(wholeFrame(index % 2 === 0 ? frame : room))),
    );
    expect(responses.map((response) => response.status === 'ok' && response.observation.faceCount)).toEqual(
      responses.map((_, index) => (index % 2 === 0 ? 1 : 0)),
    );
  });

  it('gives the same observation on any worker', async () => {
    const link = await open({ workers: 2 });
    const request = wholeFrame(clipFrame(30));
    const responses = await Promise.all(Array.from({ length: 8 }, () => link.request(request)));
    const observations = responses.map((response) => response.status === 'ok' && response.observation);
    for (const observation of observations) expect(observation).toEqual(observations[0]);
  });

  it('refuses pictures that are none, each with its status, and serves the next', async () => {
    const link = await open();
    const frame = clipFrame(0);
    const plain = sharp({ create: { width: 64, height: 64, channels: 3, background: '#806040' } });
    const tooLarge = sharp({ create: { width: 1400, height: 900, channels: 3, background: '#806040' } });
    const cases: [string, Uint8Array][] = [
      ['imageFormat', await plain.png().toBuffer()],
      ['imageFormat', new Uint8Array()],
      ['imageFormat', Uint8Array.from({ length: 500 }, (_, at) => (at * 97 + 13) & 255)],
      ['imageTooLarge', await tooLarge.jpeg().toBuffer()],
      ['imageCorrupt', frame.subarray(0, frame.length / 2)],
    ];
    for (const [status, image] of cases) {
      expect((await link.request(wholeFrame(image))).status).toBe(status);
      expect((await link.request(wholeFrame(frame))).status).toBe('ok');
    }
  });

  it('answers badRequest to a malformed request, and keeps the link', async () => {
    const link = await open();
    const noArea = encodeInferenceRequest({ ...wholeFrame(clipFrame(0)), requestId: 7 });
    noArea.fill(0, 16, 20);
    expect(await link.raw(noArea, 7)).toMatchObject({ status: 'badRequest' });
    expect(await link.raw(noArea.subarray(0, 12), 7)).toMatchObject({ status: 'badRequest' });
    expect((await link.request(wholeFrame(clipFrame(0)))).status).toBe('ok');
  });

  it('ends a link that sends text, or bytes too few to be answered, and no other', async () => {
    const witness = await open();
    const texting = await openLink(server.port);
    texting.socket.send('{"hello":1}');
    expect(await texting.closed).toBe(1003);
    const short = await openLink(server.port);
    short.socket.send(Uint8Array.from([1, 2, 3]));
    expect(await short.closed).toBe(1002);
    const large = await openLink(server.port);
    large.socket.send(new Uint8Array(600 * 1024));
    expect(await large.closed).toBe(1009);
    expect((await witness.request(wholeFrame(clipFrame(0)))).status).toBe('ok');
  });

  it('answers busy with a hint when the queue is full, and expired past the budget', async () => {
    const link = await open({ queueLimit: 2 });
    const statuses = await Promise.all(
      Array.from({ length: 12 }, () => link.request(wholeFrame(clipFrame(0))).then((response) => response)),
    );
    const busy = statuses.filter((response) => response.status === 'busy');
    expect(busy.length).toBeGreaterThan(0);
    for (const response of busy) expect(response.status !== 'ok' && response.retryAfterMs).toBeGreaterThan(0);
    expect(statuses.filter((response) => response.status === 'ok').length).toBeGreaterThanOrEqual(3);

    const [first, late] = await Promise.all([
      link.request(wholeFrame(clipFrame(0))),
      link.request(wholeFrame(clipFrame(0), { budgetMs: 0 })),
    ]);
    expect([first.status, late.status]).toEqual(['ok', 'expired']);
  });

  it.each(['crash', 'hang'] as const)(
    'answers engineFailed when a worker fails (%s), and serves the next',
    async (fault) => {
      const link = await open({ hangMs: 1_500 });
      const failed = link.request(wholeFrame(faultBytes(fault)));
      const waiting = link.request(wholeFrame(clipFrame(0)));
      expect((await failed).status).toBe('engineFailed');
      expect((await waiting).status).toBe('ok');
      expect(pool.state().replaced).toBe(1);
    },
  );

  it('is alive and ready, and says why when it is not', async () => {
    await open();
    expect(await get('/healthz')).toEqual({ status: 200, body: { alive: true } });
    expect(await get('/readyz')).toMatchObject({
      status: 200,
      body: { ready: true, reasons: [], workersReady: 1, links: 1 },
    });
    await pool.close();
    expect(await get('/healthz')).toMatchObject({ status: 200 });
    expect(await get('/readyz')).toMatchObject({ status: 503, body: { ready: false, reasons: ['no_worker_ready'] } });
    expect(await get('/elsewhere')).toMatchObject({ status: 404 });
  });

  it('opens links on their path with their subprotocol alone', async () => {
    await open();
    const attempt = (path: string, protocol: string): Promise<string> =>
      new Promise((resolve) => {
        const socket = new WebSocket(`ws://127.0.0.1:${server.port}${path}`, protocol);
        socket.once('open', () => resolve('open'));
        socket.once('error', (error) => resolve(error.message));
      });
    expect(await attempt(LINK_PATH, 'gaze-relay-link.v0')).toContain('400');
    expect(await attempt('/other', LINK_SUBPROTOCOL)).toContain('404');
  });

  const statusOf = (headers: Readonly<Record<string, string>>): Promise<string> =>
    new Promise((resolve) => {
      const socket = new WebSocket(`ws://127.0.0.1:${server.port}${LINK_PATH}`, LINK_SUBPROTOCOL, { headers });
      socket.once('open', () => resolve('open'));
      socket.once('error', (error) => resolve(error.message));
    });

  it('opens no link for a web page, from wherever it comes', async () => {
    await open();
    for (const origin of ['https://elsewhere.example', 'http://127.0.0.1', 'null']) {
      expect(await statusOf({ origin })).toContain('403');
    }
  });

  it('with a secret opens no link for a peer that does not name it', async () => {
    const secret = 'a secret of sixteen or more';
    const link = await open({ secret });
    expect((await link.request(wholeFrame(clipFrame(0)))).status).toBe('ok');
    expect(await statusOf({})).toContain('401');
    for (const authorization of [`Bearer ${secret} `.repeat(2), `Bearer ${secret.slice(1)}`, secret, 'Bearer']) {
      expect(await statusOf({ authorization })).toContain('401');
    }
  });

  it('opens so many links for one address, and another when one of them has ended', async () => {
    const first = await open();
    const others = await Promise.all(Array.from({ length: 15 }, () => openLink(server.port)));
    expect(await statusOf({})).toContain('503');
    first.close();
    await first.closed;
    await expect.poll(() => statusOf({})).toBe('open');
    for (const other of others) other.close();
  });

  it('a peer that floods does not keep another one from being served', async () => {
    const student = await open({ queueLimit: 8 });
    const neighbour = await openLink(server.port);
    const flood = Array.from({ length: 200 }, () => neighbour.request(wholeFrame(clipFrame(0))));
    let answered = 0;
    for (let frame = 0; frame < 5; frame += 1) {
      const { status } = await student.request(wholeFrame(clipFrame(frame)));
      if (status === 'ok') answered += 1;
    }
    expect(answered).toBe(5);
    const statuses = (await Promise.all(flood)).map(({ status }) => status);
    expect(statuses.filter((status) => status === 'busy').length).toBeGreaterThan(180);
    neighbour.close();
  });

  it('outlives a peer that vanishes in the middle of a message', async () => {
    const witness = await open();
    const raw = connect(server.port, '127.0.0.1');
    raw.on('error', () => {});
    raw.write(
      [
        `GET ${LINK_PATH} HTTP/1.1`,
        'Host: localhost',
        'Upgrade: websocket',
        'Connection: Upgrade',
        'Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==',
        'Sec-WebSocket-Version: 13',
        `Sec-WebSocket-Protocol: ${LINK_SUBPROTOCOL}`,
        '\r\n',
      ].join('\r\n'),
    );
    await new Promise((resolve) => raw.once('data', resolve));
    raw.write(Uint8Array.from([0x82, 0xfe, 0x10, 0x00, 1, 2, 3, 4, 5, 6]));
    raw.resetAndDestroy();
    expect((await witness.request(wholeFrame(clipFrame(0)))).status).toBe('ok');
  });

  it('finishes what is under way before it closes', async () => {
    const link = await open();
    const pending = [link.request(wholeFrame(clipFrame(0))), link.request(wholeFrame(clipFrame(1)))];
    // The server has read both once it has answered a third that it refuses.
    await link.raw(encodeInferenceRequest({ ...wholeFrame(clipFrame(0)), requestId: 9 }).subarray(0, 12), 9);
    await server.close();
    expect((await Promise.all(pending)).map((response) => response.status)).toEqual(['ok', 'ok']);
    expect(await link.closed).toBe(1001);
    await expect(openLink(server.port)).rejects.toThrow();
  });
});

describe('connections that ask for something else than the link', () => {
  beforeEach(async () => {
    await (await open()).close();
  });
  describeRefusedUpgrades({ url: () => `http://127.0.0.1:${server.port}`, path: LINK_PATH });
});
