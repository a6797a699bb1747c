import { describe, expect, it } from 'vitest';
import type { WebSocket as NodeWebSocket } from 'ws';
import type { Outbox, OutgoingMessage } from '../../../client/connection/outbox.ts';
import type { WebSocketLike } from '../../../client/connection/socket.ts';
import { RelayError } from '../../../shared/errors.ts';
import { CAPTURE, createHarness, FULL, SESSION, welcome } from '../support/harness.ts';

describe('connecting', () => {
  it('asks for a ticket, names the subprotocol and says hello with the ticket', async () => {
    const { connection, nextSocket } = createHarness({ client: 'test/1' });
    connection.connect();
    const socket = await nextSocket();
    expect(socket.url).toBe('ws://gateway.test/v1/stream');
    expect(socket.subprotocol).toBe('gaze-relay.v1');
    expect(socket.binaryType).toBe('arraybuffer');
    expect(socket.controls).toEqual([]);
    socket.open();
    expect(socket.controls).toEqual([
      { type: 'hello', protocol: 'gaze-relay.v1', ticket: 'ticket-1', resume: null, client: 'test/1', device: null },
    ]);
  });

  it('begins capture at 0 of the capture clock, which then runs with the monotonic clock', async () => {
    const { connection, goLive, time } = createHarness();
    const socket = await goLive();
    expect(socket.controls.at(-1)).toEqual({ type: 'start', ...CAPTURE, atMs: 0 });
    time.advance(1234.7);
    expect(connection.captureClockMs()).toBe(1234);
    expect(connection.sessionId).toBe(SESSION);
  });

  it('sends a start that was asked for before the welcome as soon as it comes', async () => {
    const { connection, nextSocket } = createHarness();
    connection.connect();
    connection.start(CAPTURE);
    const socket = await nextSocket();
    socket.open();
    expect(connection.canSend()).toBe(false);
    socket.say(welcome());
    expect(socket.controls.map(({ type }) => type)).toEqual(['hello', 'start']);
    expect(connection.canSend()).toBe(true);
  });

  it('goes on from the clock of the gateway when the page was loaded again', async () => {
    const { connection, nextSocket, time } = createHarness({ resumeToken: 'kept' });
    connection.connect();
    connection.start(CAPTURE);
    const socket = await nextSocket();
    socket.open();
    expect(socket.controls[0]).toMatchObject({ resume: 'kept' });
    socket.say(welcome({ resumed: true, clockMs: 90_000, epoch: 1 }));
    expect(socket.controls[1]).toMatchObject({ type: 'start', atMs: 90_000 });
    time.advance(500);
    expect(connection.captureClockMs()).toBe(90_500);
  });

  it('tells of a dead attempt when no welcome comes, and tries again', async () => {
    const { connection, nextSocket, time, seen } = createHarness();
    connection.connect();
    const socket = await nextSocket();
    socket.open();
    time.advance(10_000);
    expect(socket.closedWith).toBeNull();
    time.advance(250);
    const second = await nextSocket();
    second.open();
    second.say(welcome());
    expect(seen.phases).toEqual(['connecting', 'connected']);
    expect(seen.tickets).toBe(2);
  });
});

