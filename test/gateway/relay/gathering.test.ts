import { describe, expect, it } from 'vitest';
import { GATHER_MS, gatherMs, NO_REQUESTS, noteRequest } from '../../../gateway/relay/gathering.ts';

/** Rate after so many requests, `everyMs` apart. */
function rateOf(count: number, everyMs: number) {
  let rate = NO_REQUESTS;
  for (let index = 0; index < count; index += 1) rate = noteRequest(rate, index * everyMs);
  return rate;
}

describe('requests of several students', () => {
  it('are gathered while more are to be expected soon', () => {
    expect(gatherMs(rateOf(200, 4))).toBe(GATHER_MS);
    expect(gatherMs(rateOf(200, 15))).toBe(GATHER_MS);
  });

  it('are sent at once where few come: one or two students would wait for nothing', () => {
    expect(gatherMs(NO_REQUESTS)).toBe(0);
    expect(gatherMs(rateOf(1, 0))).toBe(0);
    expect(gatherMs(rateOf(200, 100))).toBe(0);
  });

  it('are sent at once again after most students have left', () => {
    let rate = rateOf(200, 4);
    for (let index = 1; index <= 30; index += 1) rate = noteRequest(rate, 800 + index * 200);
    expect(gatherMs(rate)).toBe(0);
  });
});
