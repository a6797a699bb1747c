import { describe, expect, it } from 'vitest';
import { RelayError } from '../../../shared/errors.ts';
import { CAPTURE, createHarness, welcome } from '../support/harness.ts';

const PAGE_ERROR = new Error('the page is broken');
const throwError = (): never => {
  throw PAGE_ERROR;
};

describe('a callback that throws', () => {
  it('is reported to the caller, and the connection still handles what the callback had started', async () => {
    const { connection, nextSocket } = createHarness({
      onWelcome: () => {
        connection.setSection(83);
        throwError();
      },
    });
    connection.connect();
    connection.start(CAPTURE);
    const socket = await nextSocket();
    socket.open();
    expect(() => socket.say(welcome())).toThrow(PAGE_ERROR);
    connection.setSection(84);
    expect(socket.controls.map(({ type }) => type)).toEqual(['hello', 'start', 'section', 'section']);
    expect(connection.canSend()).toBe(true);
  });

  it('keeps no other effect of the same event from happening', async () => {
    const { connection, nextSocket, seen, time } = createHarness({ onFault: throwError });
    connection.connect();
    const socket = await nextSocket();
    socket.open();
    const fatal = { type: 'error', code: 'superseded', message: 'elsewhere', fatal: true, retry: false, seq: null };
    expect(() => socket.raw(JSON.stringify(fatal))).toThrow(PAGE_ERROR);
    expect(seen.ended).toEqual(['superseded']);
    expect(socket.closedWith).toBe(1000);
    time.advance(60_000);
    expect(connection.phase).toBe('ended');
  });

  it('is no failure of the ticket', async () => {
    const refused = new RelayError('ticket_refused', 'thrown by a page callback');
    const { connection, seen, nextSocket } = createHarness({
      createSocket: () => {
        throw new Error('this address is not possible');
      },
      onFault: (fault) => {
        seen.faults.push(fault);
        throw refused;
      },
    });
    const unhandled: unknown[] = [];
    const note = (error: unknown) => unhandled.push(error);
    process.on('unhandledRejection', note);
    try {
      connection.connect();
      await expect(nextSocket()).rejects.toThrow('no socket');
      await new Promise((resolve) => setImmediate(resolve));
    } finally {
      process.off('unhandledRejection', note);
    }
    expect(seen.faults.map(({ code }) => code)).toEqual(['address_invalid']);
    expect(connection.phase).toBe('connecting');
    expect(unhandled).toEqual([refused]);
  });

  it('is no failure of the message that it was called for', async () => {
    const thrown = new RelayError('control_invalid', 'thrown by a page callback');
    const { goLive, seen } = createHarness({
      onUpdate: () => {
        throw thrown;
      },
    });
    const socket = await goLive();
    expect(() => socket.update({ seq: 0 })).toThrow(thrown);
    expect(seen.faults).toEqual([]);
  });
});
