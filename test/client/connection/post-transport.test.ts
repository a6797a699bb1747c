import { describe, expect, it } from 'vitest';
import { PostTransport } from '../../../client/connection/post-transport.ts';
import { ManualTime } from '../../../harness/manual-time.ts';
import type { Mode } from '../../../shared/direction.ts';
import {
  closeCodeOf,
  closePart,
  decodePost,
  encodePost,
  NO_TOKEN,
  type Post,
  type PostPart,
} from '../../../shared/protocol/post.ts';

const URL = 'https://gateway.test/v1/stream';
const TOKEN = Uint8Array.of(7, 7, 7);
const text = (value: string): PostPart => ({ kind: 'text', bytes: new TextEncoder().encode(value) });
const binary = (...bytes: number[]): PostPart => ({ kind: 'binary', bytes: Uint8Array.from(bytes) });

interface Sent {
  readonly url: string;
  readonly init: RequestInit;
  readonly post: Post;
  answer(parts?: readonly PostPart[], change?: Partial<Post>): Promise<void>;
  status(status: number): Promise<void>;
  fail(): Promise<void>;
}

/** Lets what waits for a promise go on. */
async function settle(): Promise<void> {
  for (let turn = 0; turn < 20; turn++) await Promise.resolve();
}

/** A transport whose gateway answers when a test says so. */
function createTransport(mode: Mode = 'server') {
  const time = new ManualTime();
  const sent: Sent[] = [];
  const received: (string | readonly number[])[] = [];
  const closes: (number | undefined)[] = [];
  const world = { mode, opened: 0 };
  const transport = new PostTransport({
    url: URL,
    now: time.now,
    setTimer: time.setTimer,
    clearTimer: time.clearTimer,
    mode: () => world.mode,
    fetch: (url, init) =>
      new Promise((resolve, reject) => {
        const post = decodePost(init.body as Uint8Array);
        const answered = async (status: number, body: Uint8Array<ArrayBuffer>) => {
          resolve(new Response(body, { status }));
          await new Promise((done) => setImmediate(done));
        };
        init.signal?.addEventListener('abort', () => reject(new Error('aborted')));
        sent.push({
          url,
          init,
          post,
          answer: (parts = [], change = {}) =>
            answered(
              200,
              encodePost({ token: post.number === 0 ? TOKEN : NO_TOKEN, number: post.number, parts, ...change }),
            ),
          status: (status) => answered(status, Uint8Array.of()),
          fail: async () => {
            reject(new Error('the network'));
            await settle();
          },
        });
      }),
  });
  transport.addEventListener('open', () => world.opened++);
  transport.addEventListener('message', ({ data }) =>
    received.push(typeof data === 'string' ? data : [...new Uint8Array(data as ArrayBuffer)]),
  );
  transport.addEventListener('close', ({ code }) => closes.push(code));
  const last = (): Sent => {
    const newest = sent.at(-1);
    if (newest === undefined) throw new Error('nothing was sent');
    return newest;
  };
  /** Opens the connection: hello and its answer. */
  const greet = async (): Promise<void> => {
    time.advance(0);
    transport.send('hello');
    time.advance(0);
    await last().answer([text('welcome')]);
  };
  return { transport, time, sent, received, closes, world, last, greet };
}

