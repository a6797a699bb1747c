import { describe, expect, it } from 'vitest';
import { openAccount, type SessionAccount } from '../../../../gateway/session/account.ts';
import { centreRecordOf, onDevice, withCalibration } from '../../../../gateway/session/account-calibration.ts';
import { CALIBRATION_LIMIT_MS, FINISH_DEADLINE_MS } from '../../../../gateway/session/calibration.ts';
import { NO_FACE } from '../../../../harness/observations.ts';
import { CALIBRATION_VERSION, fitCalibration } from '../../../../shared/focus/calibration.ts';
import { CENTRE_VERSION } from '../../../../shared/focus/own-centre.ts';
import type { FaceObservation } from '../../../../shared/observation.ts';
import { gazeOf } from '../../../../shared/vision/gaze.ts';
import { DEFAULT_SETUP, targetAnglesOf } from '../../../../shared/vision/screen.ts';
import { FIVE_PLACES, lookingAt, READ_TRUE, shownPoints } from '../../../support/calibrating.ts';
import { at, CAMERA, Calibrating, calibrated, DEVICE, EACH_MS, finishedEarly, OFF } from './calibrating-driver.ts';
import { Driver, newAccount, SESSION_ID, T0 } from './driver.ts';

describe('calibrating', () => {
  it("K-5 a student's own zero and gain are taken out from the next sample on", () => {
    const driver = calibrated();
    const { message, record } = driver.last('keep_calibration');
    expect(message).toMatchObject({ type: 'calibrated', version: CALIBRATION_VERSION, applied: true });
    expect(message.points).toEqual(FIVE_PLACES.map(() => ({ ok: true, readings: 5 })));
    expect(message.yawErrorDeg).toBeLessThan(2);
    expect(message.pitchErrorDeg).toBeLessThan(2);
    expect(record).toMatchObject({ userId: 7, deviceId: DEVICE, createdAtMs: driver.nowMs, pointCount: 5 });
    expect(driver.account.tracker.calibration).toEqual(record.calibration);

    // Looking at the lower left corner is read far below and beside it, and is on the screen all the same.
    const corner = lookingAt(0.05, 0.95, CAMERA, OFF);
    driver.watch(7000, 9000, 200, corner);
    expect(driver.last('update').update).toMatchObject({ state: 'focused', direction: 'centered' });
    const uncalibrated = Driver.tracking();
    uncalibrated.watch(0, 2000, 200, corner);
    expect(uncalibrated.last('update').update.state).toBe('unfocused');
  });

  it('K-5 the screen is as large as it looks from where the camera sees the student sit', () => {
    const { calibration } = calibrated(DEVICE, READ_TRUE).last('keep_calibration').record;
    expect(calibration.setup.distanceCm).toBeLessThan(DEFAULT_SETUP.distanceCm);
    expect(calibration.correction.placeYawDeg).toBeCloseTo(0, 1);
    const target = targetAnglesOf(0.5, 0.5);
    const { face } = lookingAt(0.5, 0.5, CAMERA);
    if (face === null) throw new Error('a face is expected');
    expect(gazeOf(face, calibration.correction).yawDeg).toBeCloseTo(target.yawDeg, 0);
  });

  it('K-5 a student who does not follow the points is not calibrated, and the calibration in use stays', () => {
    const driver = Calibrating.on(DEVICE);
    const points = shownPoints(1000, EACH_MS);
    driver.begin();
    driver.look(points, () => lookingAt(0.5, 0.5, CAMERA));
    driver.finish(points);
    const answer = driver.told('calibrated');
    expect(answer).toMatchObject({ applied: false, kept: false });
    expect(answer?.yawErrorDeg).toBeGreaterThan(8);
    expect(driver.all('keep_calibration')).toEqual([]);
    expect(driver.account.tracker.calibration).toBeNull();
  });

  it('K-5 without a device it holds for the session alone', () => {
    const driver = calibrated(null);
    expect(driver.told('calibrated')).toMatchObject({ applied: true, kept: false });
    expect(driver.all('keep_calibration')).toEqual([]);
    expect(driver.account.tracker.calibration).not.toBeNull();
  });

  it('K-5 the window before it says that there was none, the one after it which', () => {
    const driver = calibrated();
    driver.watch(7000, 9000);
    driver.dispatch({ type: 'control', message: { type: 'stop', atMs: 9000 } });
    const [before, after] = driver.all('save').map(({ window }) => window);
    expect(before).toMatchObject({ calibrationVersion: null, calibratedAtMs: null });
    expect(after).toMatchObject({
      calibrationVersion: CALIBRATION_VERSION,
      calibratedAtMs: driver.last('keep_calibration').record.createdAtMs,
    });
    expect(before?.endedAtMs).toBe(after?.startedAtMs);
  });

  it('K-2 readings of a turning head belong to the calibration, which waits for their frames, and need not be there', () => {
    const still = calibrated(DEVICE).last('keep_calibration').record.calibration;
    const driver = Calibrating.on(DEVICE);
    const points = shownPoints(1000, EACH_MS);
    const turning = { across: 0.5, down: 0.5, fromMs: 6000, untilMs: 9000 };
    driver.begin();
    driver.look(points, (point) => at(point));
    const turned = (headYawDeg: number): FaceObservation => {
      const seen = lookingAt(0.5, 0.5, CAMERA, OFF);
      if (seen.face === null) throw new Error('a face is expected');
      // Eyes that turn back a third less than the head was turned.
      const eye = { ...seen.face.imageLeftEye, yawDeg: OFF.yawOffsetDeg - headYawDeg * 0.7 };
      return { ...seen, face: { ...seen.face, headYawDeg, imageLeftEye: eye, imageRightEye: eye } };
    };
    for (let i = 0; i < 15; i++) {
      driver.frame(6000 + i * 190);
      if (i < 14) driver.answer(turned(-20 + Math.floor(i / 3) * 10));
    }
    driver.dispatch({ type: 'control', message: { type: 'calibrate_finish', points, screen: null, turning } });
    expect(driver.told('calibrated')).toBeUndefined();
    driver.answer(turned(20));
    const { message, record } = driver.last('keep_calibration');
    expect(message.points).toEqual(FIVE_PLACES.map(() => ({ ok: true, readings: 5 })));
    expect(record.pointCount).toBe(5);
    const gainOf = ({ correction }: typeof still) => correction.imageLeftEye.yawGain;
    expect(gainOf(record.calibration)).toBeGreaterThan(gainOf(still) + 0.05);
    driver.begin();
    driver.look(shownPoints(12_000, EACH_MS), (point) => at(point));
    const without = { ...turning, fromMs: 18_000, untilMs: 19_000 };
    driver.dispatch({
      type: 'control',
      message: { type: 'calibrate_finish', points: shownPoints(12_000, EACH_MS), screen: null, turning: without },
    });
    expect(gainOf(driver.last('keep_calibration').record.calibration)).toBeCloseTo(gainOf(still), 6);
  });

  it('K-6 its time is untracked, neither for nor against the student', () => {
    const driver = calibrated();
    const { window } = driver.last('save');
    expect(window.unfocusedMs).toBe(0);
    expect(window.focusedMs).toBe(0);
    expect(window.unknownMs).toBe(0);
    expect(window.untrackedMs).toBe(driver.account.lastCaptureMs);
  });

  it('K-4 blinks, glances elsewhere and turned heads are no readings of a point', () => {
    const driver = Calibrating.on(DEVICE);
    const points = shownPoints(1000, EACH_MS);
    driver.begin();
    let reading = 0;
    driver.look(points, (point) => {
      const seen = at(point);
      if (seen.face === null || reading++ % 5 > 0) return seen;
      const shut = { ...seen.face.imageLeftEye, openness: 0.02 };
      return { ...seen, face: { ...seen.face, imageLeftEye: shut, imageRightEye: shut } };
    });
    driver.finish(points);
    expect(driver.last('keep_calibration').message.points).toEqual(FIVE_PLACES.map(() => ({ ok: true, readings: 4 })));
  });

  it('K-4 says which points to show once more, and takes them with the next finish', () => {
    const driver = Calibrating.on(DEVICE);
    const points = shownPoints(1000, EACH_MS);
    driver.begin();
    driver.look(points, (point, i) => (i === 1 || i === 3 ? NO_FACE : at(point)));
    driver.finish(points);
    expect(driver.told('calibration_refused')).toMatchObject({
      reason: 'too_few_readings',
      points: [{ ok: true }, { ok: false, readings: 0 }, { ok: true }, { ok: false }, { ok: true }],
    });
    const again = points.map((point, i) =>
      i === 1 || i === 3 ? { ...point, fromMs: point.fromMs + 6000, untilMs: point.untilMs + 6000 } : point,
    );
    driver.look(
      again.filter((_, i) => i === 1 || i === 3),
      (point) => at(point),
    );
    driver.finish(again);
    expect(driver.last('keep_calibration').message).toMatchObject({ applied: true });
  });

  it('K-4 one failed point of five is left out', () => {
    const driver = Calibrating.on(DEVICE);
    const points = shownPoints(1000, EACH_MS);
    driver.begin();
    driver.look(points, (point, i) => (i === 4 ? NO_FACE : at(point)));
    driver.finish(points);
    const { message, record } = driver.last('keep_calibration');
    expect(message.points[4]).toEqual({ ok: false, readings: 0 });
    expect(record.pointCount).toBe(4);
  });

  it('K-1 SAME messages measure nothing, OBSERVATION messages do', () => {
    const driver = Calibrating.on(DEVICE);
    const points = shownPoints(1000, EACH_MS);
    driver.dispatch({
      type: 'control',
      message: { type: 'start', camera: CAMERA, sectionId: null, mode: 'device', atMs: 0 },
    });
    driver.begin();
    for (const [i, point] of points.entries()) {
      for (let step = 0; step < 4; step++) {
        const captureMs = point.fromMs + step * 200;
        driver.nowMs = T0 + captureMs;
        const message = {
          kind: 'observation',
          seq: i * 4 + step,
          captureMs,
          late: false,
          observation: at(point),
        } as const;
        driver.dispatch({ type: 'message', message, bytes: 56, digest: null });
      }
      driver.same(point.untilMs);
    }
    driver.finish(points);
    expect(driver.last('keep_calibration').message.points).toEqual(FIVE_PLACES.map(() => ({ ok: true, readings: 4 })));
  });

  it('K-2 frames of the last point that are still being inferred are waited for', () => {
    const driver = finishedEarly();
    expect(driver.told('calibrated') ?? driver.all('keep_calibration')[0]).toBeUndefined();
    driver.answer(lookingAt(0.9, 0.9, CAMERA, OFF));
    expect(driver.last('keep_calibration').message.points[4]).toEqual({ ok: true, readings: 6 });
  });

  it('K-2 but not for longer than two seconds', () => {
    const driver = finishedEarly();
    driver.nowMs += FINISH_DEADLINE_MS;
    driver.dispatch({ type: 'tick' });
    expect(driver.all('keep_calibration')).toHaveLength(1);
  });

  it.each([
    ['a start', { type: 'start', camera: CAMERA, sectionId: null, mode: 'server', atMs: 6000 }],
    ['a stop', { type: 'stop', atMs: 6000 }],
    ['another calibrate', { type: 'calibrate' }],
  ] as const)('K-3 %s cuts it off, and the pending finish is answered so', (_name, message) => {
    const driver = finishedEarly();
    driver.dispatch({ type: 'control', message });
    expect(driver.told('calibration_refused')?.reason).toBe('interrupted');
    expect(driver.all('keep_calibration')).toEqual([]);
  });

  it('K-3 a finish without an open calibration is answered so, before a start too', () => {
    const driver = Calibrating.on(DEVICE);
    driver.finish(shownPoints(0, EACH_MS));
    expect(driver.told('calibration_refused')?.reason).toBe('not_open');
    driver.dispatch({ type: 'control', message: { type: 'stop', atMs: 0 } });
    driver.finish(shownPoints(0, EACH_MS));
    expect(driver.all('send').filter(({ message }) => message.type === 'calibration_refused')).toHaveLength(2);
    driver.begin();
    expect(driver.told('error')?.code).toBe('control_unexpected');
  });

  it('K-6 it ends by itself after a minute, and at once when it is aborted', () => {
    const driver = Calibrating.on(DEVICE);
    driver.begin();
    driver.watch(200, 5000);
    driver.dispatch({ type: 'control', message: { type: 'calibrate_abort' } });
    driver.watch(5200, 8000);
    expect(driver.last('update').update.state).toBe('focused');
    driver.begin();
    driver.nowMs += CALIBRATION_LIMIT_MS;
    driver.dispatch({ type: 'tick' });
    driver.watch(70_000, 73_000);
    expect(driver.last('update').update.state).toBe('focused');
  });

  it("K-1 the seed's rule knows no calibration", () => {
    const driver = new Calibrating();
    driver.admit(openAccount({ sessionId: SESSION_ID, userId: 7, moduleId: 22, rule: 'seed' }));
    driver.start();
    driver.begin();
    expect(driver.told('calibration_refused')?.reason).toBe('rule');
  });
});

