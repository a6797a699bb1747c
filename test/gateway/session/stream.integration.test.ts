import { once } from 'node:events';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { ORIGIN, startTestGateway, type TestGateway } from '../../../harness/gateway.ts';
import { frameMessage, Peer } from '../../../harness/peer.ts';
import type { ClientMessage } from '../../../shared/protocol/frames.ts';

const IMAGE = Uint8Array.of(0xff, 0xd8, 0xff, 0xd9);

let gateway: TestGateway;
const peers: Peer[] = [];

async function open(...parameters: Parameters<typeof Peer.open>): Promise<Peer> {
  const peer = await Peer.open(...parameters);
  peers.push(peer);
  return peer;
}

async function tracked(
  userId: number,
  on: TestGateway = gateway,
): Promise<{ peer: Peer; sessionId: string; resume: string }> {
  const peer = await open(on.url);
  const { sessionId, resume } = await peer.hello(await on.ticket(userId));
  await peer.start();
  return { peer, sessionId, resume };
}

beforeAll(async () => {
  gateway = await startTestGateway();
});

afterEach(() => {
  for (const peer of peers.splice(0)) peer.socket.terminate();
});

afterAll(() => gateway.dispose());

describe('opening', () => {
  it('C-1 a page of another origin gets HTTP 403', async () => {
    const peer = new Peer(gateway.url, { origin: 'https://evil.example' });
    const [, response] = await once(peer.socket, 'unexpected-response');
    expect(response.statusCode).toBe(403);
    peer.socket.terminate();
  });

  it('C-1 a page of an allowed origin is welcome', async () => {
    const peer = await open(gateway.url, { origin: ORIGIN });
    expect(await peer.hello(await gateway.ticket(1))).toMatchObject({ resumed: false, epoch: 0 });
  });

  it('C-1, X-1 without the subprotocol the connection is closed, after an error that says so', async () => {
    const peer = new Peer(gateway.url, { subprotocol: null });
    expect(await peer.fault('subprotocol_missing')).toMatchObject({ fatal: true, retry: false });
    expect(await peer.closed).toBe(4400);
  });

  it('a plain GET is answered with upgrade required', async () => {
    const response = await fetch(new URL('/v1/stream', gateway.url));
    expect(response.status).toBe(426);
  });

  it.each([
    ['S-1 an unsigned ticket', () => Promise.resolve('not.a.ticket'), 'ticket_invalid'],
    ['S-1 an expired ticket', () => gateway.ticket(1, { nowMs: Date.now() - 3_600_000 }), 'ticket_expired'],
  ])('%s is refused with its code', async (_name, ticket, code) => {
    const peer = await open(gateway.url);
    peer.sendControl({ type: 'hello', protocol: 'gaze-relay.v1', ticket: await ticket() });
    await peer.fault(code);
    expect(await peer.closed).toBe(4401);
  });

  it('C-2 a text that is no hello ends the connection with its code', async () => {
    const peer = await open(gateway.url);
    peer.socket.send('data:image/jpeg;base64,/9j/4AAQ');
    await peer.fault('hello_expected');
    expect(await peer.closed).toBe(4400);
  });
});

describe('bad messages while tracking', () => {
  it('each is refused with its code, and the service continues', async () => {
    const { peer } = await tracked(2);
    peer.socket.send('a text where a frame is due');
    await peer.fault('control_not_json');
    peer.socket.send(Uint8Array.of(0x11, 0, 0));
    await peer.fault('frame_truncated');
    peer.sendControl({ type: 'section', sectionId: 0, atMs: 1 });
    await peer.fault('control_invalid');
    peer.send({ kind: 'same', seq: 9, captureMs: 10, late: false });
    expect(await peer.update(9)).toMatchObject({ seq: 9, outcome: 'processed' });
  });

  it('F-1 another version ends the connection', async () => {
    const { peer } = await tracked(3);
    peer.socket.send(new Uint8Array(16).fill(0x21));
    await peer.fault('frame_version');
    expect(await peer.closed).toBe(4400);
  });

  it('a message over the size limit ends the connection', async () => {
    const { peer } = await tracked(4);
    peer.socket.send(new Uint8Array(80 * 1024));
    expect(await peer.closed).toBe(1009);
  });

  it('U-4 while inference is away frames are unserved, not refused', async () => {
    const { peer } = await tracked(5);
    peer.send(frameMessage(0, 10, IMAGE));
    expect(await peer.update(0)).toMatchObject({ outcome: 'unserved' });
  });
});

