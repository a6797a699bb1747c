import { describe, expect, it } from 'vitest';
import { FrameOutbox, MAX_QUEUED_PICTURES } from '../../../client/connection/frame-outbox.ts';
import { CAPTURE, createHarness, FULL, type PeerSocket, welcome } from '../support/harness.ts';

function picture(captureMs: number) {
  return { kind: 'frame', codec: 'jpeg', crop: FULL, fullFrame: true, image: Uint8Array.of(1), captureMs } as const;
}

/** Captures five times a second, as the loop does, with no connection; the last picture acknowledged was at `fromMs`. */
function outage(fromMs: number, toMs: number, outbox = new FrameOutbox()): FrameOutbox {
  outbox.acknowledged(fromMs, 100);
  for (let atMs = fromMs + 200; atMs <= toMs; atMs += 200) if (outbox.wants(atMs)) outbox.enqueue(picture(atMs));
  return outbox;
}

/** Takes out all, with time enough between them, and acknowledges each. */
function drain(outbox: FrameOutbox, nowMs = 0): number[] {
  const captured: number[] = [];
  for (let atMs = nowMs; outbox.mustSendFirst; atMs += 100) {
    const message = outbox.next(atMs);
    if (message === null) continue;
    captured.push(message.captureMs);
    outbox.acknowledged(message.captureMs, null);
  }
  return captured;
}

describe('pictures of an outage', () => {
  it('are kept once a second, from before a gap of two seconds begins', () => {
    const captured = drain(outage(10_000, 40_000));
    expect(captured[0]).toBe(11_600);
    expect(captured.at(-1)).toBeGreaterThan(39_000);
    for (const [index, atMs] of captured.slice(1).entries()) expect(atMs - (captured[index] ?? 0)).toBe(1000);
  });

  it('are a minute of them at most: what comes after is not kept', () => {
    const outbox = outage(0, 90_000);
    expect(outbox.size).toBe(MAX_QUEUED_PICTURES);
    const captured = drain(outbox);
    expect(captured[0]).toBe(1600);
    expect(captured.at(-1)).toBe(60_600);
  });

  it('L-8 wait for an inference that is still starting, in order, and none is lost', () => {
    const outbox = outage(0, 20_000);
    const captured: number[] = [];
    for (let atMs = 0; outbox.mustSendFirst; atMs += 200) {
      // Two are under way at once.
      for (const message of [outbox.next(atMs), outbox.next(atMs)]) {
        if (message === null) continue;
        if (atMs < 5000 && outbox.unserved(message.captureMs, atMs)) continue;
        captured.push(message.captureMs);
        outbox.acknowledged(message.captureMs, null);
      }
    }
    expect(captured).toEqual(drain(outage(0, 20_000)));
  });

  it('L-8 do not wait for ever for an inference that is away', () => {
    const outbox = outage(0, 90_000);
    let sent = 0;
    for (let atMs = 0; outbox.mustSendFirst; atMs += 100) {
      const message = outbox.next(atMs);
      if (message === null) continue;
      sent++;
      if (!outbox.unserved(message.captureMs, atMs)) outbox.acknowledged(message.captureMs, null);
    }
    expect(sent).toBeLessThanOrEqual(MAX_QUEUED_PICTURES + 20);
    expect(outbox.size).toBe(0);
  });

  it('are not kept while acknowledgements come, however few', () => {
    const outbox = new FrameOutbox();
    for (let atMs = 0; atMs < 20_000; atMs += 200) {
      outbox.acknowledged(atMs - 1200, 600);
      expect(outbox.wants(atMs)).toBe(false);
    }
  });

  it('are not kept on a link that is slow: it takes seconds for each picture, and all arrive', () => {
    const outbox = new FrameOutbox();
    // Two under way, each three seconds long, an answer every one and a half.
    for (let atMs = 0; atMs < 30_000; atMs += 100) {
      if (atMs >= 3000 && atMs % 1500 === 0) outbox.acknowledged(atMs - 3000, 3000);
      if (atMs >= 3000) expect(outbox.wants(atMs)).toBe(false);
    }
  });

  it('are kept on a slow link too once it is interrupted, and in time again after it has become quick', () => {
    const outbox = new FrameOutbox();
    outbox.acknowledged(10_000, 3000);
    expect(outbox.wants(15_900)).toBe(false);
    expect(outbox.wants(16_000)).toBe(true);
    for (let atMs = 16_000; atMs < 20_000; atMs += 200) outbox.acknowledged(atMs, 100);
    expect(outbox.wants(21_300)).toBe(true);
  });

  it('are not kept for want of an answer before the first can have come', () => {
    const outbox = new FrameOutbox();
    expect(outbox.wants(5000)).toBe(false);
    expect(outbox.wants(6400)).toBe(false);
    expect(outbox.wants(6500)).toBe(true);
  });

  it('go before anything newer, in order, and no more than ten a second', () => {
    const outbox = outage(0, 60_000);
    expect(outbox.mustSendFirst).toBe(true);
    const captured: number[] = [];
    for (let nowMs = 0; nowMs < 3000; nowMs += 10) {
      const message = outbox.next(nowMs);
      if (message !== null) captured.push(message.captureMs);
    }
    expect(captured).toEqual(captured.toSorted((a, b) => a - b));
    expect(captured.length).toBeGreaterThanOrEqual(29);
    expect(captured.length).toBeLessThanOrEqual(32);
  });

  it('that were not acknowledged before the connection broke are sent again, first', () => {
    const outbox = outage(0, 10_000);
    const first = outbox.next(0);
    const second = outbox.next(1000);
    outbox.acknowledged(first?.captureMs ?? 0, null);
    outbox.requeueSent();
    expect(drain(outbox, 2000)[0]).toBe(second?.captureMs);
  });

  it('are no "same" messages: what they repeat may never have arrived', () => {
    const outbox = new FrameOutbox();
    outbox.acknowledged(0, 100);
    outbox.enqueue({ kind: 'same', captureMs: 2000 });
    expect(outbox.size).toBe(0);
    expect(outbox.wants(2000)).toBe(true);
  });

  it('of a session that is over have no place in a new one', () => {
    const outbox = outage(0, 10_000);
    outbox.reset();
    expect(outbox.size).toBe(0);
    expect(outbox.next(0)).toBeNull();
  });
});