describe('flow', () => {
  it('keeps at most the credit of messages unacknowledged', async () => {
    const { connection, goLive, frame } = createHarness();
    const socket = await goLive();
    expect(frame(10)).toBe(0);
    expect(frame(20)).toBe(1);
    expect(connection.canSend()).toBe(false);
    expect(frame(30)).toBeNull();
    socket.update({ seq: 0 });
    expect(frame(40)).toBe(2);
    expect(socket.messages.map(({ seq, captureMs }) => [seq, captureMs])).toEqual([
      [0, 10],
      [1, 20],
      [2, 40],
    ]);
  });

  it('sends nothing while the socket still holds bytes', async () => {
    const { connection, goLive, frame } = createHarness();
    const socket = await goLive();
    socket.bufferedAmount = 1;
    expect(frame(10)).toBeNull();
    expect(connection.sendSame(10)).toBeNull();
    socket.bufferedAmount = 0;
    expect(connection.sendSame(10)).toBe(0);
    expect(socket.messages).toEqual([{ kind: 'same', seq: 0, captureMs: 10, late: false }]);
  });

  it('repeats no picture while one is still on its way', async () => {
    const { connection, goLive, frame } = createHarness();
    const socket = await goLive();
    frame(10);
    expect(connection.sendSame(20)).toBeNull();
    socket.update({ seq: 0 });
    expect(connection.sendSame(30)).toBe(1);
    expect(connection.sendSame(40)).toBe(2);
  });

  it('carries picture, codec, crop and capture time', async () => {
    const { goLive, frame } = createHarness();
    const socket = await goLive();
    frame(77);
    expect(socket.messages).toEqual([
      {
        kind: 'frame',
        seq: 0,
        captureMs: 77,
        late: false,
        codec: 'jpeg',
        crop: FULL,
        fullFrame: true,
        image: new Uint8Array([1, 2, 3]),
      },
    ]);
  });

  it('moves capture times forward, always', async () => {
    const { goLive, frame } = createHarness();
    const socket = await goLive(
      welcome({ limits: { maxFps: 5, credit: 16, imageSizePx: 192, maxFrameBytes: 60_000 } }),
    );
    for (const captureMs of [50, 50, 40, 60.9]) frame(captureMs);
    expect(socket.messages.map(({ captureMs }) => captureMs)).toEqual([50, 51, 52, 60]);
  });

  it('measures the latency from capture to update and counts bytes both ways', async () => {
    const { connection, goLive, frame, time, seen } = createHarness();
    const socket = await goLive();
    const before = connection.stats();
    time.advance(100);
    frame(80);
    time.advance(45);
    socket.update({ seq: 0, nextCrop: { xPx: 1, yPx: 2, widthPx: 30, heightPx: 40 }, maxFps: 2.5, imageSizePx: 160 });
    expect(seen.updates).toMatchObject([{ latencyMs: 65, update: { seq: 0, state: 'focused' } }]);
    expect(connection.guidance).toMatchObject({
      nextCrop: { xPx: 1, yPx: 2, widthPx: 30, heightPx: 40 },
      maxFps: 2.5,
      imageSizePx: 160,
      maxFrameBytes: 60_000,
    });
    const after = connection.stats();
    expect(after).toMatchObject({ framesSent: 1, samesSent: 0, acked: 1, latencyMs: 65 });
    expect(after.bytesUp - before.bytesUp).toBe(16 + 3);
    expect(after.bytesDown - before.bytesDown).toBe(44);
  });

  it('takes new limits at once and keeps the crop', async () => {
    const { connection, goLive, frame } = createHarness();
    const socket = await goLive();
    frame(1);
    socket.update({ seq: 0, nextCrop: FULL });
    socket.say({
      type: 'limits',
      limits: { maxFps: 1, credit: 1, imageSizePx: 128, maxFrameBytes: 9000 },
      reason: 'busy',
    });
    expect(connection.guidance).toEqual({
      maxFps: 1,
      credit: 1,
      imageSizePx: 128,
      maxFrameBytes: 9000,
      nextCrop: FULL,
    });
    frame(2);
    expect(connection.canSend()).toBe(false);
  });

  it('hands on an update it did not ask for without counting it', async () => {
    const { connection, goLive, seen } = createHarness();
    const socket = await goLive();
    socket.update({ seq: 9 });
    expect(seen.updates).toMatchObject([{ latencyMs: null }]);
    expect(connection.stats().acked).toBe(0);
  });

  it('reports what it cannot read and goes on', async () => {
    const { goLive, seen, frame } = createHarness();
    const socket = await goLive();
    socket.raw(new Uint8Array([1, 2, 3]).buffer);
    socket.raw('{"type":"poem"}');
    expect(seen.faults.map(({ code }) => code)).toEqual(['frame_truncated', 'control_invalid']);
    expect(frame(1)).toBe(0);
  });
});

