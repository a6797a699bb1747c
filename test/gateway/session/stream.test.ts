import { describe, expect, it, vi } from 'vitest';
import type { SessionAccount } from '../../../gateway/session/account.ts';
import { MAX_BUFFERED_BYTES, STOP_SAVE_MS, Stream, type StreamDependencies } from '../../../gateway/session/stream.ts';
import type { Transport } from '../../../gateway/session/transport.ts';
import { MODES } from '../../../shared/direction.ts';
import type { MetricsWindow } from '../../../shared/metrics-window.ts';
import { LIMITS, newAccount, SESSION_ID, T0 } from './connection/driver.ts';

/** A transport whose faults a test chooses: no peer can be made to leave that much unread within a test's time. */
class FaultyTransport implements Transport {
  readonly kind = 'websocket';
  readonly isOpen = true;
  bufferedAmount = 0;
  readonly sent: { readonly type?: string; readonly code?: string; readonly saved?: boolean }[] = [];
  readonly closes: { readonly code: number; readonly reason: string }[] = [];
  send(data: string | Uint8Array): void {
    if (typeof data === 'string') this.sent.push(JSON.parse(data));
  }
  close(code: number, reason: string): void {
    this.closes.push({ code, reason });
  }
  checkAlive(): void {}
}

const control = (message: object) => JSON.stringify(message);
const HELLO = control({ type: 'hello', protocol: 'gaze-relay.v1', ticket: 'a ticket', resume: null, client: 'test' });
const START = control({ type: 'start', camera: { widthPx: 640, heightPx: 480 }, mode: 'server', atMs: 0 });

function admitted(changes: Partial<StreamDependencies> = {}) {
  const socket = new FaultyTransport();
  const ignore = () => {};
  const detached: SessionAccount[] = [];
  const clock = { nowMs: T0 };
  const deps: StreamDependencies = {
    now: () => clock.nowMs,
    maxFps: LIMITS.maxFps,
    load: { limitsOf: () => LIMITS, note: ignore },
    clockOffsetMs: 0,
    windowMs: 30_000,
    allowedModes: MODES,
    lateMaxMs: 600_000,
    dayEndsMs: () => [],
    inference: { request: () => Promise.resolve({ status: 'unavailable' }) },
    logger: { debug: ignore, info: ignore, warn: ignore, error: ignore },
    sampled: ignore,
    metrics: { received: ignore, refused() {}, answered: ignore, inferred: ignore, closed: ignore, calibrated: ignore },
    admit: async (_hello, from) =>
      from.welcome({ account: newAccount(), resumed: false, resumeToken: 'token', lateToken: 'late' }),
    save: async () => {},
    keepCalibration: async () => {},
    detach: (account) => detached.push(account),
    changed: ignore,
    ...changes,
  };
  const stream = new Stream(socket, deps);
  stream.receiveText(HELLO);
  return { socket, stream, detached, clock };
}

describe('C-5 a peer that does not read', () => {
  it('is closed when more than so much waits for it, and its session may be resumed', () => {
    const { socket, stream, detached } = admitted();
    socket.bufferedAmount = MAX_BUFFERED_BYTES;
    stream.receiveText(START);
    expect([stream.labels.phase, socket.closes]).toEqual(['tracking', []]);

    socket.bufferedAmount = MAX_BUFFERED_BYTES + 1;
    stream.receiveText(START);
    expect(socket.closes).toEqual([{ code: 4429, reason: 'slow_reader' }]);
    expect(detached.map(({ sessionId }) => sessionId)).toEqual([SESSION_ID]);
  });
});

describe('windows that cannot be saved', () => {
  it('do not keep the later ones of the stream from being saved, and no stop claims that all are', async () => {
    const saved: number[] = [];
    const save = async ({ seq }: MetricsWindow) => {
      if (seq === 0) throw new Error('the disk is full');
      saved.push(seq);
    };
    const { socket, stream, clock } = admitted({ save });
    stream.receiveText(START);
    for (const atMs of [1000, 2000]) {
      clock.nowMs = T0 + atMs;
      stream.receiveText(control({ type: 'section', sectionId: atMs, atMs }));
    }
    stream.receiveText(control({ type: 'stop', atMs: 2000 }));
    await new Promise((resolve) => setImmediate(resolve));
    expect(saved).toEqual([1, 2]);
    expect(stream.isSaved).toBe(false);
    expect(socket.sent.at(-1)).toMatchObject({ type: 'stopped', saved: false });
  });

  it('S-6 do not keep a stop waiting for ever: it is answered, and says that they are not saved', async () => {
    vi.useFakeTimers();
    try {
      const { socket, stream, clock } = admitted({ save: () => new Promise(() => {}) });
      stream.receiveText(START);
      clock.nowMs = T0 + 1000;
      stream.receiveText(control({ type: 'stop', atMs: 1000 }));
      await vi.advanceTimersByTimeAsync(STOP_SAVE_MS - 1);
      expect(socket.sent.map(({ type }) => type)).not.toContain('stopped');
      await vi.advanceTimersByTimeAsync(1);
      expect(socket.sent.at(-1)).toMatchObject({ type: 'stopped', saved: false });
    } finally {
      vi.useRealTimers();
    }
  });
});
