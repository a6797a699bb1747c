import { EventEmitter } from 'node:events';
import { describe, expect, it } from 'vitest';
import type { WebSocket } from 'ws';
import type { SessionAccount } from '../../../gateway/session/account.ts';
import { MAX_BUFFERED_BYTES, Stream, type StreamDependencies } from '../../../gateway/session/stream.ts';
import { LIMITS, newAccount, SESSION_ID, T0 } from './connection/driver.ts';

/** A socket with as much unread as a test says: no peer can be made to leave that much within a test's time. */
class Unread extends EventEmitter {
  readonly OPEN = 1;
  readonly readyState = 1;
  bufferedAmount = 0;
  readonly closes: { readonly code: number; readonly reason: string }[] = [];
  send(): void {}
  close(code: number, reason: string): void {
    this.closes.push({ code, reason });
  }
}

const START = JSON.stringify({
  type: 'start',
  camera: { widthPx: 640, heightPx: 480 },
  sectionId: null,
  mode: 'server',
  atMs: 0,
});

describe('C-5 a peer that does not read', () => {
  it('is let go when more than so much waits for it, and its session is kept', async () => {
    const socket = new Unread();
    const ignore = () => {};
    const detached: SessionAccount[] = [];
    const use: StreamDependencies = {
      now: () => T0,
      limits: LIMITS,
      windowMs: 30_000,
      inference: { request: () => Promise.resolve({ status: 'away' }) },
      logger: { debug: ignore, info: ignore, warn: ignore, error: ignore },
      metrics: { received: ignore, answered: ignore, inferred: ignore, closed: ignore, calibrated: ignore },
      admit: async () => ({ account: newAccount(), resumed: false, resumeToken: 'token' }),
      save: async () => {},
      keepCalibration: async () => {},
      detach: (account) => detached.push(account),
    };
    const stream = new Stream(socket as unknown as WebSocket, use);
    const hello = { type: 'hello', protocol: 'gaze-relay.v1', ticket: 'a ticket', resume: null, client: 'test' };
    stream.receiveText(JSON.stringify(hello));
    await new Promise((resolve) => setImmediate(resolve));

    socket.bufferedAmount = MAX_BUFFERED_BYTES;
    stream.receiveText(START);
    expect([stream.labels.phase, socket.closes]).toEqual(['tracking', []]);

    socket.bufferedAmount = MAX_BUFFERED_BYTES + 1;
    stream.receiveText(START);
    expect(socket.closes).toEqual([{ code: 4429, reason: 'slow_reader' }]);
    expect(detached.map(({ sessionId }) => sessionId)).toEqual([SESSION_ID]);
  });
});
