import { describe, expect, it } from 'vitest';
import { EventQueue } from '../../../harness/link/events.ts';
import { independentLoss, lossChance, NO_LOSS, Path, type PathShape } from '../../../harness/link/path.ts';
import { symmetricLink } from '../../../harness/link/shapes.ts';
import { HEADER_BYTES, MSS_BYTES, TcpFlow } from '../../../harness/link/tcp-flow.ts';
import { seededRandom } from '../../../harness/random.ts';

const CLEAR: PathShape = { kbps: null, delayMs: 50, queueBytes: Number.POSITIVE_INFINITY, loss: NO_LOSS };

function path(shape: Partial<PathShape> = {}, random = seededRandom(1)): Path {
  return new Path({ ...CLEAR, ...shape }, random);
}

describe('a path', () => {
  it('without a bottleneck delivers after its delay', () => {
    expect(path().offer(1500, 10)).toBe(60);
  });

  it('takes bytes × 8 / rate per packet, one after the other', () => {
    const slow = path({ kbps: 64 });
    expect(slow.offer(1600, 0)).toBe(250);
    expect(slow.offer(800, 0)).toBe(350);
    expect(slow.queuedBytes(100)).toBe(1600);
    expect(slow.offer(800, 1000)).toBe(1150);
  });

  it('drops what its queue has no room for, and has room again when the queue has drained', () => {
    const short = path({ kbps: 64, queueBytes: 3200 });
    expect(short.offer(1600, 0)).not.toBeNull();
    expect(short.offer(1600, 0)).not.toBeNull();
    expect(short.offer(1600, 100)).toBeNull();
    expect(short.offer(1600, 200)).toBe(650);
    expect(short.counts).toEqual({ wireBytes: 6400, packets: 4, overflowed: 1, lost: 0 });
  });

  it('loses everything in an outage and nothing after it', () => {
    const cut = path();
    cut.outage = true;
    expect(cut.offer(100, 0)).toBeNull();
    cut.outage = false;
    expect(cut.offer(100, 1)).toBe(51);
    expect(cut.counts.lost).toBe(1);
  });

  it.each([
    ['independent', independentLoss(0.02), 1.02],
    ['in bursts of five', { share: 0.02, burstPackets: 5 }, 5],
  ])('loses the wished share, %s', (_name, loss, meanRun) => {
    const lossy = path({ loss }, seededRandom(7));
    const runs: number[] = [];
    let wasLost = false;
    const total = 200_000;
    for (let packet = 0; packet < total; packet += 1) {
      const isLost = lossy.offer(100, packet) === null;
      if (isLost && !wasLost) runs.push(0);
      if (isLost) runs[runs.length - 1] = (runs.at(-1) ?? 0) + 1;
      wasLost = isLost;
    }
    const lost = runs.reduce((sum, run) => sum + run, 0);
    expect(lost / total).toBeCloseTo(0.02, 2);
    expect(lost / runs.length / meanRun).toBeCloseTo(1, 1);
  });

  it('knows no loss without one', () => {
    expect(lossChance(NO_LOSS, false)).toBe(0);
    expect(lossChance(NO_LOSS, true)).toBe(0);
  });
});

/** A flow over two paths; `arrivals` fills as simulated time continues. */
function flowOver(forth: Path, back: Path) {
  const events = new EventQueue();
  const arrivals: { atMs: number; bytes: Uint8Array }[] = [];
  let nowMs = 0;
  let endedAtMs: number | null = null;
  const flow = new TcpFlow(forth, back, events, {
    deliver: (bytes) => arrivals.push({ atMs: nowMs, bytes }),
    end: () => {
      endedAtMs = nowMs;
    },
  });
  const advanceTo = (untilMs: number) => {
    for (let next = events.nextAtMs; next !== null && next <= untilMs; next = events.nextAtMs) {
      nowMs = next;
      events.runUntil(next);
    }
    nowMs = untilMs;
  };
  const received = () => Buffer.concat(arrivals.map(({ bytes }) => bytes));
  return { flow, arrivals, advanceTo, received, endedAtMs: () => endedAtMs };
}

function numbered(length: number): Uint8Array {
  return Uint8Array.from({ length }, (_, index) => (index * 31 + (index >> 8)) & 255);
}