describe('sessions', () => {
  it('S-6 stop answers with the totals once they are saved, and the report has them', async () => {
    const { peer, sessionId } = await tracked(10);
    peer.send({ kind: 'same', seq: 0, captureMs: 1200, late: false });
    await peer.update(0);
    const stopped = await peer.stop(1300);
    expect(stopped.saved).toBe(true);
    const report = await gateway.report(sessionId, 10);
    expect(report).toMatchObject({ userId: 10, moduleId: 22, final: true, unknownMs: stopped.totals.unknownMs });
    expect(stopped.totals.unknownMs).toBeGreaterThanOrEqual(1200);
  });

  it('a report is for its student and for teachers; another student learns nothing of it', async () => {
    const { peer, sessionId } = await tracked(11);
    peer.send({ kind: 'same', seq: 0, captureMs: 500, late: false });
    await peer.update(0);
    await peer.stop(600);
    const get = async (ticket: string | null) => {
      const headers = ticket === null ? {} : { authorization: `Bearer ${ticket}` };
      return (await fetch(new URL(`/api/v1/sessions/${sessionId}`, gateway.url), { headers })).status;
    };
    expect(await get(null)).toBe(401);
    expect(await get(await gateway.ticket(12))).toBe(404);
    expect(await get(await gateway.ticket(11))).toBe(200);
    expect(await get(await gateway.ticket(99, { role: 'teacher' }))).toBe(200);
  });

  it('S-2 a second tab supersedes the first, and a late close of the first does not end the second', async () => {
    const first = await tracked(20);
    first.peer.send({ kind: 'same', seq: 0, captureMs: 700, late: false });
    await first.peer.update(0);
    const second = await tracked(20);
    await first.peer.fault('superseded');
    expect(await first.peer.closed).toBe(4409);
    expect(await gateway.report(first.sessionId, 20)).toMatchObject({ unknownMs: 700 });
    // After what the first was ahead of real time by: no moment counts twice (S-9).
    second.peer.send({ kind: 'same', seq: 1, captureMs: 1500, late: false });
    expect(await second.peer.update(1)).toMatchObject({ outcome: 'processed' });
  });

  it('S-3 a session continues after a lost connection', async () => {
    const first = await tracked(30);
    first.peer.send({ kind: 'same', seq: 0, captureMs: 700, late: false });
    await first.peer.update(0);
    first.peer.socket.terminate();
    await first.peer.closed;
    const second = await open(gateway.url);
    const welcome = await second.hello(await gateway.ticket(30), first.resume);
    expect(welcome).toMatchObject({ sessionId: first.sessionId, resumed: true, totals: { unknownMs: 700 } });
    expect(welcome.epoch).toBeGreaterThan(0);
  });

  it("S-3 another student's resume token starts a session of one's own", async () => {
    const first = await tracked(31);
    const second = await open(gateway.url);
    expect(await second.hello(await gateway.ticket(32), first.resume)).toMatchObject({ resumed: false, epoch: 0 });
  });

  it('S-3 a session continues at a gateway that has never seen it', async () => {
    const dataDir = await mkdtemp(join(tmpdir(), 'gaze-relay-resume-'));
    const before = await startTestGateway({}, { dataDir });
    const { peer, sessionId, resume } = await tracked(40, before);
    peer.send({ kind: 'same', seq: 0, captureMs: 1500, late: false });
    await peer.update(0);
    await before.close();
    expect(await peer.closed).toBe(1001);
    const after = await startTestGateway({}, { dataDir });
    try {
      const again = await open(after.url);
      const welcome = await again.hello(await after.ticket(40), resume);
      expect(welcome).toMatchObject({ sessionId, resumed: true, totals: { unknownMs: 1500 } });
      await again.start(welcome.clockMs);
      again.send({ kind: 'same', seq: 0, captureMs: welcome.clockMs + 10, late: false });
      await again.update(0);
      const { totals } = await again.stop(welcome.clockMs + 20);
      const stored = await after.report(sessionId, 40);
      expect(stored).toMatchObject({ unknownMs: totals.unknownMs, untrackedMs: totals.untrackedMs });
    } finally {
      await after.close();
      await rm(dataDir, { recursive: true, force: true });
    }
  });
});

