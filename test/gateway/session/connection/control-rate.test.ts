import { describe, expect, it } from 'vitest';
import { CONTROL_LIMITS } from '../../../../gateway/session/connection/control-rate.ts';
import { MAX_WAITING_SWITCHES } from '../../../../gateway/session/connection/sections.ts';
import { Driver, T0 } from './driver.ts';

function section(driver: Driver, sectionId: number, atMs: number): void {
  driver.dispatch({ type: 'control', message: { type: 'section', sectionId, atMs } });
}

describe('text messages', () => {
  it('C-6 toggling sections writes no more rows than the rate allows, then the connection ends', () => {
    const driver = Driver.tracking();
    for (let atMs = 1; atMs <= 6000 && driver.state.phase === 'tracking'; atMs += 1) {
      driver.same(atMs * 2);
      section(driver, 1 + (atMs % 2), atMs * 2);
    }
    expect(driver.last('close')).toMatchObject({ code: 4429, reason: 'rate_exceeded' });
    expect(driver.all('save').length).toBeLessThanOrEqual(CONTROL_LIMITS.burst + 1);
  });

  it('C-6 what an outage leaves, and a click a second for an hour, is within it', () => {
    const driver = Driver.tracking();
    driver.nowMs += 100_000;
    for (let index = 1; index <= 100; index += 1) section(driver, index, index * 1000);
    for (let second = 1; second <= 3600; second += 1) {
      driver.nowMs += 1000;
      section(driver, second, driver.nowMs - T0);
    }
    expect([driver.state.phase, driver.all('close')]).toEqual(['tracking', []]);
  });

  it('C-6 a flood of pings ends the connection, and what was counted is saved', () => {
    const driver = Driver.tracking();
    driver.same(500);
    for (let ping = 0; ping <= CONTROL_LIMITS.burst; ping += 1) driver.dispatch({ type: 'ping' });
    expect(driver.last('close')).toMatchObject({ code: 4429, reason: 'rate_exceeded' });
    expect(driver.all('save')).toHaveLength(1);
  });
});

describe('switches to other sections', () => {
  it('S-7 a switch in the future is refused', () => {
    const driver = Driver.tracking();
    section(driver, 5, 3_600_000);
    expect(driver.last('send').message).toMatchObject({ type: 'error', code: 'control_invalid', fatal: false });
    expect(driver.state).toMatchObject({ account: { switches: [] } });
  });

  it('S-7 only so many wait for their first sample', () => {
    const driver = Driver.tracking();
    driver.nowMs += 10_000;
    for (let index = 0; index < MAX_WAITING_SWITCHES + 10; index += 1) {
      driver.nowMs += 1000;
      section(driver, index + 1, driver.nowMs - T0);
    }
    expect(driver.state).toMatchObject({ account: { switches: { length: MAX_WAITING_SWITCHES } } });
    expect(driver.last('send').message).toMatchObject({ code: 'control_invalid' });
  });
});