describe('H-1 POSTs with what a WebSocket would carry', () => {
  it('open without asking the network, and name the connection as the first answer did', async () => {
    const { transport, time, sent, received, world, last, greet } = createTransport();
    time.advance(0);
    expect([world.opened, sent.length]).toEqual([1, 0]);
    await greet();
    expect(last().post).toMatchObject({ token: NO_TOKEN, number: 0, parts: [text('hello')] });
    expect(received).toEqual(['welcome']);

    transport.send(Uint8Array.of(1, 2));
    time.advance(0);
    expect(last().post).toEqual({ token: TOKEN, number: 1, parts: [binary(1, 2)] });
    await last().answer([binary(9), text('limits')]);
    expect(received).toEqual(['welcome', [9], 'limits']);
  });

  it('H-2 are what a page may send to another origin without asking first', async () => {
    const { last, greet } = createTransport();
    await greet();
    expect(last().url).toBe(URL);
    expect(last().init).toMatchObject({
      method: 'POST',
      headers: { 'content-type': 'text/plain' },
      credentials: 'omit',
    });
  });

  it('one is under way at a time; what is sent meanwhile goes with the next', async () => {
    const { transport, time, sent, last, greet } = createTransport();
    await greet();
    transport.send('start');
    time.advance(0);
    transport.send(Uint8Array.of(1));
    transport.send('section');
    time.advance(5000);
    expect(sent).toHaveLength(2);
    await last().answer([text('started')]);
    time.advance(0);
    expect(last().post).toMatchObject({ number: 2, parts: [binary(1), text('section')] });
  });

  it('take no more than the gateway does: pictures go one by one', async () => {
    const { transport, time, last, greet } = createTransport();
    await greet();
    transport.send('start');
    transport.send(new Uint8Array(20_000));
    transport.send(new Uint8Array(20_000));
    const kinds: string[] = [];
    for (let post = 0; post < 3; post++) {
      time.advance(0);
      kinds.push(
        last()
          .post.parts.map(({ bytes }) => bytes.byteLength)
          .join(),
      );
      await last().answer();
    }
    expect(kinds).toEqual(['5', '20000', '20000']);
  });
});

describe('when POSTs leave', () => {
  it('pictures at once, observations every four seconds, with the control messages that come first', async () => {
    const { transport, time, sent, world, last, greet } = createTransport('device');
    await greet();
    expect(transport.window).toBe(32);
    for (let index = 0; index < 5; index++) {
      transport.send(Uint8Array.of(index));
      time.advance(500);
    }
    expect(sent).toHaveLength(1);
    time.advance(1500);
    expect(last().post.parts).toHaveLength(5);
    await last().answer(Array.from({ length: 5 }, (_, index) => binary(index)));

    transport.send(Uint8Array.of(6));
    transport.send('section');
    time.advance(0);
    expect(last().post.parts.map(({ kind }) => kind)).toEqual(['binary', 'text']);
    await last().answer([binary(6)]);

    world.mode = 'server';
    expect(transport.window).toBe(1);
    transport.send(Uint8Array.of(7));
    time.advance(0);
    expect(last().post.parts).toEqual([binary(7)]);
  });

  it('the gateway is asked for what it has to say: each second while pictures flow, every ten while none do', async () => {
    const { transport, time, sent, last, greet } = createTransport();
    await greet();
    transport.send(Uint8Array.of(1));
    time.advance(0);
    await last().answer([binary(1)]);
    const askedAfter = async (ms: number) => {
      const before = sent.length;
      time.advance(ms - 1);
      expect(sent).toHaveLength(before);
      time.advance(1);
      expect(last().post.parts).toEqual([]);
      await last().answer();
    };
    for (let second = 0; second < 5; second++) await askedAfter(1000);
    await askedAfter(10_000);
  });

  it('an answer that is missing is asked for soon, then less and less often', async () => {
    const { transport, time, sent, last, greet } = createTransport();
    await greet();
    transport.send('stop');
    time.advance(0);
    await last().answer();
    for (const pauseMs of [600, 1200, 2400]) {
      const before = sent.length;
      time.advance(pauseMs - 1);
      expect([pauseMs, sent.length]).toEqual([pauseMs, before]);
      time.advance(1);
      expect([pauseMs, sent.length]).toEqual([pauseMs, before + 1]);
      await last().answer();
    }
    time.advance(4800);
    await last().answer([text('stopped')]);
    const before = sent.length;
    time.advance(9999);
    expect(sent).toHaveLength(before);
  });
});

