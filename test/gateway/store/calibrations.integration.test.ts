import { expect, it } from 'vitest';
import { NO_PLATFORM_RECORDS } from '../../../gateway/privacy/platform-records.ts';
import { applyRetention } from '../../../gateway/privacy/retention.ts';
import { deleteStudent, exportStudent } from '../../../gateway/privacy/student.ts';
import { newestCalibration, saveCalibrations } from '../../../gateway/store/calibrations.ts';
import { CALIBRATION_VERSION } from '../../../shared/focus/calibration.ts';
import { aCalibration, aCentre, DEVICE_A, DEVICE_B } from './calibrations.ts';
import { describeStores } from './fixtures.ts';
import { metricsWindow, START_MS } from './windows.ts';

const DAY_MS = 86_400_000;
const OPERATOR = { userId: null, role: 'operator' };

describeStores('calibrations in a $kind store', ({ fixture, store }) => {
  async function change(sql: string, value: string | number): Promise<void> {
    await store().execute([{ sql, values: [value] }]);
  }

  it('come back as they were', async () => {
    const record = aCalibration({ calibration: { ...aCalibration().calibration, validationPitchDeg: null } });
    await saveCalibrations(store(), [record]);
    expect(await newestCalibration(store(), 7, DEVICE_A, CALIBRATION_VERSION)).toEqual(record);
    expect(await fixture().query('SELECT * FROM relay_calibrations')).toMatchObject([
      { version: CALIBRATION_VERSION, point_count: 5, validation_yaw_deg: 2.5, validation_pitch_deg: null },
    ]);
  });

  it('are there once, however often they are stored', async () => {
    await saveCalibrations(store(), [aCalibration(), aCalibration()]);
    await saveCalibrations(store(), [aCalibration()]);
    expect(await fixture().query('SELECT user_id FROM relay_calibrations')).toHaveLength(1);
  });

  it('are the newest of the student on the device, made by the version that is asked for', async () => {
    await saveCalibrations(store(), [
      aCalibration({ createdAtMs: START_MS + 1 }),
      aCalibration({ createdAtMs: START_MS + 3, deviceId: DEVICE_B }),
      aCalibration({ createdAtMs: START_MS + 2 }),
      aCalibration({ createdAtMs: START_MS + 4, userId: 8 }),
    ]);
    expect((await newestCalibration(store(), 7, DEVICE_A, CALIBRATION_VERSION))?.createdAtMs).toBe(START_MS + 2);
    expect((await newestCalibration(store(), 7, DEVICE_B, CALIBRATION_VERSION))?.createdAtMs).toBe(START_MS + 3);
    expect(await newestCalibration(store(), 8, DEVICE_B, CALIBRATION_VERSION)).toBeNull();
    await change('UPDATE relay_calibrations SET version = 9 WHERE created_at_ms = ?', START_MS + 2);
    expect((await newestCalibration(store(), 7, DEVICE_A, CALIBRATION_VERSION))?.createdAtMs).toBe(START_MS + 1);
  });

  it('that are unreadable count as none', async () => {
    await saveCalibrations(store(), [aCalibration()]);
    await change('UPDATE relay_calibrations SET calibration_json = ?', '{"version":1}');
    expect(await newestCalibration(store(), 7, DEVICE_A, CALIBRATION_VERSION)).toBeNull();
    await change('UPDATE relay_calibrations SET calibration_json = ?', 'nonsense');
    expect(await newestCalibration(store(), 7, DEVICE_A, CALIBRATION_VERSION)).toBeNull();
  });

  it('stand in the windows that they were used in', async () => {
    await store().applyWindows([
      metricsWindow(),
      metricsWindow({ seq: 1, calibrationVersion: CALIBRATION_VERSION, calibratedAtMs: START_MS }),
    ]);
    const report = await store().sessionReport(metricsWindow().sessionId);
    expect(report?.windows).toMatchObject([
      { calibrationVersion: null, calibratedAtMs: null },
      { calibrationVersion: CALIBRATION_VERSION, calibratedAtMs: START_MS },
    ]);
  });

  it('come before own centres, which are there for who has none, and are in no view of calibrations', async () => {
    const newest = () => newestCalibration(store(), 7, DEVICE_A, CALIBRATION_VERSION);
    await saveCalibrations(store(), [aCentre({ createdAtMs: START_MS + 1 }), aCentre({ createdAtMs: START_MS + 5 })]);
    expect(await newest()).toEqual(aCentre({ createdAtMs: START_MS + 5 }));
    expect(await fixture().query('SELECT version FROM relay_report_calibrations')).toEqual([]);
    await saveCalibrations(store(), [aCalibration({ createdAtMs: START_MS + 2 })]);
    expect(await newest()).toEqual(aCalibration({ createdAtMs: START_MS + 2 }));
    expect(await fixture().query('SELECT version FROM relay_report_calibrations')).toHaveLength(1);
  });

  it('are in the views: which is the newest on each device, and what each window was measured with', async () => {
    await saveCalibrations(store(), [
      aCalibration(),
      aCalibration({ createdAtMs: START_MS + 1, pointCount: 4 }),
      aCalibration({ createdAtMs: START_MS + 2, deviceId: DEVICE_B }),
    ]);
    await store().applyWindows([
      metricsWindow({ calibrationVersion: CALIBRATION_VERSION, calibratedAtMs: START_MS + 1 }),
    ]);
    const rows = await fixture().query('SELECT * FROM relay_report_calibrations ORDER BY created_at_ms');
    expect(rows).toMatchObject([
      { user_id: 7, student_name: null, class_name: null, version: CALIBRATION_VERSION, point_count: 5, is_newest: 0 },
      { point_count: 4, validation_yaw_deg: 2.5, validation_pitch_deg: 3.75, is_newest: 1 },
      { device_id: DEVICE_B, is_newest: 1 },
    ]);
    expect(String(rows[0]?.created_at_utc)).toMatch(/^2026-03-02 08:00:00/);
    const joined = await fixture().query(
      `SELECT w.calibration_version, c.point_count FROM relay_report_windows w
       JOIN relay_report_calibrations c ON c.user_id = w.user_id AND c.created_at_ms = w.calibrated_at_ms`,
    );
    expect(joined).toEqual([{ calibration_version: CALIBRATION_VERSION, point_count: 4 }]);
  });

  it('are exported and deleted with the rest of a student’s data, and of no other student', async () => {
    await saveCalibrations(store(), [aCalibration(), aCalibration({ userId: 8 })]);
    const { tables } = await exportStudent(store(), NO_PLATFORM_RECORDS, { exportOf: async () => ({}) }, 7, START_MS);
    expect(tables.relay_calibrations).toMatchObject([{ user_id: 7, device_id: DEVICE_A }]);
    expect(await deleteStudent(store(), NO_PLATFORM_RECORDS, 7, START_MS, OPERATOR)).toMatchObject({
      relay_calibrations: 1,
    });
    expect(await fixture().query('SELECT user_id FROM relay_calibrations')).toEqual([{ user_id: 8 }]);
  });

  it('go with the totals when they are too old', async () => {
    await saveCalibrations(store(), [aCalibration(), aCalibration({ createdAtMs: START_MS + 20 * DAY_MS })]);
    await applyRetention(store(), NO_PLATFORM_RECORDS, { detailDays: null, totalsDays: 30 }, START_MS + 31 * DAY_MS);
    const left = await fixture().query('SELECT created_at_ms FROM relay_calibrations');
    expect(left.map((row) => Number(row.created_at_ms))).toEqual([START_MS + 20 * DAY_MS]);
  });
});