describe('observations made on the device', () => {
  const observation = { face: null, faceCount: 0, detectorRan: true, brightness: 0.2, sharpness: 0.4 };

  it('go out under the same numbering and credit as pictures', async () => {
    const { connection, goLive, frame } = createHarness();
    const socket = await goLive(welcome({ limits: { maxFps: 5, credit: 2, imageSizePx: 192, maxFrameBytes: 60_000 } }));
    frame(0);
    expect(connection.sendObservation({ observation, captureMs: 10 })).toBe(1);
    expect(socket.messages[1]).toMatchObject({ kind: 'observation', seq: 1, captureMs: 10, late: false });
    expect(connection.sendObservation({ observation, captureMs: 20 })).toBeNull();
    socket.update({ seq: 0 });
    expect(connection.sendObservation({ observation, captureMs: 30 })).toBe(2);
    expect(connection.stats()).toMatchObject({ framesSent: 1, observationsSent: 2 });
  });
});

describe('outbox', () => {
  /** Keeps up to two messages, as they come. */
  function smallOutbox() {
    const kept: OutgoingMessage[] = [];
    const outbox: Outbox = {
      get size() {
        return kept.length;
      },
      wants: () => kept.length < 2,
      keep: (message) => kept.push(message),
      next: (_nowMs, unacknowledged, credit) => (unacknowledged + 1 < credit ? (kept.shift() ?? null) : null),
    };
    return { outbox, kept };
  }

  it('takes what cannot leave during an outage, and gives it back, marked late, with its own times', async () => {
    const { outbox, kept } = smallOutbox();
    const { connection, goLive, nextSocket, time, frame } = createHarness({ outbox });
    const first = await goLive();
    first.drop();
    expect(connection.accepts()).toBe(true);
    expect(frame(1000)).toBeNull();
    expect(frame(2000)).toBeNull();
    expect(kept).toHaveLength(2);
    expect(connection.accepts()).toBe(false);
    time.advance(30_000);
    const second = await nextSocket();
    second.open();
    second.say(welcome({ resumed: true }));
    expect(second.messages).toMatchObject([{ kind: 'frame', late: true, captureMs: 1000, seq: 0 }]);
    frame(30_000);
    expect(second.messages.at(-1)).toMatchObject({ late: false, captureMs: 30_000, seq: 1 });
    second.update({ seq: 0 });
    second.update({ seq: 1 });
    expect(second.messages.at(-1)).toMatchObject({ late: true, captureMs: 2000, seq: 2 });
  });

  it('is not asked where capture is not wanted', async () => {
    const { outbox } = smallOutbox();
    const { connection, goLive } = createHarness({ outbox });
    const socket = await goLive();
    void connection.stop();
    socket.drop();
    expect(connection.accepts()).toBe(false);
  });
});

