import { describe, expect, it } from 'vitest';
import {
  baseRttMs,
  type LinkEstimate,
  NO_ESTIMATE,
  noteRtt,
  type RttSample,
  steadyQueueingMs,
} from '../../../../client/connection/pacing/link-estimate.ts';
import { StartRtt } from '../../../../client/connection/start-rtt.ts';

function estimateOf(...samples: readonly RttSample[]): LinkEstimate {
  return samples.reduce(noteRtt, NO_ESTIMATE);
}

/** A picture over an otherwise empty link of 300 ms and `bps` bytes per second, inference included. */
function picture(nowMs: number, bytes: number, bps: number, queuedMs = 0): RttSample {
  return { nowMs, bytes, rttMs: 300 + (bytes * 1000) / bps + 20 + queuedMs };
}

const SMALL: RttSample = { nowMs: 0, bytes: 96, rttMs: 300 };

describe('estimate of a link', () => {
  it('takes the way itself from small messages', () => {
    expect(baseRttMs(NO_ESTIMATE)).toBeNull();
    expect(baseRttMs(estimateOf(SMALL, picture(500, 1600, 8000), { ...SMALL, nowMs: 900, rttMs: 340 }))).toBe(300);
  });

  it('tells the capacity from what a picture takes longer than a small message', () => {
    const { capacityBps } = estimateOf(SMALL, ...[1, 2, 3, 4].map((at) => picture(at * 500, 1200 + 200 * at, 8000)));
    expect(capacityBps).toBeGreaterThan(7900);
    expect(capacityBps).toBeLessThan(8100);
  });

  it('knows no capacity where no small message has been answered', () => {
    expect(estimateOf(picture(0, 1600, 8000), picture(500, 1700, 8000)).capacityBps).toBeNull();
  });

  it('does not take the time of its own bytes for a queue', () => {
    const calm = estimateOf(SMALL, ...[1, 2, 3].map((at) => picture(at * 500, 1600, 8000)));
    expect(steadyQueueingMs(calm, 3)).toBeLessThan(30);
    const queued = [4, 5, 6].reduce((estimate, at) => noteRtt(estimate, picture(at * 500, 1600, 8000, 400)), calm);
    expect(steadyQueueingMs(queued, 3)).toBeGreaterThan(300);
  });

  it('passes over a single late answer', () => {
    const calm = estimateOf(SMALL, ...[1, 2].map((at) => picture(at * 500, 1600, 8000)));
    expect(steadyQueueingMs(noteRtt(calm, picture(1500, 1600, 8000, 900)), 2)).toBeLessThan(30);
  });

  it('forgets the way as it was after 40 s: what delays longer than that belongs to it', () => {
    const before = estimateOf({ nowMs: 0, bytes: 96, rttMs: 40 });
    const moved = [20_000, 40_000, 60_000].reduce<LinkEstimate>(
      (estimate, nowMs) => noteRtt(estimate, { nowMs, bytes: 96, rttMs: 300 }),
      before,
    );
    expect(baseRttMs(moved)).toBe(300);
  });
});

describe('time of an answer', () => {
  it('belongs to the only question that is open, and to none where there are two', () => {
    const timing = new StartRtt();
    timing.sent(100, 120);
    expect(timing.answered()).toEqual({ sentAtMs: 100, bytes: 120 });
    timing.sent(200, 120);
    timing.sent(210, 120);
    expect([timing.answered(), timing.answered()]).toEqual([null, null]);
    timing.sent(300, 120);
    timing.reset();
    expect(timing.answered()).toBeNull();
  });
});
