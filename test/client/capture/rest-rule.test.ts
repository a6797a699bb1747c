import { describe, expect, it } from 'vitest';
import { isResting, RestRule } from '../../../client/capture/rest-rule.ts';

describe('a page that is asked for few pictures', () => {
  it('sends nothing of what does not move until one is due, and compares within the timing of video frames', () => {
    expect(isResting(1000, 1400, 1.5)).toBe(true);
    expect(isResting(1000, 1700, 1.5)).toBe(false);
    expect([167, 200, 233].map((elapsedMs) => isResting(1000, 1000 + elapsedMs, 5))).toEqual([false, false, false]);
  });

  it('U-8 knows when a message was sent, and forgets then what was left out', () => {
    const rest = new RestRule();
    expect([rest.rests(1000, 1.5), rest.unchangedMs]).toEqual([false, null]);
    rest.sent(1000);
    expect(rest.rests(1400, 1.5)).toBe(true);
    rest.unchangedMs = 400;
    rest.sent(1500);
    expect([rest.rests(1700, 1.5), rest.unchangedMs]).toEqual([true, null]);
  });

  it('U-8 takes pictures sooner for a fifth of a second after a large movement', () => {
    const rest = new RestRule();
    expect(rest.isQuick(1000)).toBe(false);
    rest.moved(1000);
    expect([rest.isQuick(1199), rest.isQuick(1200)]).toEqual([true, false]);
  });
});
