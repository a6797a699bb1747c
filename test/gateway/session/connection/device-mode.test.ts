import { describe, expect, it } from 'vitest';
import { faceAtScreen, NO_FACE } from '../../../../harness/observations.ts';
import type { FaceObservation } from '../../../../shared/observation.ts';
import { Driver, newAccount, sumOf, T0 } from './driver.ts';

/** A face that a live camera sees: its numbers change a little from picture to picture. */
function alive(captureMs: number): FaceObservation {
  const seen = faceAtScreen();
  const face = seen.face;
  if (face === null) throw new Error('the face is gone');
  return { ...seen, face: { ...face, headYawDeg: 0.01 * ((captureMs / 200) % 7) } };
}

function observe(driver: Driver, fromMs: number, toMs: number, late = false, everyMs = 200): void {
  for (let atMs = fromMs; atMs <= toMs; atMs += everyMs) driver.observation(atMs, alive(atMs), late);
}

function changed(part: Partial<NonNullable<FaceObservation['face']>>): FaceObservation {
  const seen = faceAtScreen();
  return { ...seen, face: seen.face === null ? null : { ...seen.face, ...part } };
}

const roi = { centerXPx: 320, centerYPx: 240, sizePx: 240, rotationRad: 0 };
const eye = { yawDeg: 0, pitchDeg: 0, openness: 0.3, visibility: 1 };

describe('device mode', () => {
  it('F-6 observations are accounted as frames are, and nothing is asked of inference', () => {
    const driver = Driver.tracking(30_000, 'device');
    observe(driver, 0, 10_000);
    const { update } = driver.last('update');
    expect(update).toMatchObject({ outcome: 'processed', state: 'focused', unfocusedMs: 0, untrackedMs: 0 });
    expect(update.focusedMs).toBeGreaterThan(8500);
    expect(driver.all('infer')).toEqual([]);
  });

  it.each([
    ['a face of no score', changed({ score: 0.2 })],
    ['a head upside down', changed({ headPitchDeg: 170 })],
    ['an eye turned inside out', changed({ imageLeftEye: { ...eye, yawDeg: 150 } })],
    ['an eye wider than a face', changed({ imageRightEye: { ...eye, openness: 30 } })],
    ['eyes without distance', changed({ interOcularPx: 0 })],
    ['eyes wider apart than the picture', changed({ interOcularPx: 2000 })],
    ['a face outside the picture', changed({ nextRoi: { ...roi, centerXPx: 3000 } })],
    ['a face without size', changed({ nextRoi: { ...roi, sizePx: 0 } })],
    ['a face that is not counted', { ...faceAtScreen(), faceCount: 0 }],
  ])('O-2 %s is refused, answered, and counts for nothing', (_name, observation) => {
    const driver = Driver.tracking(30_000, 'device');
    driver.observation(0, alive(0));
    driver.observation(1000, observation);
    expect(driver.last('send').message).toMatchObject({ code: 'observation_invalid', fatal: false });
    expect(driver.last('update').update).toMatchObject({ outcome: 'refused', focusedMs: 0, unknownMs: 0 });
    observe(driver, 1200, 3000);
    expect(driver.last('update').update.outcome).toBe('processed');
  });

  it('O-3 a face whose numbers stay the same for 5 s is a frozen camera: unknown, not focused', () => {
    const driver = Driver.tracking(30_000, 'device');
    for (let atMs = 0; atMs <= 20_000; atMs += 200) driver.observation(atMs, faceAtScreen());
    const { update } = driver.last('update');
    expect(update).toMatchObject({ state: 'unknown', direction: 'unknown' });
    expect(update.focusedMs).toBeLessThan(6000);
    expect(update.unknownMs).toBeGreaterThan(13_000);
  });

  it('O-3 a device may say so itself, with "same"', () => {
    const driver = Driver.tracking(30_000, 'device');
    driver.observation(0, faceAtScreen());
    for (let atMs = 200; atMs <= 20_000; atMs += 200) driver.same(atMs);
    expect(driver.last('update').update.focusedMs).toBeLessThan(6000);
  });

  it('O-3 an empty room that looks the same stays an empty room', () => {
    const driver = Driver.tracking(30_000, 'device');
    for (let atMs = 0; atMs <= 20_000; atMs += 200) driver.observation(atMs, NO_FACE);
    expect(driver.last('update').update).toMatchObject({ state: 'unfocused', direction: 'no_face' });
  });

  it.each(['server', 'device'] as const)('F-10 what does not belong to %s mode is refused', (mode) => {
    const driver = Driver.tracking(30_000, mode);
    if (mode === 'server') driver.observation(0, alive(0));
    else driver.frame(0);
    expect(driver.last('send').message).toMatchObject({ code: 'frame_mode', fatal: false });
    expect(driver.last('update').update.outcome).toBe('refused');
    expect(driver.all('infer')).toEqual([]);
  });

  it('S-8 a change of mode cuts the window where it happened, and the session continues', () => {
    const driver = Driver.tracking();
    driver.watch(0, 10_000);
    driver.nowMs = T0 + 10_100;
    driver.start(10_100, null, 'device');
    observe(driver, 10_200, 20_000);
    driver.nowMs = T0 + 20_100;
    driver.start(20_100, null, 'server');
    driver.watch(20_200, 30_000);
    driver.dispatch({ type: 'control', message: { type: 'stop', atMs: 30_000 } });
    const windows = driver.all('save').map(({ window }) => window);
    expect(windows.map(({ mode, seq }) => [mode, seq])).toEqual([
      ['server', 0],
      ['device', 1],
      ['server', 2],
    ]);
    expect(windows.map(sumOf)).toEqual([10_100, 10_000, 9900]);
    expect(windows[1]?.startedAtMs).toBe(windows[0]?.endedAtMs);
    expect(driver.windowTotals().untrackedMs).toBe(0);
  });

  it('S-8 a frame that was on its way when the mode changed is answered and counts for nothing', () => {
    const driver = Driver.tracking();
    driver.watch(0, 2000);
    driver.frame(2200);
    driver.nowMs = T0 + 2300;
    driver.start(2300, null, 'device');
    driver.answer();
    expect(driver.last('update').update).toMatchObject({ captureMs: 2200, outcome: 'out_of_order' });
    observe(driver, 2400, 4000);
    expect(driver.last('update').update.outcome).toBe('processed');
  });
});

