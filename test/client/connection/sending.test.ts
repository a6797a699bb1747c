import { describe, expect, it } from 'vitest';
import type { Outbox, OutgoingMessage } from '../../../client/connection/outbox.ts';
import { createHarness, FULL, welcome } from '../support/harness.ts';

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
    expect(connection.guidance).toMatchObject({
      maxFps: 1,
      credit: 1,
      imageSizePx: 128,
      maxFrameBytes: 9000,
      nextCrop: FULL,
    });
    frame(2);
    expect(connection.canSend()).toBe(false);
  });

  it('U-7 an update paces within the newest limits, and cannot raise them', async () => {
    const { connection, goLive, frame } = createHarness();
    const socket = await goLive();
    const limits = { maxFps: 2, credit: 2, imageSizePx: 120, maxFrameBytes: 9000 };
    socket.say({ type: 'limits', limits, reason: 'overloaded' });
    expect(connection.pacer.wantedFps).toBe(2);
    frame(1);
    socket.update({ seq: 0, nextCrop: FULL, maxFps: 5, credit: 4, imageSizePx: 192 });
    expect(connection.guidance).toMatchObject({ maxFps: 2, credit: 2, imageSizePx: 120 });
    expect(connection.pacer.wantedFps).toBe(2);
    frame(2);
    socket.update({ seq: 1, nextCrop: null, maxFps: 1, credit: 1, imageSizePx: 320 });
    expect(connection.guidance).toMatchObject({ maxFps: 1, credit: 1, imageSizePx: 200 });
    socket.say({ type: 'limits', limits: { ...limits, maxFps: 4 }, reason: 'recovered' });
    expect(connection.pacer.wantedFps).toBe(4);
  });

  it('hands on an update it did not ask for without counting it', async () => {
    const { connection, goLive, seen } = createHarness();
    const socket = await goLive();
    socket.update({ seq: 9 });
    expect(seen.updates).toMatchObject([{ latencyMs: null }]);
    expect(connection.stats().acked).toBe(0);
  });

  it('reports what it cannot read and continues', async () => {
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
      enqueue: (message) => kept.push(message),
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
