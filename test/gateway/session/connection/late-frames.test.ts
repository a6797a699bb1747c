import { describe, expect, it } from 'vitest';
import { faceAtScreen, NO_FACE } from '../../../../harness/observations.ts';
import type { FaceObservation } from '../../../../shared/observation.ts';
import { Driver, sumOf, T0 } from './driver.ts';

const PART = { late: true, fullFrame: false, crop: { xPx: 100, yPx: 50, widthPx: 300, heightPx: 300 } };

/** The connection after an outage that began at `lostAtMs` and was over at `backAtMs`, both on the capture clock. */
function reconnected(lostAtMs: number, backAtMs: number): Driver {
  const before = Driver.tracking();
  before.watch(0, lostAtMs);
  before.dispatch({ type: 'closed' });
  const after = new Driver();
  after.nowMs = T0 + backAtMs;
  after.admit({ ...before.last('detach').account, epoch: 1, seq: 0 }, true);
  after.start(backAtMs);
  return after;
}

/** Late pictures, one a second, each answered at once; they take 100 ms of real time each. */
function sendLate(driver: Driver, fromMs: number, toMs: number, observation: FaceObservation, changes = {}): void {
  for (let atMs = fromMs; atMs <= toMs; atMs += 1000) {
    driver.nowMs += 100;
    driver.frame(atMs, `late ${atMs}`, { late: true, ...changes });
    driver.answer(observation);
  }
}

describe('an outage in server mode', () => {
  it('L-1 late pictures are accounted at their capture time, before those that follow', () => {
    const driver = reconnected(10_000, 40_000);
    sendLate(driver, 11_000, 25_000, faceAtScreen());
    sendLate(driver, 26_000, 42_000, NO_FACE);
    driver.watch(43_000, 45_000, 200, NO_FACE);
    expect(driver.all('update').every(({ update }) => update.outcome === 'processed')).toBe(true);
    const { update } = driver.last('update');
    expect(update.untrackedMs).toBe(0);
    expect(Math.abs(update.focusedMs - 25_000)).toBeLessThanOrEqual(1000);
    expect(Math.abs(update.unfocusedMs - 20_000)).toBeLessThanOrEqual(1000);
  });

  it('L-5 what was not kept is untracked, and nothing else is', () => {
    const driver = reconnected(10_000, 100_000);
    sendLate(driver, 11_000, 70_000, faceAtScreen());
    sendLate(driver, 100_000, 106_000, faceAtScreen());
    driver.watch(106_200, 110_000);
    const { update } = driver.last('update');
    expect(update.untrackedMs).toBe(30_000);
    expect(sumOf(update)).toBeGreaterThan(108_000);
  });

  it('L-2 one that comes twice counts once, and one after a newer picture counts for nothing', () => {
    const driver = reconnected(4000, 20_000);
    sendLate(driver, 5000, 12_000, faceAtScreen());
    const counted = driver.last('update').update;
    sendLate(driver, 11_000, 11_000, faceAtScreen());
    expect(driver.all('update').at(-1)?.update).toMatchObject({ outcome: 'out_of_order' });
    driver.watch(22_000, 22_000);
    sendLate(driver, 13_000, 13_000, faceAtScreen());
    const { update } = driver.last('update');
    expect(update.outcome).toBe('out_of_order');
    expect(update.focusedMs).toBeLessThanOrEqual(counted.focusedMs + 1200);
  });

  it('L-3 a minute of pictures comes fast without being taken for a flood; without end it is one', () => {
    const driver = reconnected(1000, 200_000);
    sendLate(driver, 2000, 61_000, faceAtScreen());
    expect(driver.state.phase).toBe('tracking');
    for (let atMs = 61_010; atMs < 70_000; atMs += 10) driver.frame(atMs, String(atMs), { late: true });
    expect(driver.last('close').code).toBe(4429);
  });

  it('L-4 a part of the frame without a face is unknown, the whole frame without one is no face', () => {
    const driver = reconnected(2000, 30_000);
    sendLate(driver, 3000, 12_000, NO_FACE, PART);
    expect(driver.last('update').update).toMatchObject({ state: 'unknown', unfocusedMs: 0, nextCrop: null });
    sendLate(driver, 13_000, 22_000, NO_FACE, { fullFrame: true });
    expect(driver.last('update').update).toMatchObject({ state: 'unfocused', direction: 'no_face' });
  });

  it('where the face was is a hint for two seconds of capture time, not of real time', () => {
    const driver = reconnected(2000, 30_000);
    sendLate(driver, 3000, 4000, faceAtScreen());
    expect(driver.last('infer').roi).not.toBeNull();
    driver.watch(30_200, 30_200);
    expect(driver.last('infer').roi).toBeNull();
  });

  it('F-5 a camera that stood still during the outage is frozen', () => {
    const driver = reconnected(2000, 30_000);
    for (let atMs = 3000; atMs <= 20_000; atMs += 1000) {
      driver.frame(atMs, 'the same bytes', { late: true });
      driver.answer();
    }
    const { update } = driver.last('update');
    expect(update.state).toBe('unknown');
    expect(update.focusedMs).toBeLessThan(9000);
  });

  it('says of each update whether it answers a late message', () => {
    const driver = reconnected(2000, 30_000);
    sendLate(driver, 3000, 3000, faceAtScreen());
    expect(driver.last('update').late).toBe(true);
    driver.watch(30_200, 30_200);
    expect(driver.last('update').late).toBe(false);
  });

  it('S-7 late pictures of before a change of section count for the section they were taken in', () => {
    const driver = reconnected(10_000, 40_000);
    driver.dispatch({ type: 'control', message: { type: 'section', sectionId: 82, atMs: 20_300 } });
    driver.dispatch({ type: 'control', message: { type: 'section', sectionId: 83, atMs: 30_000 } });
    sendLate(driver, 11_000, 39_000, faceAtScreen());
    driver.dispatch({ type: 'control', message: { type: 'stop', atMs: 40_000 } });
    const windows = driver.all('save').map(({ window }) => window);
    expect(windows.map((window) => [window.sectionId, sumOf(window)])).toEqual([
      [null, 10_300],
      [82, 9700],
      [83, 10_000],
    ]);
    expect(driver.windowTotals().untrackedMs).toBe(0);
  });

  it('S-7 a change of section during an outage of which nothing was kept still cuts there', () => {
    const driver = reconnected(10_000, 40_000);
    driver.dispatch({ type: 'control', message: { type: 'section', sectionId: 82, atMs: 20_000 } });
    driver.watch(40_200, 42_000);
    driver.dispatch({ type: 'control', message: { type: 'stop', atMs: 42_000 } });
    const windows = driver.all('save').map(({ window }) => window);
    expect(windows.map((window) => [window.sectionId, window.untrackedMs])).toEqual([
      [null, 10_000],
      [82, 20_200],
    ]);
  });
});
