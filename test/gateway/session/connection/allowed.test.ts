import { describe, expect, it } from 'vitest';
import { faceAtScreen } from '../../../../harness/observations.ts';
import { Driver } from './driver.ts';

describe('what the operator allows', () => {
  it.each(['server', 'device'] as const)('S-8 where %s mode is not allowed a start with it is refused', (mode) => {
    const other = mode === 'server' ? 'device' : 'server';
    const driver = new Driver();
    driver.allowedModes = [other];
    driver.admit();
    driver.start(0, null, mode);
    expect(driver.last('send').message).toMatchObject({ type: 'error', code: 'control_unexpected', fatal: false });
    driver.start(0, null, other);
    expect(driver.state.phase).toBe('tracking');
    driver.start(0, null, mode);
    expect(driver.state).toMatchObject({ account: { mode: other } });
  });
});

describe('late messages', () => {
  const outcomes = (driver: Driver) => driver.all('update').map(({ update }) => update.outcome);

  it('L-6 observations of a device count within LATE_MAX_MINUTES, and not after it', () => {
    const driver = Driver.tracking(undefined, 'device');
    driver.lateMaxMs = 60 * 60_000;
    driver.observation(0, faceAtScreen());
    driver.nowMs += 60 * 60_000 + 1000;
    driver.observation(500, faceAtScreen(), true);
    driver.observation(1000, faceAtScreen(), true);
    expect(outcomes(driver)).toEqual(['processed', 'out_of_order', 'processed']);
  });

  it('L-6 pictures count for ten minutes, whatever a device may do', () => {
    const driver = Driver.tracking();
    driver.frame(0);
    driver.answer();
    driver.nowMs += 10 * 60_000 + 1000;
    driver.same(500);
    driver.same(1000);
    expect(outcomes(driver)).toEqual(['processed', 'out_of_order', 'processed']);
  });
});
