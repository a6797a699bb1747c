import { describe, expect, it } from 'vitest';
import { LinkMeter } from '../../../client/session/link-meter.ts';

/** A meter whose pictures flow from 0 on; answers come every `everyMs` up to `untilMs`. */
function measured(everyMs: number, untilMs: number, latencyMs: number, served = true) {
  const meter = new LinkMeter();
  meter.setFlowing(true, 0);
  for (let atMs = everyMs; atMs <= untilMs; atMs += everyMs) {
    meter.read(atMs);
    meter.noteAnswer(served, latencyMs);
  }
  return meter.read(untilMs);
}

describe('link meter', () => {
  it('reads how many answers a second come, and how late', () => {
    const readings = measured(200, 18_000, 130);
    expect(readings.length).toBeGreaterThanOrEqual(2);
    const last = readings.at(-1);
    expect(last?.latencyMs).toBe(130);
    expect(last?.answeredPerSecond).toBeCloseTo(5, 0);
  });

  it('a server that looks at nothing carries nothing', () => {
    expect(measured(200, 18_000, 130, false).at(-1)?.answeredPerSecond).toBe(0);
  });

  it('says nothing while nothing flows, and nothing of the first moments', () => {
    const meter = new LinkMeter();
    meter.noteAnswer(true, 100);
    expect(meter.read(60_000)).toEqual([]);
    meter.setFlowing(true, 60_000);
    expect(meter.read(64_000)).toEqual([]);
    expect(meter.read(67_000)).toHaveLength(1);
  });

  it('a pause does not count against the link', () => {
    const meter = new LinkMeter();
    meter.setFlowing(true, 0);
    meter.setFlowing(false, 3000);
    expect(meter.read(100_000)).toEqual([]);
  });
});
