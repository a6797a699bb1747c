import { describe, expect, it } from 'vitest';
import { type PostReceiver, PostTransport } from '../../../gateway/http/post-transport.ts';
import { closeCodeOf, decodePost, type PostPart } from '../../../shared/protocol/post.ts';

/** A transport before a receiver that a test looks into. */
function opened() {
  const seen = { texts: [] as string[], binaries: 0, faults: [] as string[], closed: 0, forgotten: 0 };
  const clock = { nowMs: 0 };
  const transport = new PostTransport({
    token: Uint8Array.of(1, 2, 3),
    now: () => clock.nowMs,
    onClosed: () => seen.closed++,
    onForgotten: () => seen.forgotten++,
  });
  const receiver: PostReceiver = {
    receiveText: (text) => seen.texts.push(text),
    receiveBinary: () => seen.binaries++,
    dispatch: ({ error }) => seen.faults.push(error.fault),
  };
  transport.attach(receiver);
  const receive = async (number: number, ...parts: readonly PostPart[]) =>
    decodePost(await transport.receive({ token: new Uint8Array(0), number, parts }));
  return { transport, seen, clock, receive };
}

const binary: PostPart = { kind: 'binary', bytes: Uint8Array.of(1) };

describe('H-1 answers', () => {
  it('wait until each binary message has its update', async () => {
    const { transport, seen, receive } = opened();
    const answer = receive(0, binary, binary);
    transport.send('in between');
    transport.send(Uint8Array.of(8));
    transport.send(Uint8Array.of(9));
    expect(seen.binaries).toBe(2);
    expect((await answer).parts.map(({ kind }) => kind)).toEqual(['text', 'binary', 'binary']);
  });

  it('H-3 the first names the token, the others do not', async () => {
    const { receive } = opened();
    expect((await receive(0)).token).toEqual(Uint8Array.of(1, 2, 3));
    expect((await receive(1)).token).toEqual(new Uint8Array(0));
  });

  it('what waits for an answer is counted, and no longer once it was fetched', async () => {
    const { transport, receive } = opened();
    transport.send('12345');
    transport.send(new Uint8Array(44));
    expect(transport.bufferedAmount).toBe(49);
    await receive(0);
    expect(transport.bufferedAmount).toBe(0);
  });
});

describe('H-3, H-6 the end', () => {
  it('one check without a POST is nothing, two end it, in silence', async () => {
    const { transport, seen, receive } = opened();
    transport.checkAlive();
    transport.checkAlive();
    await receive(0);
    transport.checkAlive();
    transport.checkAlive();
    expect([transport.isOpen, seen.forgotten]).toEqual([true, 0]);
    transport.checkAlive();
    await Promise.resolve();
    expect([transport.isOpen, seen.closed, seen.forgotten]).toEqual([false, 1, 1]);
  });

  it('a close reaches the POST that is held, after what was to be said before', async () => {
    const { transport, seen, receive } = opened();
    const answer = receive(0, binary);
    transport.send('error');
    transport.close(4409);
    const { parts } = await answer;
    expect(parts.map((part) => (part.kind === 'close' ? closeCodeOf(part) : part.kind))).toEqual(['text', 4409]);
    expect([transport.isOpen, seen.closed]).toEqual([false, 1]);
  });

  it('what comes with the close, after it, is not read', async () => {
    const { seen, receive } = opened();
    const close: PostPart = { kind: 'close', bytes: Uint8Array.of(3, 232) };
    await receive(0, { kind: 'text', bytes: Buffer.from('stop') }, close, binary);
    expect([seen.texts, seen.binaries, seen.closed]).toEqual([['stop'], 0, 1]);
  });
});

describe('H-6 too many POSTs', () => {
  it('are a fault of the client, counted in time', async () => {
    const { seen, clock, receive } = opened();
    for (let number = 0; number < 80; number++) await receive(number);
    clock.nowMs += 25;
    await receive(80);
    expect(seen.faults).toEqual([]);
    await receive(81);
    expect(seen.faults).toEqual(['rate_exceeded']);
  });
});