describe('reconnecting', () => {
  it('comes back with a fresh ticket and the resume token, and starts again at the running clock', async () => {
    const { connection, goLive, nextSocket, frame, time, seen } = createHarness();
    const first = await goLive();
    connection.setSection(83);
    time.advance(1000);
    frame(1000);
    first.update({ seq: 0 });
    frame(1001);
    first.drop();
    expect(seen.phases).toEqual(['connecting', 'connected', 'reconnecting']);
    time.advance(4000);
    const second = await nextSocket();
    second.open();
    expect(second.controls[0]).toMatchObject({ type: 'hello', ticket: 'ticket-2', resume: 'resume-1' });
    second.say(welcome({ resumed: true, clockMs: 1000, epoch: 1, resume: 'resume-2' }));
    expect(second.controls[1]).toEqual({ type: 'start', ...CAPTURE, sectionId: 83, atMs: 5000 });
    // Nothing waits for the acknowledgements that the first socket took with it.
    expect([frame(5001), frame(5002)]).toEqual([2, 3]);
    expect(connection.stats().reconnects).toBe(1);
    expect(connection.resumeToken).toBe('resume-2');
  });

  it('starts the clock anew when the gateway begins another session', async () => {
    const { connection, goLive, nextSocket, time } = createHarness();
    const first = await goLive();
    time.advance(60_000);
    first.drop();
    time.advance(1000);
    const second = await nextSocket();
    second.open();
    second.say(welcome({ sessionId: '00000000-0000-4000-8000-000000000002' }));
    expect(second.controls[1]).toMatchObject({ type: 'start', atMs: 0 });
    expect(connection.captureClockMs()).toBe(0);
  });

  it('waits longer after each failure, by chance within a bound that doubles up to 30 s', async () => {
    const { connection, nextSocket, time, sockets } = createHarness({ connectWithinMs: null });
    connection.connect();
    (await nextSocket()).drop();
    // random() is 0.5 here: half of 0.5, 1, 2, … 30, 30 s.
    for (const delayMs of [250, 500, 1000, 2000, 4000, 8000, 15_000, 15_000]) {
      const before = sockets.length;
      time.advance(delayMs - 1);
      await Promise.resolve();
      expect(sockets.length).toBe(before);
      time.advance(1);
      (await nextSocket()).drop();
    }
  });

  it('begins the schedule anew once a picture has been acknowledged', async () => {
    const { connection, goLive, nextSocket, time, sockets, frame } = createHarness();
    (await goLive()).drop();
    time.advance(250);
    (await nextSocket()).drop();
    time.advance(500);
    const third = await nextSocket();
    third.open();
    third.say(welcome({ resumed: true }));
    frame(5000);
    third.update({ seq: 0 });
    third.drop();
    time.advance(250);
    await nextSocket();
    expect(sockets.length).toBe(4);
    expect(connection.phase).toBe('reconnecting');
  });

  it('comes back within a second of the network, however long the backoff', async () => {
    const { connection, goLive, nextSocket, time, sockets } = createHarness();
    let last = await goLive();
    for (const delayMs of [250, 500, 1000, 2000, 4000]) {
      last.drop();
      time.advance(delayMs);
      last = await nextSocket();
    }
    last.drop();
    time.advance(1000);
    connection.hurry();
    time.advance(1000);
    const back = await nextSocket();
    back.open();
    back.say(welcome({ resumed: true }));
    // While there is a connection, or an attempt under way, it changes nothing.
    connection.hurry();
    time.advance(2000);
    expect(connection.phase).toBe('connected');
    expect(sockets.at(-1)).toBe(back);
  });

  it('takes a link without acknowledgements for dead', async () => {
    const { goLive, frame, time, nextSocket, seen } = createHarness();
    const first = await goLive();
    frame(1);
    time.advance(7999);
    expect(seen.phases.at(-1)).toBe('connected');
    time.advance(1);
    expect(seen.phases.at(-1)).toBe('reconnecting');
    expect(first.closedWith).toBeNull();
    time.advance(250);
    expect((await nextSocket()).url).toBe(first.url);
  });

  it('does not let the last words of an old socket touch the new one', async () => {
    const { connection, goLive, nextSocket, time, seen, frame } = createHarness();
    const first = await goLive();
    frame(1);
    time.advance(8000);
    time.advance(250);
    const second = await nextSocket();
    second.open();
    second.say(welcome({ resumed: true }));
    first.say({ type: 'error', code: 'superseded', message: '…', fatal: true, retry: false, seq: null });
    first.drop(4409);
    expect(connection.phase).toBe('connected');
    expect(seen.ended).toEqual([]);
    expect(frame(30_000)).toBe(1);
  });

  it.each([
    [4400, 'refused'],
    [4403, 'refused'],
    [4409, 'superseded'],
  ] as const)('stays away after close code %i', async (code, reason) => {
    const { goLive, seen, time, sockets } = createHarness();
    (await goLive()).drop(code);
    time.advance(120_000);
    await Promise.resolve();
    expect(seen.ended).toEqual([reason]);
    expect(sockets.length).toBe(1);
    expect(time.pending).toBe(0);
  });

  it.each([1001, 1006, 1011, 4401, 4408, 4429, 4500])('comes back after close code %i', async (code) => {
    const { goLive, seen, time, nextSocket } = createHarness();
    (await goLive()).drop(code);
    time.advance(250);
    await nextSocket();
    expect(seen.ended).toEqual([]);
  });

  it('stays away after a final error message even when the close frame is lost', async () => {
    const { goLive, seen } = createHarness();
    const socket = await goLive();
    socket.say({ type: 'error', code: 'superseded', message: 'elsewhere', fatal: true, retry: false, seq: null });
    expect(seen.ended).toEqual(['superseded']);
    expect(seen.faults).toMatchObject([{ code: 'superseded' }]);
    expect(socket.closedWith).toBe(1000);
  });

  it('takes over the new session of a gateway that does not know the resume token', async () => {
    const { connection, nextSocket } = createHarness({ resumeToken: 'stale' });
    connection.connect();
    const socket = await nextSocket();
    socket.open();
    socket.say(welcome({ resume: 'new' }));
    expect(connection.resumeToken).toBe('new');
    expect(connection.captureClockMs()).toBeNull();
  });
});

