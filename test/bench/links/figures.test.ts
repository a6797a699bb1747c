import { describe, expect, it } from 'vitest';
import { bytesRatio, figuresOf, type Probe } from '../../../bench/links/figures.ts';
import { BENCH_LINKS, measuredMs, parseLinksOptions } from '../../../bench/links/plan.ts';

const LINK = { kbps: 64, rttMs: 300 };
const BYTES = {
  up: { payloadBytes: 40_000, wireBytes: 44_000 },
  down: { payloadBytes: 1000, wireBytes: 3000 },
};

type Answer = Probe['answers'][number];

/** An observation taken at `capturedAtMs` and shown `latencyMs` later. */
function answer(capturedAtMs: number, latencyMs: number, more: Partial<Answer> = {}): Answer {
  return {
    atMs: capturedAtMs + latencyMs,
    capturedAtMs,
    isObservation: true,
    isLate: false,
    totalMs: null,
    ...more,
  };
}

function probe(answers: Answer[]): Probe {
  return { answers, startedAtMs: 0, mode: 'server' };
}

describe('figures of a link', () => {
  it('count observations and bytes per second of the measured span alone', () => {
    const answers = [100, 1100, 2100, 3100, 11_100].map((atMs) => answer(atMs, 100));
    const figures = figuresOf(LINK, probe(answers), { fromMs: 1000, toMs: 5000 }, BYTES);
    expect(figures).toMatchObject({
      observationsPerSecond: 0.75,
      upBytesPerSecond: 10_000,
      downBytesPerSecond: 250,
      upWireBytesPerSecond: 11_000,
      upBytesPerObservation: 13_333,
      latencyMsP50: 100,
      firstObservationMs: 200,
    });
  });

  it('leave dropped pictures out, and late ones out of the latency', () => {
    const answers = [
      answer(0, 100),
      answer(200, 100, { isObservation: false }),
      answer(300, 900, { isLate: true }),
      answer(1000, 100),
    ];
    const figures = figuresOf(LINK, probe(answers), { fromMs: 0, toMs: 2000 }, BYTES);
    expect(figures.observationsPerSecond).toBe(1.5);
    expect(figures.latencyMsP99).toBe(100);
  });

  it('tell how old what the page shows gets', () => {
    const figures = figuresOf(LINK, probe([answer(0, 100), answer(5000, 100)]), { fromMs: 100, toMs: 5100 }, BYTES);
    expect(figures.stalenessMsP99).toBe(5000);
    expect(figures.stalenessMsP50).toBe(2600);
  });

  it('take untracked time from the totals of the session where there are any', () => {
    const answers = [
      answer(0, 100, { totalMs: { untracked: 500, all: 1000 } }),
      answer(9000, 100, { totalMs: { untracked: 2500, all: 9000 } }),
    ];
    expect(figuresOf(LINK, probe(answers), { fromMs: 1000, toMs: 10_000 }, BYTES).untrackedShare).toBe(0.25);
  });

  it('else from gaps of over 2 s between observations, what has not come by the end included', () => {
    const answers = [answer(0, 10), answer(1500, 10), answer(4000, 10), answer(5000, 100_000)];
    // Of 10 s: 2.5 s between the second and the third, and the 6 s after it.
    expect(figuresOf(LINK, probe(answers), { fromMs: 0, toMs: 10_000 }, BYTES).untrackedShare).toBe(0.85);
  });

  it('are null where nothing came', () => {
    const figures = figuresOf(LINK, probe([]), { fromMs: 0, toMs: 3000 }, BYTES);
    expect(figures).toMatchObject({
      observationsPerSecond: 0,
      upBytesPerObservation: null,
      latencyMsP50: null,
      stalenessMsP50: null,
      untrackedShare: 1,
      firstObservationMs: null,
    });
    expect(bytesRatio(figures, figures)).toBeNull();
  });

  it('tell when a sender was back after an outage, and when it had made up for it', () => {
    const answers = [
      answer(0, 100),
      answer(2000, 9000, { isLate: true }),
      answer(9000, 4000, { isLate: true }),
      answer(13_000, 100),
    ];
    const span = { fromMs: 0, toMs: 15_000 };
    expect(figuresOf(LINK, probe(answers), span, BYTES, 10_000)).toMatchObject({ backMs: 1000, caughtUpMs: 3000 });
    expect(figuresOf(LINK, probe(answers), span, BYTES)).toMatchObject({ backMs: null, caughtUpMs: null });
  });

  it('compare senders by their bytes per observation', () => {
    const ours = figuresOf(LINK, probe([answer(0, 1)]), { fromMs: 0, toMs: 1000 }, BYTES);
    const heavy = { ...BYTES, up: { payloadBytes: 900_000, wireBytes: 0 } };
    const seed = figuresOf(LINK, probe([answer(0, 1), answer(500, 1)]), { fromMs: 0, toMs: 1000 }, heavy);
    expect(bytesRatio(ours, seed)).toBe(11.3);
  });
});

describe('the plan of the bench', () => {
  it('has every rate and both ends of the round trips that students have', () => {
    expect(new Set(BENCH_LINKS.map(({ kbps }) => kbps))).toEqual(new Set([64, 128, 256, 1000, 10_000]));
    expect(Math.min(...BENCH_LINKS.map(({ rttMs }) => rttMs))).toBe(20);
    expect(Math.max(...BENCH_LINKS.map(({ rttMs }) => rttMs))).toBe(600);
  });

  it('gives a link with an outage the time to come back', () => {
    const outage = BENCH_LINKS.find((bench) => bench.outage !== null);
    expect(outage && measuredMs(outage, 5000)).toBe(40_000);
    expect(measuredMs(BENCH_LINKS[0] as (typeof BENCH_LINKS)[number], 5000)).toBe(5000);
  });

  it('takes names of links and senders, and says which it does not know', () => {
    const { links, contenders, seconds } = parseLinksOptions(['--links', '64k,1M', '--contenders', 'seed']);
    expect(links.map(({ name }) => name)).toEqual(['64k', '1M']);
    expect(contenders).toEqual(['seed']);
    expect(seconds).toBe(25);
    expect(() => parseLinksOptions(['--links', '65k'])).toThrow('65k is none of 64k');
    expect(() => parseLinksOptions(['--seconds', '1'])).toThrow('--seconds');
  });
});
