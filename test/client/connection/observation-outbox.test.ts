import { describe, expect, it } from 'vitest';
import { ModeOutbox } from '../../../client/connection/mode-outbox.ts';
import {
  MAX_QUEUED_OBSERVATIONS,
  ObservationOutbox,
  type QueuedObservation,
} from '../../../client/connection/observation-outbox.ts';
import type { FaceObservation } from '../../../shared/observation.ts';
import { CAPTURE, createHarness, type PeerSocket, welcome } from '../support/harness.ts';

const OBSERVATION: FaceObservation = { face: null, faceCount: 0, detectorRan: true, brightness: 0.2, sharpness: 0.4 };

/** A keeper that shows what it keeps. */
function keeper() {
  const rows = new Map<number, QueuedObservation>();
  return {
    rows,
    put: (kept: QueuedObservation) => void rows.set(kept.captureMs, kept),
    remove: (captureMs: number) => void rows.delete(captureMs),
    clear: () => rows.clear(),
  };
}

/** A live connection in device mode with an outbox. */
async function live(kept: readonly QueuedObservation[] = [], resumed = false) {
  const rows = keeper();
  for (const each of kept) rows.put(each);
  const outbox = new ObservationOutbox(rows, kept);
  const harness = createHarness({ outbox });
  harness.connection.connect();
  const socket = await harness.nextSocket();
  socket.open();
  socket.say(welcome({ resumed }));
  harness.connection.start({ ...CAPTURE, mode: 'device' });
  const look = (captureMs: number) => harness.connection.sendObservation({ observation: OBSERVATION, captureMs });
  return { ...harness, outbox, rows: rows.rows, socket, look };
}

/** Answers everything that has not been answered on a socket. */
function answerer(socket: PeerSocket): () => void {
  let answered = 0;
  return () => {
    for (const { seq } of socket.messages.slice(answered)) socket.update({ seq });
    answered = socket.messages.length;
  };
}

async function reconnect(harness: Awaited<ReturnType<typeof live>>): Promise<PeerSocket> {
  harness.time.advance(30_000);
  const socket = await harness.nextSocket();
  socket.open();
  socket.say(welcome({ resumed: true }));
  return socket;
}