describe('late observations', () => {
  const observation = (seq: number, captureMs: number, late: boolean): ClientMessage => ({
    kind: 'observation',
    seq,
    captureMs,
    late,
    observation: { face: null, faceCount: 0, detectorRan: true, brightness: 0.4, sharpness: 0.5 },
  });

  it('L-1, L-2 reach a session that was ended meanwhile: once, and at their capture time', async () => {
    const dataDir = await mkdtemp(join(tmpdir(), 'gaze-relay-late-'));
    const brief = await startTestGateway({ RESUME_GRACE_MS: '1' }, { dataDir });
    try {
      const peer = await open(brief.url);
      const { sessionId, resume } = await peer.hello(await brief.ticket(50));
      await peer.start(0, undefined, 'device');
      for (let seq = 0; seq <= 4; seq++) peer.send(observation(seq, seq * 300, false));
      await peer.update(4);
      peer.socket.terminate();
      await expect.poll(async () => (await brief.report(sessionId, 50))?.final).toBe(true);
      const given = await brief.report(sessionId, 50);
      expect(given).toMatchObject({ unfocusedMs: 1200, untrackedMs: 0 });

      for (const round of [1, 2]) {
        const again = await open(brief.url);
        const welcome = await again.hello(await brief.ticket(50), resume);
        expect(welcome).toMatchObject({ sessionId, resumed: true });
        await again.start(welcome.clockMs, undefined, 'device');
        // The capture clock of a test moves as fast as it sends: no later than the gateway's own.
        for (let seq = 0; seq <= 5; seq++) again.send(observation(seq, 1400 + seq * 100, true));
        await again.update(5);
        const outcome = round === 1 ? 'processed' : 'out_of_order';
        expect(again.updates.slice(0, 5).map((update) => update.outcome)).toEqual(Array(5).fill(outcome));
        again.socket.terminate();
        await expect
          .poll(async () => {
            const report = await brief.report(sessionId, 50);
            return report?.final === true ? report.unfocusedMs + report.unknownMs + report.untrackedMs : null;
          })
          .toBe(1900);
      }
      expect(await brief.report(sessionId, 50)).toMatchObject({ unfocusedMs: 1900, untrackedMs: 0 });
    } finally {
      await brief.close();
      await rm(dataDir, { recursive: true, force: true });
    }
  });
});

describe('around the stream', () => {
  it.each(['/healthz', '/api/health', '/readyz'])('%s answers 200', async (path) => {
    expect((await fetch(new URL(path, gateway.url))).status).toBe(200);
  });

  it('with a secret there are no development tickets', async () => {
    expect((await fetch(new URL('/dev/ticket', gateway.url))).status).toBe(404);
  });

  it('serves the page and the client script, the script to other origins too', async () => {
    const page = await fetch(gateway.url);
    expect(page.headers.get('content-security-policy')).toContain("default-src 'self'");
    const script = await fetch(new URL('/js/webcam-websocket.js', gateway.url));
    expect(script.headers.get('cross-origin-resource-policy')).toBe('cross-origin');
    expect(await script.text()).toContain('WebcamWebSocket');
  });

  it('scripts travel compressed, and are not sent again while they are the same', async () => {
    const url = new URL('/js/webcam-websocket.js', gateway.url);
    const first = await fetch(url, { headers: { 'accept-encoding': 'br' } });
    expect(first.headers.get('content-encoding')).toBe('br');
    const etag = first.headers.get('etag');
    if (etag === null) throw new Error('no etag');
    expect((await fetch(url, { headers: { 'accept-encoding': 'br', 'if-none-match': etag } })).status).toBe(304);
  });

  it('what device mode loads is for every origin, compressed, and asked for once', async () => {
    const names = await readdir(fileURLToPath(new URL('../../../dist/client/device', import.meta.url)));
    for (const [pattern, limitBytes] of [
      [/^worker-[0-9a-f]{8}\.js$/, 30_000],
      [/^models-[0-9a-f]{8}\.bin$/, 2_400_000],
    ] as const) {
      const name = names.find((each) => pattern.test(each));
      const response = await fetch(new URL(`/device/${name}`, gateway.url), { headers: { 'accept-encoding': 'br' } });
      expect(response.status).toBe(200);
      expect(response.headers.get('content-encoding')).toBe('br');
      expect(Number(response.headers.get('content-length'))).toBeLessThan(limitBytes);
      expect(response.headers.get('cache-control')).toBe('public, max-age=31536000, immutable');
      expect(response.headers.get('access-control-allow-origin')).toBe('*');
      expect(response.headers.get('cross-origin-resource-policy')).toBe('cross-origin');
      await response.arrayBuffer();
    }
    expect((await fetch(new URL('/device/models-000000000000.bin', gateway.url))).status).toBe(404);
  });

  it('an unknown path is a 404 with a code', async () => {
    const response = await fetch(new URL('/nothing', gateway.url));
    expect(response.status).toBe(404);
    expect(await response.json()).toMatchObject({ error: { code: 'not_found' } });
  });
});
