import { describe, expect, it } from 'vitest';
import { faceAtScreen } from '../../../../harness/observations.ts';
import { PAUSE_REASONS } from '../../../../shared/pause.ts';
import { Driver } from './driver.ts';

const TWO_FACES = { ...faceAtScreen(), faceCount: 2, detectorRan: true };

function windowsOf(driver: Driver) {
  return driver.all('save').map(({ window }) => window);
}

describe('S-5 a pause belongs to no kind of time, and is stored with its reason', () => {
  it.each(PAUSE_REASONS)('%s', (reason) => {
    const driver = Driver.tracking();
    driver.watch(0, 3000);
    driver.nowMs += 60_000;
    driver.dispatch({ type: 'control', message: { type: 'stop', atMs: 3000, reason } });
    driver.start(53_000);
    driver.watch(53_000, 55_000);
    driver.dispatch({ type: 'control', message: { type: 'stop', atMs: 55_000 } });
    const [before, after] = windowsOf(driver);
    const none = { pausedHiddenMs: 0, pausedStudentMs: 0, pausedCameraMs: 0 };
    expect(before).toMatchObject(none);
    const name = { hidden: 'pausedHiddenMs', student: 'pausedStudentMs', camera: 'pausedCameraMs' }[reason];
    expect(after).toMatchObject({ ...none, [name]: 50_000, untrackedMs: 0, focusedMs: 2000 });
  });

  it('without a reason it is not stored', () => {
    const driver = Driver.tracking();
    driver.watch(0, 1000);
    driver.nowMs += 60_000;
    driver.dispatch({ type: 'control', message: { type: 'stop', atMs: 1000 } });
    driver.start(31_000);
    driver.watch(31_000, 33_000);
    driver.dispatch({ type: 'control', message: { type: 'stop', atMs: 33_000 } });
    expect(windowsOf(driver).at(-1)).toMatchObject({ pausedHiddenMs: 0, pausedStudentMs: 0, pausedCameraMs: 0 });
  });
});

describe('a second face', () => {
  it('has its part of the time from the picture in which faces are counted to the next such one', () => {
    const driver = Driver.tracking(undefined, 'device');
    driver.nowMs += 60_000;
    driver.observation(0, { ...faceAtScreen(), detectorRan: true });
    driver.observation(1000, TWO_FACES);
    for (const atMs of [1400, 1800, 2200]) driver.observation(atMs, faceAtScreen());
    driver.observation(2600, { ...faceAtScreen(), detectorRan: true });
    driver.observation(3000, faceAtScreen());
    driver.dispatch({ type: 'control', message: { type: 'stop', atMs: 3000 } });
    expect(windowsOf(driver).at(-1)?.secondFaceMs).toBe(2200);
  });

  it('has none of a gap', () => {
    const driver = Driver.tracking(undefined, 'device');
    driver.nowMs += 60_000;
    driver.observation(0, TWO_FACES);
    driver.observation(10_000, TWO_FACES);
    driver.observation(11_000, TWO_FACES);
    driver.dispatch({ type: 'control', message: { type: 'stop', atMs: 11_000 } });
    expect(windowsOf(driver).at(-1)).toMatchObject({ secondFaceMs: 1000, untrackedMs: 10_000 });
  });
});