describe('observations over an outage', () => {
  it('wait, a few a second, in memory and in the browser’s database', async () => {
    const harness = await live();
    harness.socket.drop();
    for (let atMs = 1000; atMs <= 11_000; atMs += 200) harness.look(atMs);
    expect(harness.outbox.size).toBe(26);
    expect([...harness.rows.keys()].slice(0, 3)).toEqual([1000, 1400, 1800]);
  });

  it('L-1 leave in the order of capture, marked late, before anything newer', async () => {
    const harness = await live();
    harness.socket.drop();
    for (let atMs = 1000; atMs <= 13_000; atMs += 400) harness.look(atMs);
    const socket = await reconnect(harness);
    const answer = answerer(socket);
    harness.look(31_000);
    for (let turn = 0; turn < 40; turn++) {
      harness.time.advance(100);
      answer();
    }
    harness.look(35_000);
    const times = socket.messages.map(({ captureMs }) => captureMs);
    expect(times).toEqual([...times].sort((a, b) => a - b));
    expect(times).toHaveLength(33);
    expect(socket.messages.filter(({ late }) => late)).toHaveLength(32);
    expect(socket.messages.at(-1)).toMatchObject({ kind: 'observation', late: false, captureMs: 35_000 });
  });

  it('H-5 those of a transport that has many under way wait again when it breaks, and nothing else does', async () => {
    const harness = await live();
    Object.assign(harness.socket, { window: 32 });
    for (let atMs = 200; atMs <= 2000; atMs += 200) harness.look(atMs);
    expect([harness.socket.messages.length, harness.outbox.size]).toEqual([10, 0]);
    for (const { seq, captureMs } of harness.socket.messages.slice(0, 4)) harness.socket.update({ seq, captureMs });
    harness.socket.drop();
    expect(harness.outbox.size).toBe(6);
    const socket = await reconnect(harness);
    const answer = answerer(socket);
    for (let turn = 0; turn < 10; turn++) {
      harness.time.advance(100);
      answer();
    }
    expect(socket.messages.map(({ captureMs, late }) => [captureMs, late])).toEqual(
      [1000, 1200, 1400, 1600, 1800, 2000].map((captureMs) => [captureMs, true]),
    );
    expect(harness.outbox.size).toBe(0);
  });

  it('L-2 unacknowledged observations are sent again, and dropped once acknowledged', async () => {
    const harness = await live();
    harness.socket.drop();
    for (let atMs = 1000; atMs <= 3000; atMs += 400) harness.look(atMs);
    const second = await reconnect(harness);
    expect(second.messages).toHaveLength(6);
    second.update({ seq: second.messages[0]?.seq ?? -1 });
    second.drop();
    const third = await reconnect(harness);
    expect(third.messages.map(({ captureMs }) => captureMs)).toEqual([1400, 1800, 2200, 2600, 3000]);
    answerer(third)();
    expect(harness.outbox.size).toBe(0);
    expect(harness.rows.size).toBe(0);
    await harness.outbox.whenEmpty();
  });

  it('L-3 at most 32 are on their way, and 40 a second', async () => {
    const harness = await live();
    harness.socket.drop();
    for (let atMs = 1000; atMs <= 81_000; atMs += 400) harness.look(atMs);
    const socket = await reconnect(harness);
    harness.time.advance(10_000);
    expect(socket.messages).toHaveLength(32);
    const answer = answerer(socket);
    answer();
    const before = socket.messages.length;
    for (let turn = 0; turn < 100; turn++) {
      harness.time.advance(10);
      answer();
    }
    expect(socket.messages.length - before).toBeLessThanOrEqual(48);
  });

  it('those of an earlier page are delivered without a new observation', async () => {
    const kept = [1000, 1400, 1800].map((captureMs) => ({ captureMs, observation: OBSERVATION }));
    const harness = await live(kept, true);
    // The socket still had the start message to send when it was first asked.
    harness.time.advance(200);
    expect(harness.socket.messages.map(({ late, captureMs }) => [late, captureMs])).toEqual([
      [true, 1000],
      [true, 1400],
      [true, 1800],
    ]);
  });

  it('where the link only hesitates, nothing is kept: the next observation is newer', async () => {
    const harness = await live();
    harness.look(200);
    harness.look(400);
    harness.socket.update({ seq: 0 });
    harness.look(600);
    expect(harness.look(800)).toBeNull();
    expect(harness.outbox.size).toBe(0);
    expect(harness.look(1800)).toBeNull();
    expect(harness.outbox.size).toBe(1);
  });

  it('a picture that stood still is kept as that', async () => {
    const harness = await live();
    harness.socket.drop();
    harness.look(1000);
    harness.connection.sendSame(1500);
    const socket = await reconnect(harness);
    expect(socket.messages.map(({ kind, late }) => [kind, late])).toEqual([
      ['observation', true],
      ['same', true],
    ]);
  });

  it('those of a session that cannot be resumed are dropped', async () => {
    const harness = await live();
    harness.socket.drop();
    harness.look(1000);
    harness.time.advance(30_000);
    const socket = await harness.nextSocket();
    socket.open();
    socket.say(welcome({ resumed: false }));
    harness.time.advance(1000);
    expect(socket.messages).toEqual([]);
    expect(harness.rows.size).toBe(0);
  });

  it('a long outage keeps the newest', () => {
    const rows = keeper();
    const outbox = new ObservationOutbox(rows);
    for (let index = 0; index < MAX_QUEUED_OBSERVATIONS + 50; index++) {
      const captureMs = index * 400;
      expect(outbox.wants(captureMs)).toBe(true);
      outbox.enqueue({ kind: 'observation', observation: OBSERVATION, captureMs });
    }
    expect(outbox.size).toBe(MAX_QUEUED_OBSERVATIONS);
    expect(Math.min(...rows.rows.keys())).toBe(50 * 400);
  });

  it('belongs to device mode: pictures are not kept by it', () => {
    let mode: 'server' | 'device' = 'server';
    const device = new ObservationOutbox(null);
    const outbox = new ModeOutbox(() => mode, { server: () => null, device: () => device });
    expect(outbox.wants(0)).toBe(false);
    mode = 'device';
    expect(outbox.wants(0)).toBe(true);
    outbox.enqueue({ kind: 'observation', observation: OBSERVATION, captureMs: 0 });
    mode = 'server';
    expect(outbox.mustSendFirst).toBe(false);
    expect(outbox.next(0, 0, 2)).toBeNull();
    expect(device.size).toBe(1);
  });
});
