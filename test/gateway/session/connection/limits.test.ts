import { describe, expect, it } from 'vitest';
import { Driver, LIMITS } from './driver.ts';

describe('limits', () => {
  const lowered = { ...LIMITS, maxFps: 3, imageSizePx: 160 };

  it.each([
    ['is ready', 'ready'],
    ['tracks', 'tracking'],
    ['stops', 'stopping'],
  ])('U-7 a client that %s gets changed limits once, with the next tick', (_name, phase) => {
    const driver = Driver.tracking();
    if (phase !== 'tracking') {
      if (phase === 'stopping') driver.frame(100);
      driver.dispatch({ type: 'control', message: { type: 'stop', atMs: 100 } });
    }
    expect(driver.state.phase).toBe(phase);
    driver.limits = lowered;
    const first = driver.dispatch({ type: 'tick' });
    expect(first).toContainEqual({ type: 'send', message: { type: 'limits', limits: lowered, reason: 'overloaded' } });
    expect(driver.dispatch({ type: 'tick' })).toEqual([]);
    driver.limits = LIMITS;
    driver.dispatch({ type: 'tick' });
    expect(driver.last('send').message).toEqual({ type: 'limits', limits: LIMITS, reason: 'recovered' });
  });

  it('U-7 an update paces within the limits that the client was told of', () => {
    const driver = Driver.tracking();
    driver.limits = lowered;
    driver.same(0);
    expect(driver.last('update').update).toMatchObject({ maxFps: LIMITS.maxFps, imageSizePx: 320 });
    driver.dispatch({ type: 'tick' });
    driver.same(100);
    expect(driver.last('update').update).toMatchObject({ maxFps: 3, imageSizePx: 267 });
    driver.frame(200);
    driver.answer();
    expect(driver.last('update').update).toMatchObject({ maxFps: 3, imageSizePx: 160, credit: LIMITS.credit });
  });

  it("F-9 lowered limits do not lower the rate at which a client is refused: that is the operator's", () => {
    const driver = Driver.tracking();
    driver.limits = { ...LIMITS, maxFps: 1 };
    for (let atMs = 0; atMs < 20_000; atMs += 60) driver.same(atMs);
    expect(driver.all('close')).toEqual([]);
  });
});
