import { describe, expect, it } from 'vitest';
import { StateHistory } from '../../../client/page/history.ts';
import { RateMeter } from '../../../client/page/rate-meter.ts';

describe('the strip of the last two minutes', () => {
  it('joins equal moments and starts a stretch where the one before ended', () => {
    const history = new StateHistory(120_000);
    history.note(1000, 'focused');
    history.note(1250, 'focused');
    history.note(1500, 'unfocused');
    history.note(1750, null);
    expect(history.within(1750)).toEqual([
      { state: 'focused', fromMs: 1000, toMs: 1250 },
      { state: 'unfocused', fromMs: 1250, toMs: 1500 },
      { state: null, fromMs: 1500, toMs: 1750 },
    ]);
  });

  it('forgets what is older than its span, and cuts what reaches into it', () => {
    const history = new StateHistory(1000);
    for (let at = 0; at <= 5000; at += 250)
      history.note(at, at < 2000 ? 'focused' : at < 4500 ? 'unknown' : 'unfocused');
    expect(history.within(5000)).toEqual([
      { state: 'unknown', fromMs: 4000, toMs: 4250 },
      { state: 'unfocused', fromMs: 4250, toMs: 5000 },
    ]);
    expect(history.sums(5000)).toEqual({ focused: 0, unfocused: 750, unknown: 250, untracked: 0 });
  });
});

describe('rates', () => {
  it('are those of the last seconds, not of the whole time', () => {
    const meter = new RateMeter(5000);
    for (let at = 0; at <= 60_000; at += 250) meter.note(at, at <= 50_000 ? at : 50_000 + (at - 50_000) * 3);
    expect(meter.perSecond).toBeCloseTo(3000, 6);
  });

  it('are unknown at first, and after the total fell', () => {
    const meter = new RateMeter(5000);
    expect(meter.perSecond).toBeNull();
    meter.note(0, 0);
    meter.note(250, 900);
    expect(meter.perSecond).toBeNull();
    meter.note(1000, 2000);
    expect(meter.perSecond).toBe(2000);
    meter.note(1250, 10);
    expect(meter.perSecond).toBeNull();
  });
});