describe('the calibration of a session', () => {
  const faces = FIVE_PLACES.map(([across, down]) => {
    const { face } = lookingAt(across, down, CAMERA, OFF);
    if (face === null) throw new Error('a face is expected');
    const { yawDeg, pitchDeg } = targetAnglesOf(across, down);
    return { targetYawDeg: yawDeg, targetPitchDeg: pitchDeg, faces: [face, face, face] };
  });
  const calibration = fitCalibration(faces, DEFAULT_SETUP);
  const dated = (createdAtMs: number) => ({ calibration, createdAtMs });
  const using = (deviceId: string | null, createdAtMs: number) =>
    withCalibration({ ...newAccount(), deviceId }, dated(createdAtMs));

  it('K-7 welcome says how old it is and how exact', () => {
    const driver = new Calibrating();
    driver.admit(onDevice(newAccount(), DEVICE, dated(T0 - 86_400_000)));
    expect(driver.told('welcome')?.calibration).toEqual({
      version: CALIBRATION_VERSION,
      ageMs: 86_400_000,
      yawErrorDeg: calibration.validationYawDeg,
      pitchErrorDeg: calibration.validationPitchDeg,
    });
    expect(Calibrating.on(DEVICE).told('welcome')?.calibration).toBeNull();
  });

  it('K-7 is that of the device', () => {
    expect(onDevice(using(DEVICE, T0), SESSION_ID, null).tracker.calibration).toBeNull();
    expect(onDevice(using(DEVICE, T0), SESSION_ID, 'unknown').tracker.calibration).toBeNull();
    expect(onDevice(using(DEVICE, T0), null, null).tracker.calibration).toBeNull();
    expect(onDevice(newAccount(), DEVICE, dated(T0)).calibratedAtMs).toBe(T0);
  });

  it('K-7 a session continues while the stored calibration is unknown', () => {
    expect(onDevice(using(DEVICE, T0), DEVICE, 'unknown').calibratedAtMs).toBe(T0);
    expect(onDevice(using(null, T0), null, null).calibratedAtMs).toBe(T0);
  });

  it('K-7 is the newest: a newer one that could not be kept stays', () => {
    expect(onDevice(using(DEVICE, T0), DEVICE, dated(T0 + 1)).calibratedAtMs).toBe(T0 + 1);
    expect(onDevice(using(DEVICE, T0), DEVICE, dated(T0 - 1)).calibratedAtMs).toBe(T0);
    expect(onDevice(using(DEVICE, T0), DEVICE, null).calibratedAtMs).toBe(T0);
  });

  it('K-7 without one is the own centre that an earlier session learnt there, believed for a while', () => {
    const centre = { yawDeg: 2, pitchDeg: -9, learntMs: 600_000 };
    const openLevel = { level: 0.2, learntMs: 600_000 };
    const found = { calibration: { version: CENTRE_VERSION, centre, openLevel }, createdAtMs: T0 } as const;
    const { tracker, calibratedAtMs } = onDevice(newAccount(), DEVICE, found);
    expect(tracker).toMatchObject({ calibration: null, centre: { yawDeg: 2, pitchDeg: -9 } });
    expect(tracker.centre.learntMs).toBeLessThan(60_000);
    // So is how wide the student's eyes are open: narrow eyes are not taken for closed ones at the start.
    expect(tracker.openLevel.level).toBe(0.2);
    expect(tracker.openLevel.learntMs).toBeLessThan(60_000);
    expect(calibratedAtMs).toBeNull();
    // A resumed session has learnt since, and a calibration is worth more.
    expect(onDevice(using(DEVICE, T0), DEVICE, found).calibratedAtMs).toBe(T0);
    const resumed = { ...onDevice(newAccount(), DEVICE, null) };
    expect(onDevice(resumed, DEVICE, found).tracker.centre).toEqual(resumed.tracker.centre);
  });

  it('a session without a calibration keeps the centre it has learnt, once it is worth it', () => {
    const driver = Calibrating.on(DEVICE);
    const learnt = (account: SessionAccount) => centreRecordOf({ ...account, deviceId: DEVICE });
    driver.watch(0, 20_000, 200, lookingAt(0.5, 0.5, CAMERA, OFF));
    expect(learnt(driver.account)).toBeNull();
    driver.watch(20_200, 90_000, 200, lookingAt(0.5, 0.5, CAMERA, OFF));
    const record = learnt(driver.account);
    expect(record).toMatchObject({
      userId: 7,
      deviceId: DEVICE,
      createdAtMs: T0,
      calibration: { version: CENTRE_VERSION },
    });
    const { centre, openLevel } = driver.account.tracker;
    expect(record?.calibration).toMatchObject({ centre, openLevel });
    expect(driver.account.tracker.centre.pitchDeg).toBeLessThan(-3);
    expect(centreRecordOf({ ...driver.account, deviceId: null })).toBeNull();
    expect(learnt(using(DEVICE, T0))).toBeNull();
  });

  it("K-7 is none under the seed's rule", () => {
    const account = openAccount({ sessionId: SESSION_ID, userId: 7, moduleId: 22, rule: 'seed' });
    expect(onDevice(account, DEVICE, dated(T0))).toMatchObject({
      calibratedAtMs: null,
      tracker: { calibration: null },
    });
  });
});
