import { describe, expect, it } from 'vitest';
import type { WebSocket as NodeWebSocket } from 'ws';
import type { WebSocketLike } from '../../../client/connection/socket.ts';
import { RelayError } from '../../../shared/errors.ts';
import { FEATURES } from '../../../shared/protocol/features.ts';
import { CAPTURE, createHarness, SESSION, welcome } from '../support/harness.ts';

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
      {
        type: 'hello',
        protocol: 'gaze-relay.v1',
        ticket: 'ticket-1',
        resume: null,
        client: 'test/1',
        device: null,
        features: FEATURES,
      },
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

  it('tells what it knows of the screen where the gateway has the feature, and only there', async () => {
    const screen = { widthPx: 1440, heightPx: 900 };
    for (const features of [['screen'], []]) {
      const { connection, nextSocket } = createHarness();
      connection.connect();
      connection.start({ ...CAPTURE, screen });
      const socket = await nextSocket();
      socket.open();
      socket.say(welcome({ features }));
      const start = { type: 'start', ...CAPTURE, atMs: 0 };
      expect(socket.controls.at(-1)).toEqual(features.length === 0 ? start : { ...start, screen });
    }
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

  it('continues from the clock of the gateway when the page was loaded again', async () => {
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

  it('fails when there is no first welcome in time', async () => {
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

describe('socket shape', () => {
  it("fits npm ws's WebSocket and the browser's", () => {
    const fromNode = (socket: NodeWebSocket): WebSocketLike => socket;
    const fromBrowser = (socket: WebSocket): WebSocketLike => socket;
    expect([fromNode, fromBrowser]).toHaveLength(2);
  });
});