describe('tickets', () => {
  it('tries again when the ticket cannot be had', async () => {
    let calls = 0;
    const { connection, nextSocket, time, seen } = createHarness({
      getTicket: async () => {
        calls++;
        if (calls === 1) throw new Error('offline');
        return 'good';
      },
    });
    connection.connect();
    for (let turn = 0; turn < 5; turn++) await Promise.resolve();
    expect(seen.faults).toEqual([
      { code: 'ticket_unavailable', message: 'offline', fatal: true, retry: true, seq: null },
    ]);
    time.advance(250);
    (await nextSocket()).open();
    expect(calls).toBe(2);
  });

  it('ends when the ticket is refused', async () => {
    const { connection, seen, sockets } = createHarness({
      getTicket: async () => {
        throw new RelayError('ticket_refused', 'not logged in');
      },
    });
    connection.connect();
    for (let turn = 0; turn < 5; turn++) await Promise.resolve();
    expect(seen.ended).toEqual(['ticket_refused']);
    expect(sockets).toEqual([]);
  });

  it('ends when the gateway refuses three fresh tickets in a row', async () => {
    const { connection, nextSocket, seen, time } = createHarness();
    connection.connect();
    for (const delayMs of [250, 500]) {
      (await nextSocket()).drop(4401);
      expect(seen.ended).toEqual([]);
      time.advance(delayMs);
    }
    (await nextSocket()).drop(4401);
    expect(seen.tickets).toBe(3);
    expect(seen.ended).toEqual(['ticket_refused']);
  });

  it('makes its last attempt when the time for the first welcome is up, however long the backoff', async () => {
    const { connection, nextSocket, seen, time, sockets } = createHarness({
      connectWithinMs: 5000,
      random: () => 0.999,
    });
    connection.connect();
    (await nextSocket()).drop();
    time.advance(499);
    (await nextSocket()).drop();
    time.advance(999);
    (await nextSocket()).drop();
    time.advance(1998);
    (await nextSocket()).drop();
    // 1504 ms are left of 5 s, the backoff would be 3996 ms.
    time.advance(1504);
    (await nextSocket()).drop();
    expect(sockets.length).toBe(5);
    expect(seen.ended).toEqual(['unreachable']);
    expect(time.pending).toBe(0);
  });

  it('gives up when there is no first welcome in time', async () => {
    const { connection, nextSocket, seen, time } = createHarness({ connectWithinMs: 5000 });
    connection.connect();
    (await nextSocket()).drop();
    time.advance(250);
    const second = await nextSocket();
    time.advance(5000);
    second.drop();
    expect(seen.ended).toEqual(['unreachable']);
    expect(connection.phase).toBe('ended');
  });
});

const stopped = {
  type: 'stopped',
  sessionId: SESSION,
  totals: { focusedMs: 1, unfocusedMs: 2, unknownMs: 3, untrackedMs: 4 },
  saved: true,
} as const;

