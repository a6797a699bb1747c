import { describe, expect, it } from 'vitest';
import type { Outbox, OutgoingMessage } from '../../../client/connection/outbox.ts';
import { CAPTURE, createHarness, FULL, SESSION, welcome } from '../support/harness.ts';

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

  it('continues after a stop, at the clock that ran on, and stops again', async () => {
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

  it('is sent again on the next connection where its answer did not come', async () => {
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
      enqueue: (message) => kept.push(message),
      next: () => {
        const message = kept.shift() ?? null;
        if (message !== null) unanswered++;
        return message;
      },
      acknowledged: () => {
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

  it('is forgotten where the student resumes before: nothing that is kept is lost', async () => {
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

  it('is answered at once where the connection is closed before the rest has been sent', async () => {
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