describe('an outage in device mode', () => {
  it('L-1 late observations are accounted at their capture time, before those that follow', () => {
    const before = Driver.tracking(30_000, 'device');
    observe(before, 0, 10_000);
    before.nowMs = T0 + 12_000;
    before.dispatch({ type: 'closed' });
    const { account } = before.last('detach');

    const after = new Driver();
    after.nowMs = T0 + 70_000;
    after.admit({ ...account, epoch: 1, seq: 0 }, true);
    after.start(70_000, null, 'device');
    for (let atMs = 10_200; atMs <= 70_000; atMs += 500) {
      after.nowMs += 15;
      after.observation(atMs, alive(atMs), true);
    }
    observe(after, 71_000, 75_000);
    expect(after.all('update').every(({ update }) => update.outcome === 'processed')).toBe(true);
    const { update } = after.last('update');
    expect(update).toMatchObject({ untrackedMs: 0, unfocusedMs: 0 });
    expect(update.focusedMs).toBeGreaterThan(73_000);
  });

  it('L-2 one that comes twice, or after a newer one, is out of order and counts once', () => {
    const driver = Driver.tracking(30_000, 'device');
    observe(driver, 0, 4000, true);
    const counted = driver.last('update').update;
    observe(driver, 0, 3800, true);
    expect(driver.last('update').update).toMatchObject({
      outcome: 'out_of_order',
      focusedMs: counted.focusedMs,
      unknownMs: counted.unknownMs,
    });
  });

  it('L-3 what an outage left comes fast without being taken for a flood', () => {
    const driver = Driver.tracking(30_000, 'device');
    driver.nowMs = T0 + 120_000;
    for (let atMs = 0; atMs <= 100_000; atMs += 500) {
      driver.nowMs += 15;
      driver.observation(atMs, alive(atMs), true);
    }
    expect(driver.state.phase).toBe('tracking');
    expect(driver.last('update').update).toMatchObject({ outcome: 'processed', untrackedMs: 0 });
  });

  it('L-3 late observations without end are a flood like any other', () => {
    const driver = Driver.tracking(30_000, 'device');
    driver.nowMs = T0 + 120_000;
    for (let atMs = 0; atMs <= 100_000; atMs += 100) driver.observation(atMs, alive(atMs), true);
    expect(driver.last('close').code).toBe(4429);
  });

  it('a mode that was changed while offline is the mode of the time after it', () => {
    const driver = new Driver();
    driver.admit(newAccount());
    driver.start(0, null, 'device');
    observe(driver, 0, 2000);
    driver.dispatch({ type: 'closed' });
    expect(driver.all('save').map(({ window }) => window.mode)).toEqual(['device']);
  });
});