describe('a TCP flow', () => {
  it('delivers a small message after rate and delay, and its end after it', () => {
    const { flow, arrivals, advanceTo, endedAtMs } = flowOver(path({ kbps: 64 }), path());
    flow.write(numbered(1000), 0);
    flow.end(0);
    advanceTo(10_000);
    expect(arrivals).toHaveLength(1);
    expect(arrivals[0]?.atMs).toBeCloseTo(((1000 + HEADER_BYTES) * 8) / 64 + 50, 6);
    expect(endedAtMs()).toBeCloseTo(((1000 + 2 * HEADER_BYTES) * 8) / 64 + 50, 6);
  });

  it('fills a slow link: the rate of the payload is that of the link less the headers', () => {
    const { flow, advanceTo, received } = flowOver(path({ kbps: 256, queueBytes: 32_000 }), path());
    const sent = numbered(700_000);
    flow.write(sent, 0);
    advanceTo(20_000);
    const kbps = (received().length * 8) / 20_000;
    expect(kbps).toBeGreaterThan(0.9 * 256 * (MSS_BYTES / (MSS_BYTES + HEADER_BYTES)));
    expect(kbps).toBeLessThanOrEqual(256);
    expect(received().equals(sent.subarray(0, received().length))).toBe(true);
  });

  it('is limited by loss and round trip as Mathis has it: MSS / RTT × √(3/2) / √p', () => {
    const rttMs = 200;
    const loss = independentLoss(0.02);
    const { flow, advanceTo, received } = flowOver(
      path({ delayMs: rttMs / 2, loss }, seededRandom(3)),
      path({ delayMs: 100 }),
    );
    flow.write(numbered(6_000_000), 0);
    advanceTo(60_000);
    const mathisBytesPerMs = ((MSS_BYTES / rttMs) * Math.sqrt(1.5)) / Math.sqrt(0.02);
    const ratio = received().length / 60_000 / mathisBytesPerMs;
    expect(ratio).toBeGreaterThan(0.6);
    expect(ratio).toBeLessThan(1.3);
  });

  it('delivers everything once and in order over paths that lose in bursts both ways', () => {
    const loss = { share: 0.1, burstPackets: 4 };
    const { flow, advanceTo, received, endedAtMs } = flowOver(
      path({ loss }, seededRandom(5)),
      path({ loss }, seededRandom(6)),
    );
    const sent = numbered(300_000);
    for (let at = 0; at < 300; at += 1) flow.write(sent.subarray(at * 1000, (at + 1) * 1000), 0);
    flow.end(0);
    advanceTo(1_000_000);
    expect(received().equals(sent)).toBe(true);
    expect(endedAtMs()).not.toBeNull();
    expect(flow.payloadBytes).toBe(300_000);
  });

  it('stalls what comes after a lost segment for about a round trip', () => {
    const losses = [false, true];
    const lossy = path({ loss: independentLoss(0.5) }, () => (losses.shift() ? 0 : 1));
    const { flow, arrivals, advanceTo } = flowOver(lossy, path());
    for (const at of [0, 200, 250]) {
      advanceTo(at);
      flow.write(numbered(500), at);
    }
    advanceTo(5000);
    // Sent at 200 and lost; the acknowledgement of the next, at 350, tells; a quarter of the round trip is waited for.
    expect(arrivals.map(({ atMs }) => atMs)).toEqual([50, 400, 400]);
  });

  it('finds out that an outage is over at its next timeout, and timeouts double', () => {
    const cut = path();
    const { flow, arrivals, advanceTo } = flowOver(cut, path());
    flow.write(numbered(100), 0);
    advanceTo(1000);
    cut.outage = true;
    flow.write(numbered(100), 1000);
    advanceTo(3000);
    cut.outage = false;
    advanceTo(60_000);
    // RTO = 100 ms + max(200 ms, 4 × 50 ms): tried at 1300, 1900 and 3100 ms.
    expect(arrivals.map(({ atMs }) => atMs)).toEqual([50, 3150]);
  });
});

describe('a symmetric link', () => {
  it('halves the round trip and gives the queue in time at the rate, ten packets at least', () => {
    const { up, down } = symmetricLink({ kbps: 1000, rttMs: 60, loss: 0.02, queueMs: 300 });
    expect(up).toEqual(down);
    expect(up).toMatchObject({ kbps: 1000, delayMs: 30, queueBytes: 37_500 });
    expect(up.loss.share).toBe(0.02);
    expect(symmetricLink({ kbps: 64, rttMs: 300 }).up.queueBytes).toBe(15_000);
  });
});
