import { describe, expect, it } from 'vitest';
import { faceAtScreen } from '../../../../harness/observations.ts';
import { Driver, sumOf, T0 } from './driver.ts';

const windowsOf = (driver: Driver) => driver.all('save').map(({ window }) => window);

function stopped(driver: Driver, atMs: number): ReturnType<typeof windowsOf> {
  driver.nowMs = Math.max(driver.nowMs, T0 + atMs);
  driver.dispatch({ type: 'control', message: { type: 'stop', atMs } });
  return windowsOf(driver);
}

describe('S-11 a window lies on one day', () => {
  it('it is cut at midnight, to the millisecond, and so are its bouts', () => {
    const driver = Driver.tracking();
    driver.dayEndsMs = [T0 - 86_400_000, T0 + 10_100, T0 + 86_400_000];
    driver.watch(0, 20_000);
    const [before, after] = stopped(driver, 20_000);
    expect([before?.endedAtMs, after?.startedAtMs]).toEqual([T0 + 10_100, T0 + 10_100]);
    expect([before, after].map((window) => window?.focusedMs)).toEqual([10_100, 9900]);
    expect([before, after].map((window) => window?.bouts)).toEqual([
      [{ kind: 'focused', startedAtMs: T0, durationMs: 10_100 }],
      [{ kind: 'focused', startedAtMs: T0 + 10_100, durationMs: 9900 }],
    ]);
  });

  it('a gap over midnight is untracked on both days', () => {
    const driver = Driver.tracking();
    driver.dayEndsMs = [T0 + 11_000];
    driver.watch(0, 10_000);
    driver.watch(12_400, 20_000);
    const [before, after] = stopped(driver, 20_000);
    expect(before).toMatchObject({ endedAtMs: T0 + 11_000, focusedMs: 10_000, untrackedMs: 1000 });
    expect(after?.startedAtMs).toBe(T0 + 11_000);
    expect(after?.untrackedMs).toBe(1399);
    expect(after?.focusedMs).toBe(7601);
  });

  it('a gap over several midnights gives each day its own window', () => {
    const driver = Driver.tracking();
    driver.dayEndsMs = [T0 + 50_000, T0 + 60_000];
    driver.watch(0, 10_000);
    driver.watch(100_000, 101_000);
    expect(stopped(driver, 101_000).map(({ endedAtMs }) => endedAtMs - T0)).toEqual([50_000, 60_000, 101_000]);
    expect(sumOf(driver.windowTotals())).toBe(101_000);
  });

  it('late messages are cut at midnights that are past', () => {
    const driver = Driver.tracking(30_000, 'device');
    driver.dayEndsMs = [T0 + 5000];
    driver.nowMs = T0 + 3_600_000;
    for (let captureMs = 0; captureMs <= 10_000; captureMs += 200) driver.observation(captureMs, faceAtScreen(), true);
    expect(stopped(driver, 10_000).map(({ startedAtMs }) => startedAtMs - T0)).toEqual([0, 5000]);
  });

  it('a stop and a switch to another section after midnight are cut there, too', () => {
    const driver = Driver.tracking();
    driver.dayEndsMs = [T0 + 10_500];
    driver.watch(0, 10_000);
    driver.nowMs = T0 + 11_000;
    driver.dispatch({ type: 'control', message: { type: 'section', sectionId: 5, atMs: 11_000 } });
    const windows = stopped(driver, 11_500);
    expect(windows.map(({ startedAtMs, sectionId }) => [startedAtMs - T0, sectionId])).toEqual([
      [0, null],
      [10_500, null],
      [11_000, 5],
    ]);
  });

  it('while no midnight is known, a window counts for the day on which it begins', () => {
    const driver = Driver.tracking();
    driver.watch(0, 20_000);
    expect(stopped(driver, 20_000)).toHaveLength(1);
  });
});
