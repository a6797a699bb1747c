import { once } from 'node:events';
import { connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { MAX_PENDING_PER_ADDRESS } from '../../../gateway/http/pending-connections.ts';
import { ORIGIN, startTestGateway, type TestGateway } from '../../../harness/gateway.ts';
import { faceAtScreen } from '../../../harness/observations.ts';
import { Peer } from '../../../harness/peer.ts';
import { binaryPart, PostPeer, postBody, readAnswer, refusalOf, textPart } from '../../../harness/post-peer.ts';
import { waitFor } from '../../../harness/wait-for.ts';
import type { ClientMessage } from '../../../shared/protocol/frames.ts';
import { closePart, decodePost, encodePost, NO_TOKEN, POST_EXTRA_BYTES } from '../../../shared/protocol/post.ts';
import { STREAM_PATH } from '../../../shared/protocol/version.ts';

const MAX_FRAME_KB = 16;
const START = textPart({
  type: 'start',
  camera: { widthPx: 640, heightPx: 480 },
  sectionId: null,
  mode: 'device',
  atMs: 0,
});

let gateway: TestGateway;
let nextUser = 1;

beforeAll(async () => {
  gateway = await startTestGateway({ MAX_FRAME_KB: String(MAX_FRAME_KB) });
});

afterAll(() => gateway.dispose());

function observation(seq: number, captureMs: number): ClientMessage {
  const headYawDeg = (seq % 10) / 10;
  return { kind: 'observation', seq, captureMs, late: false, observation: faceAtScreen({ headYawDeg }) };
}

async function tracked() {
  const userId = nextUser++;
  const peer = new PostPeer(gateway.url);
  const { sessionId, resume } = await peer.hello(await gateway.ticket(userId));
  const { controls } = await peer.post(START);
  expect(controls).toMatchObject([{ type: 'started' }]);
  return { peer, userId, sessionId, resume };
}

describe('H-1 the stream over POSTs', () => {
  it('has the same messages, several in one POST, each answered by its update', async () => {
    const { peer, userId, sessionId } = await tracked();
    const startedMs = performance.now();
    await waitFor('a second of capture', () => performance.now() - startedMs > 1000);
    const { updates } = await peer.post(
      ...[0, 250, 500, 750].map((captureMs, seq) => binaryPart(observation(seq, captureMs))),
    );
    expect(updates.map(({ seq, outcome }) => [seq, outcome])).toEqual([
      [0, 'processed'],
      [1, 'processed'],
      [2, 'processed'],
      [3, 'processed'],
    ]);
    const { controls } = await peer.post(textPart({ type: 'stop', atMs: 1000 }));
    expect(controls).toMatchObject([{ type: 'stopped', sessionId, saved: true }]);
    const report = await waitFor('the stored session', () => gateway.report(sessionId, userId));
    expect((report?.focusedMs ?? 0) + (report?.unknownMs ?? 0)).toBeGreaterThan(500);
  });

  it('a picture’s answer waits for inference, and comes when that is not there', async () => {
    const userId = nextUser++;
    const peer = new PostPeer(gateway.url);
    await peer.hello(await gateway.ticket(userId));
    const image = Uint8Array.of(0xff, 0xd8, 0xff, 0xd9);
    const start = { type: 'start', camera: { widthPx: 400, heightPx: 300 }, sectionId: null, mode: 'server', atMs: 0 };
    const { controls, updates } = await peer.post(
      textPart(start),
      binaryPart({
        kind: 'frame',
        seq: 5,
        captureMs: 1,
        late: false,
        codec: 'jpeg',
        crop: { xPx: 0, yPx: 0, widthPx: 400, heightPx: 300 },
        fullFrame: true,
        image,
      }),
    );
    expect([controls[0]?.type, updates[0]?.seq, updates[0]?.outcome]).toEqual(['started', 5, 'unserved']);
  });

  it('C-1 the page’s origin decides, and may read the answer', async () => {
    const refused = await postBody(gateway.url, new Uint8Array(4), { origin: 'https://evil.example' });
    expect(await refusalOf(refused)).toEqual({ status: 403, code: 'origin_not_allowed' });
    const body = encodePost({ token: Uint8Array.of(1), number: 0, parts: [] });
    const allowed = await postBody(gateway.url, body, { origin: ORIGIN });
    expect(allowed.headers.get('access-control-allow-origin')).toBe(ORIGIN);
    expect(allowed.headers.get('vary')).toContain('origin');
  });

  it('C-2 something else than hello ends it with the answer, and the token with it', async () => {
    const peer = new PostPeer(gateway.url);
    const answer = await peer.post(START);
    expect(answer).toMatchObject({ controls: [{ type: 'error', code: 'hello_expected' }], closed: 4400 });
  });

  it('S-1 a ticket that was used before opens nothing', async () => {
    const ticket = await gateway.ticket(nextUser++);
    await new PostPeer(gateway.url).hello(ticket);
    await expect(new PostPeer(gateway.url).hello(ticket)).rejects.toThrow('4401');
  });
});

describe('H-2 bodies', () => {
  it.each([
    ['nothing', new Uint8Array(0)],
    ['a single byte', Uint8Array.of(0x10)],
    ['JSON', new TextEncoder().encode('{"type":"hello"}')],
    ['a part that ends too early', Uint8Array.of(0x10, 0, 0, 0, 0, 0, 0, 9, 1)],
  ])('%s: refused', async (_what, body) => {
    expect(await refusalOf(await postBody(gateway.url, body))).toEqual({ status: 400, code: 'post_invalid' });
  });

  it('another content type, which would need a preflight: refused', async () => {
    const response = await postBody(gateway.url, new Uint8Array(4), { 'content-type': 'application/octet-stream' });
    expect(await refusalOf(response)).toEqual({ status: 415, code: 'content_type' });
  });

  it('more than a picture and what goes with it: refused', async () => {
    const body = new Uint8Array(MAX_FRAME_KB * 1024 + POST_EXTRA_BYTES + 1);
    const response = await postBody(gateway.url, body);
    // What would be sent on it next is not read.
    expect(response.headers.get('connection')).toBe('close');
    expect(await refusalOf(response)).toEqual({ status: 413, code: 'body_too_large' });
  });

  it('a body that ends too early harms nobody', async () => {
    const { hostname, port } = new URL(gateway.url);
    const socket = connect({ host: hostname, port: Number(port) });
    await once(socket, 'connect');
    socket.write(
      `POST ${STREAM_PATH} HTTP/1.1\r\nHost: x\r\nContent-Type: text/plain\r\nContent-Length: 100\r\n\r\nabc`,
    );
    socket.destroy();
    await once(socket, 'close');
    await tracked();
  });
});

describe('H-4 numbers', () => {
  it('a POST that comes again gets its answer again, and counts once', async () => {
    const { peer } = await tracked();
    const startedMs = performance.now();
    await waitFor('time for three observations', () => performance.now() - startedMs > 400);
    const body = peer.body([binaryPart(observation(0, 0)), binaryPart(observation(1, 400))]);
    const bodies = await Promise.all(
      [1, 2, 3].map(async () => new Uint8Array(await (await postBody(gateway.url, body)).arrayBuffer())),
    );
    const answers = bodies.map((bytes) => readAnswer(decodePost(bytes).parts).updates.map(({ outcome }) => outcome));
    expect(answers).toEqual([
      ['processed', 'processed'],
      ['processed', 'processed'],
      ['processed', 'processed'],
    ]);
    peer.number += 1;
    const { updates } = await peer.post(binaryPart(observation(2, 401)));
    expect(updates).toMatchObject([{ outcome: 'processed' }]);
  });

  it.each([
    ['an earlier one', -2],
    ['one that is left out', 1],
  ])('%s is refused, and the connection goes on', async (_what, off) => {
    const { peer } = await tracked();
    const response = await postBody(gateway.url, peer.body([], (peer.number + off) & 0xffff));
    expect(await refusalOf(response)).toEqual({ status: 409, code: 'post_out_of_order' });
    expect((await peer.post()).closed).toBeNull();
  });

  it('a newer POST releases the answer to the one before', async () => {
    const { peer } = await tracked();
    // Nothing answers a section: its POST is held for a moment.
    const held = postBody(gateway.url, peer.body([textPart({ type: 'section', sectionId: 3, atMs: 0 })]));
    peer.number += 1;
    const newer = waitFor('the newer one', async () => {
      const response = await postBody(gateway.url, peer.body([]));
      return response.status === 200;
    });
    await Promise.all([held, newer]);
    expect((await held).status).toBe(200);
  });
});

describe('H-3 tokens and the end', () => {
  it('a token that names no connection: refused', async () => {
    const body = encodePost({ token: new Uint8Array(16), number: 1, parts: [] });
    expect(await refusalOf(await postBody(gateway.url, body))).toEqual({ status: 404, code: 'connection_unknown' });
  });

  it('a client that closes may resume elsewhere: a WebSocket goes on with the session', async () => {
    const { peer, userId, sessionId, resume } = await tracked();
    await peer.post(binaryPart(observation(0, 0)));
    await peer.post(closePart(1000));
    const socket = await Peer.open(gateway.url);
    expect(await socket.hello(await gateway.ticket(userId), resume)).toMatchObject({
      sessionId,
      resumed: true,
      epoch: 1,
    });
    await socket.close();
    expect(await refusalOf(await postBody(gateway.url, peer.body([])))).toMatchObject({ code: 'connection_unknown' });
  });

  it('S-2 a WebSocket of the same student supersedes it: the next POST is told', async () => {
    const { peer, userId, resume } = await tracked();
    const socket = await Peer.open(gateway.url);
    await socket.hello(await gateway.ticket(userId), resume);
    expect(await peer.post()).toMatchObject({ controls: [{ type: 'error', code: 'superseded' }], closed: 4409 });
    await socket.close();
  });
});

describe('what a stranger can make of it', () => {
  it('C-6 more POSTs than a client needs end the connection', async () => {
    const { peer } = await tracked();
    let closed: number | null = null;
    for (let post = 0; post < 300 && closed === null; post++) ({ closed } = await peer.post());
    expect(closed).toBe(4429);
  });

  it('C-1 of one address so many may be open without a ticket: the oldest give way, students stay', async () => {
    const { peer } = await tracked();
    const openOne = async (): Promise<PostPeer> => {
      const silent = new PostPeer(gateway.url);
      await silent.post();
      return silent;
    };
    const first = await openOne();
    for (let index = 0; index < MAX_PENDING_PER_ADDRESS; index++) await openOne();
    expect(await refusalOf(await postBody(gateway.url, first.body([])))).toMatchObject({ code: 'connection_unknown' });
    expect((await peer.post()).closed).toBeNull();
  });

  it('C-2 one without a hello ends in time', async () => {
    const silent = new PostPeer(gateway.url);
    const opened = await silent.post();
    expect(opened.closed).toBeNull();
    const answer = await waitFor(
      'its end',
      async () => {
        const next = await silent.post();
        return next.closed === null ? null : next;
      },
      { everyMs: 500 },
    );
    expect(answer).toMatchObject({ controls: [{ code: 'hello_timeout' }], closed: 4408 });
  });

  it('hello and start in the same POST are one message too many before welcome', async () => {
    const ticket = await gateway.ticket(nextUser++);
    const hello = { type: 'hello', protocol: 'gaze-relay.v1', ticket, resume: null, client: 'test', device: null };
    const body = encodePost({ token: NO_TOKEN, number: 0, parts: [textPart(hello), START] });
    const answer = readAnswer(
      decodePost(new Uint8Array(await (await postBody(gateway.url, body)).arrayBuffer())).parts,
    );
    expect(answer).toMatchObject({ controls: [{ code: 'hello_expected' }], closed: 4400 });
  });
});