describe('H-4 POSTs that get lost', () => {
  it('are sent again with the same number and body', async () => {
    const { transport, time, sent, received, last, greet } = createTransport();
    await greet();
    transport.send(Uint8Array.of(1));
    time.advance(0);
    const { post } = last();
    await last().fail();
    time.advance(400);
    await settle();
    expect(sent).toHaveLength(3);
    expect(last().post).toEqual(post);
    await last().status(502);
    time.advance(800);
    await settle();
    expect(last().post).toEqual(post);
    await last().answer([binary(1)]);
    expect(received).toEqual(['welcome', [1]]);
  });

  it('three times, then the connection ends as one does whose network is gone', async () => {
    const { transport, time, sent, closes, last, greet } = createTransport();
    await greet();
    transport.send(Uint8Array.of(1));
    time.advance(0);
    for (const waitMs of [400, 800, 0]) {
      await last().fail();
      time.advance(waitMs);
      await settle();
    }
    expect(closes).toEqual([1006]);
    // And the last word to the gateway.
    expect(sent).toHaveLength(5);
    expect(last().post.parts.map(({ kind }) => kind)).toEqual(['close']);
  });

  it('one without an answer is given up after ten seconds', async () => {
    const { transport, time, sent, last, greet } = createTransport();
    await greet();
    transport.send(Uint8Array.of(1));
    time.advance(0);
    time.advance(10_000);
    await settle();
    time.advance(400);
    await settle();
    expect(sent).toHaveLength(3);
    expect(last().post.number).toBe(1);
  });

  it('the first is not sent again: its ticket is good for one', async () => {
    const { transport, time, sent, closes, last } = createTransport();
    time.advance(0);
    transport.send('hello');
    time.advance(0);
    await last().fail();
    time.advance(60_000);
    expect([sent.length, closes]).toEqual([1, [1006]]);
  });

  it.each([
    ['a connection that the gateway does not know', 404],
    ['a number out of order', 409],
    ['a refusal', 403],
  ])('%s ends it at once', async (_what, status) => {
    const { transport, time, closes, last, greet } = createTransport();
    await greet();
    transport.send(Uint8Array.of(1));
    time.advance(0);
    await last().status(status);
    expect(closes).toEqual([1006]);
  });

  it('a page of a proxy instead of an answer ends it, too', async () => {
    const { transport, time, closes, last, greet } = createTransport();
    await greet();
    transport.send(Uint8Array.of(1));
    time.advance(0);
    await last().answer([binary(1)], { number: 77 });
    expect(closes).toEqual([1006]);
  });
});

describe('H-3 the end', () => {
  it('of the gateway comes with its code, after what precedes it', async () => {
    const { transport, time, received, closes, sent, last, greet } = createTransport();
    await greet();
    transport.send(Uint8Array.of(1));
    time.advance(0);
    await last().answer([text('superseded'), closePart(4409), text('never')]);
    expect([received.at(-1), closes]).toEqual(['superseded', [4409]]);
    transport.send(Uint8Array.of(2));
    time.advance(60_000);
    expect(sent).toHaveLength(2);
  });

  it('of the page goes with what is queued, in a POST that outlives the page', async () => {
    const { transport, time, sent, last, greet } = createTransport();
    await greet();
    transport.send(Uint8Array.of(1));
    time.advance(0);
    transport.send('stop');
    transport.close(1000);
    expect(sent).toHaveLength(3);
    const { post, init } = last();
    expect(init.keepalive).toBe(true);
    expect(post).toMatchObject({ token: TOKEN, number: 2 });
    expect(post.parts.map((part) => (part.kind === 'close' ? closeCodeOf(part) : part.kind))).toEqual(['text', 1000]);
  });

  it('before the gateway has answered needs no word', () => {
    const { transport, time, sent } = createTransport();
    time.advance(0);
    transport.close(1000);
    time.advance(60_000);
    expect([sent.length, time.pending]).toEqual([0, 0]);
  });
});