describe('stopping', () => {
  it('says when capture ended and resolves with the final totals', async () => {
    const { connection, goLive, time, frame } = createHarness();
    const socket = await goLive();
    time.advance(321);
    const done = connection.stop();
    expect(socket.controls.at(-1)).toEqual({ type: 'stop', atMs: 321 });
    expect(frame(322)).toBeNull();
    socket.say(stopped);
    expect(await done).toEqual(stopped);
    connection.close();
    expect(socket.closedWith).toBe(1000);
    expect(time.pending).toBe(0);
  });

  it('goes on after a stop, at the clock that ran on, and stops again', async () => {
    const { connection, goLive, time, frame } = createHarness();
    const socket = await goLive();
    frame(1);
    socket.update({ seq: 0, nextCrop: FULL });
    connection.stop();
    socket.say(stopped);
    time.advance(9000);
    connection.start(CAPTURE);
    expect(socket.controls.at(-1)).toEqual({ type: 'start', ...CAPTURE, atMs: 9000 });
    expect(connection.guidance?.nextCrop).toBeNull();
    expect(frame(9001)).toBe(1);
    const again = connection.stop();
    socket.say({ ...stopped, saved: false });
    expect(await again).toMatchObject({ saved: false });
  });

  it('may be started again before the answer to the stop has come', async () => {
    const { connection, goLive, frame } = createHarness();
    const socket = await goLive();
    const done = connection.stop();
    connection.start(CAPTURE);
    socket.say(stopped);
    expect(await done).toEqual(stopped);
    expect(frame(5)).toBe(0);
  });

  it('stays stopped over a reconnect', async () => {
    const { connection, goLive, nextSocket, time, frame } = createHarness();
    const first = await goLive();
    connection.stop();
    first.say(stopped);
    first.drop();
    time.advance(250);
    const second = await nextSocket();
    second.open();
    second.say(welcome({ resumed: true, epoch: 1 }));
    expect(second.controls.map(({ type }) => type)).toEqual(['hello']);
    expect(frame(1)).toBeNull();
  });

  it('resolves with null when the totals do not come', async () => {
    const { connection, goLive, time } = createHarness();
    await goLive();
    const done = connection.stop();
    time.advance(5000);
    expect(await done).toBeNull();
  });

  it('resolves with null at once where nothing was captured', async () => {
    expect(await createHarness().connection.stop()).toBeNull();
    const { connection, goLive } = createHarness();
    const socket = await goLive();
    void connection.stop();
    socket.say(stopped);
    expect(await connection.stop()).toBeNull();
  });

  it('is told again on the next connection where its answer did not come', async () => {
    const { connection, goLive, nextSocket, time } = createHarness();
    const first = await goLive();
    time.advance(321);
    const done = connection.stop();
    first.drop();
    time.advance(250);
    const second = await nextSocket();
    second.open();
    second.say(welcome({ resumed: true, clockMs: 300 }));
    const [, start, stop] = second.controls;
    expect(start).toMatchObject({ type: 'start', ...CAPTURE });
    expect(stop).toEqual({ type: 'stop', atMs: 321 });
    second.say(stopped);
    expect(await done).toEqual(stopped);
  });

  it('belongs to the session that is gone where the gateway begins another one', async () => {
    const { connection, goLive, nextSocket, time } = createHarness();
    const first = await goLive();
    const done = connection.stop();
    first.drop();
    time.advance(250);
    const second = await nextSocket();
    second.open();
    second.say(welcome({ resumed: false }));
    expect(await done).toBeNull();
    expect(second.controls.map(({ type }) => type)).toEqual(['hello']);
  });

  it('keeps the resume token when it is closed without a stop', async () => {
    const { connection, goLive, seen } = createHarness();
    await goLive();
    connection.close();
    expect(seen.ended).toEqual(['closed']);
    expect(connection.resumeToken).toBe('resume-1');
  });

  it('lets a callback end the connection in the middle of an event', async () => {
    const harness = createHarness({ onWelcome: () => harness.connection.close() });
    const socket = await harness.goLive();
    expect(harness.seen.ended).toEqual(['closed']);
    expect(socket.closedWith).toBe(1000);
    expect(harness.frame(1)).toBeNull();
  });
});