describe('a connection that keeps pictures', () => {
  /** A student who is tracked for 3 s, and then loses the connection for 10 s. */
  async function outageOnAConnection() {
    const outbox = new FrameOutbox();
    const harness = createHarness({ outbox });
    const { connection, time, frame } = harness;
    const first = await harness.goLive();
    let seq = 0;
    const capture = (socket: PeerSocket | null, forMs: number) => {
      for (let atMs = 0; atMs < forMs; atMs += 200) {
        time.advance(200);
        if (!connection.accepts() || frame(connection.captureClockMs() ?? 0) === null) continue;
        socket?.update({ seq: seq++ });
      }
    };
    const reconnect = async (resumed: boolean) => {
      time.advance(5000);
      const second = await harness.nextSocket();
      second.open();
      second.say(welcome({ resumed, clockMs: 3000, epoch: 1 }));
      return second;
    };
    capture(first, 3000);
    first.drop();
    return { ...harness, outbox, capture, reconnect };
  }

  it('sends what an outage left, late and in order, before it sends anything newer', async () => {
    const { capture, reconnect, connection, outbox, seen, time } = await outageOnAConnection();
    capture(null, 5000);
    connection.setSection(90);
    capture(null, 5000);
    expect(connection.stats().kept).toBe(outbox.size);
    const second = await reconnect(true);
    expect(second.controls.slice(1).map(({ type }) => type)).toEqual(['start', 'section']);
    for (let at = 0; at < second.messages.length && outbox.mustSendFirst; at += 1) {
      const { seq } = second.messages[at] as { seq: number };
      second.update({ seq });
      time.advance(100);
    }
    const captured = second.messages.map(({ captureMs }) => captureMs);
    expect(second.messages.every(({ late }) => late)).toBe(true);
    expect(captured.length).toBeGreaterThanOrEqual(9);
    expect(captured).toEqual(captured.toSorted((a, b) => a - b));
    expect(captured[0]).toBeLessThan(5000);
    for (const { seq } of second.messages) second.update({ seq });
    expect(connection.stats().kept).toBe(0);
    // The time they waited is no latency of the link.
    expect(seen.updates.slice(-5).every(({ latencyMs }) => latencyMs === null)).toBe(true);
    time.advance(200);
    expect(connection.accepts()).toBe(true);
    capture(second, 200);
    expect(second.messages.at(-1)?.late).toBe(false);
  });

  it('owes nothing for them afterwards: a live picture goes as soon as they are through', async () => {
    const { reconnect, connection, outbox, time } = await outageOnAConnection();
    const image = new Uint8Array(8000);
    for (let second = 0; second < 10; second += 1) {
      time.advance(1000);
      const captureMs = connection.captureClockMs() ?? 0;
      connection.sendFrame({ image, codec: 'jpeg', crop: FULL, fullFrame: true, captureMs });
    }
    const second = await reconnect(true);
    for (let at = 0; outbox.size > 0; at += 1) {
      const message = second.messages[at];
      if (message === undefined) time.advance(100);
      else second.update({ seq: message.seq });
      if (message === undefined) at -= 1;
    }
    expect(second.messages.length).toBeGreaterThanOrEqual(9);
    expect(connection.pacer.waitMs({ size: { widthPx: 128, heightPx: 128 }, whole: false })).toBeLessThan(1000);
  });

  it('drops them where the session could not be resumed', async () => {
    const { capture, reconnect, outbox } = await outageOnAConnection();
    capture(null, 10_000);
    expect(outbox.size).toBeGreaterThan(5);
    const second = await reconnect(false);
    expect(second.controls[1]).toMatchObject({ type: 'start', ...CAPTURE, atMs: 0 });
    expect(second.messages).toEqual([]);
    expect(outbox.size).toBe(0);
  });

  it("S-4 continues from the gateway's clock where its own stood still while the computer slept", async () => {
    const { nextSocket, connection, frame, time } = await outageOnAConnection();
    time.advance(5000);
    const second = await nextSocket();
    second.open();
    // Three seconds of tracking and five offline passed in here; an hour did outside.
    second.say(welcome({ resumed: true, clockMs: 3_600_000, epoch: 1 }));
    expect(second.controls[1]).toMatchObject({ type: 'start', atMs: 3_600_000 });
    expect(frame(connection.captureClockMs() ?? 0)).not.toBeNull();
    expect(second.messages.at(-1)?.captureMs).toBe(3_600_000);
  });
});