describe('a stop while something is kept', () => {
  /** Three pictures kept in an outage of a minute, and the next socket at hand. */
  async function outage() {
    const kept: OutgoingMessage[] = [];
    let unanswered = 0;
    const outbox: Outbox = {
      get size() {
        return kept.length + unanswered;
      },
      wants: () => true,
      keep: (message) => kept.push(message),
      next: () => {
        const message = kept.shift() ?? null;
        if (message !== null) unanswered++;
        return message;
      },
      settled: () => {
        unanswered--;
      },
      window: 1,
    };
    const harness = createHarness({ outbox });
    const { goLive, nextSocket, time, frame } = harness;
    (await goLive()).drop();
    for (const captureMs of [1000, 2000, 3000]) frame(captureMs);
    time.advance(4000);
    const comeBack = async () => {
      time.advance(30_000);
      const socket = await nextSocket();
      socket.open();
      socket.say(welcome({ resumed: true }));
      return socket;
    };
    return { ...harness, comeBack };
  }

  it('in the outage: comes after all that was captured before it, with its own moment', async () => {
    const { connection, comeBack, frame } = await outage();
    void connection.stop();
    const socket = await comeBack();
    expect(socket.controls.map(({ type }) => type)).toEqual(['hello', 'start']);
    for (const seq of [0, 1, 2]) socket.update({ seq });
    expect(socket.messages.map(({ late, captureMs }) => [late, captureMs])).toEqual([
      [true, 1000],
      [true, 2000],
      [true, 3000],
    ]);
    expect(socket.controls.at(-1)).toEqual({ type: 'stop', atMs: 4000 });
    expect(frame(5000)).toBeNull();
    expect(connection.accepts()).toBe(false);
  });

  it('after the outage: waits for the rest', async () => {
    const { connection, comeBack } = await outage();
    const socket = await comeBack();
    const atMs = connection.captureClockMs();
    const done = connection.stop();
    expect(socket.controls.at(-1)?.type).toBe('start');
    for (const seq of [0, 1, 2]) socket.update({ seq });
    expect(socket.controls.at(-1)).toEqual({ type: 'stop', atMs });
    socket.say(stopped);
    expect(await done).toEqual(stopped);
  });

  it('is forgotten where the student goes on before: nothing that is kept is lost', async () => {
    const { connection, comeBack, time } = await outage();
    const done = connection.stop();
    time.advance(500);
    connection.start({ ...CAPTURE, sectionId: 83 });
    expect(await done).toBeNull();
    const socket = await comeBack();
    expect(socket.controls.slice(1)).toMatchObject([
      { type: 'start', sectionId: CAPTURE.sectionId },
      { type: 'section', sectionId: 83, atMs: 4500 },
    ]);
    for (const seq of [0, 1, 2]) socket.update({ seq });
    expect(socket.messages).toHaveLength(3);
    expect(socket.controls.at(-1)?.type).toBe('section');
  });

  it('is told at once where the connection is closed before the rest has left', async () => {
    const { connection, comeBack } = await outage();
    const socket = await comeBack();
    const atMs = connection.captureClockMs();
    const done = connection.stop();
    connection.close();
    expect(socket.controls.at(-1)).toEqual({ type: 'stop', atMs });
    expect(socket.closedWith).toBe(1000);
    expect(await done).toBeNull();
  });
});

describe('sections', () => {
  it('tells of another section once, with the moment of the capture clock', async () => {
    const { connection, goLive, time } = createHarness();
    const socket = await goLive();
    time.advance(700);
    connection.setSection(90);
    connection.setSection(90);
    expect(socket.controls.slice(2)).toEqual([{ type: 'section', sectionId: 90, atMs: 700 }]);
  });

  it('S-7 tells after an outage of the sections that the student came through, with their moments', async () => {
    const { connection, goLive, nextSocket, time } = createHarness();
    const first = await goLive();
    time.advance(1000);
    first.drop();
    time.advance(500);
    connection.setSection(90);
    time.advance(300);
    connection.setSection(91);
    time.advance(3200);
    const second = await nextSocket();
    second.open();
    second.say(welcome({ resumed: true, clockMs: 1000, epoch: 1 }));
    expect(second.controls.slice(1)).toEqual([
      { type: 'start', ...CAPTURE, atMs: 5000 },
      { type: 'section', sectionId: 90, atMs: 1500 },
      { type: 'section', sectionId: 91, atMs: 1800 },
    ]);
  });

  it('a session that could not be gone on with begins in the section the student is in', async () => {
    const { connection, goLive, nextSocket, time } = createHarness();
    const first = await goLive();
    time.advance(1000);
    first.drop();
    connection.setSection(90);
    time.advance(4000);
    const second = await nextSocket();
    second.open();
    second.say(welcome({ resumed: false }));
    expect(second.controls.slice(1)).toEqual([{ type: 'start', ...CAPTURE, sectionId: 90, atMs: 0 }]);
  });
});

describe('socket shape', () => {
  it("fits npm ws's WebSocket and the browser's", () => {
    const fromNode = (socket: NodeWebSocket): WebSocketLike => socket;
    const fromBrowser = (socket: WebSocket): WebSocketLike => socket;
    expect([fromNode, fromBrowser]).toHaveLength(2);
  });
});
