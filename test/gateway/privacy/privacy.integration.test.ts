import mysql from 'mysql2/promise';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eyelearn } from '../../../gateway/eyelearn/platform.ts';
import type { Platform } from '../../../gateway/platform.ts';
import { NO_PLATFORM_RECORDS } from '../../../gateway/privacy/platform-records.ts';
import { applyRetention } from '../../../gateway/privacy/retention.ts';
import { retentionSchedule } from '../../../gateway/privacy/schedule.ts';
import { deleteStudent, exportStudent, writeAudit } from '../../../gateway/privacy/student.ts';
import { createMysqlStore } from '../../../gateway/store/mysql/store.ts';
import type { MetricsStore } from '../../../gateway/store/port.ts';
import { createEyelearnDayTables, createEyelearnTables } from '../../../harness/eyelearn-schema.ts';
import { startTestGateway } from '../../../harness/gateway.ts';
import { type MariaDb, startMariaDb } from '../../../harness/mariadb.ts';
import { Peer } from '../../../harness/peer.ts';
import { CLOSE } from '../../../shared/protocol/errors.ts';
import { SUBPROTOCOL } from '../../../shared/protocol/version.ts';
import { captureLog } from '../../support/log-capture.ts';
import { describeStores } from '../store/fixtures.ts';
import { metricsWindow, SESSION_A, SESSION_B, START_MS, windowSeries } from '../store/windows.ts';

const DAY_MS = 86_400_000;
const NOTHING_HERE = { forgetOlder: async () => ({}), exportOf: async () => ({}) };
const TEACHER = { userId: 50, role: 'teacher' };

describeStores('the data of students in a $kind store', ({ fixture, store }) => {
  async function countOf(table: string): Promise<number> {
    const [row] = await fixture().query(`SELECT COUNT(*) AS n FROM ${table}`);
    return Number(row?.n);
  }

  /** Sixty sessions of two windows, one a day, all of student 7. */
  async function fillDays(): Promise<void> {
    for (let day = 0; day < 60; day += 1) {
      const startedAtMs = START_MS + day * DAY_MS;
      const sessionId = `00000000-0000-4000-8000-${String(day).padStart(12, '0')}`;
      await store().applyWindows(
        [0, 1].map((seq) =>
          metricsWindow({
            sessionId,
            seq,
            sessionStartedAtMs: startedAtMs,
            startedAtMs: startedAtMs + seq * 30_000,
            endedAtMs: startedAtMs + (seq + 1) * 30_000,
          }),
        ),
      );
    }
  }

  it('is kept where no limit is set', async () => {
    await fillDays();
    expect(
      await applyRetention(
        store(),
        NO_PLATFORM_RECORDS,
        { detailDays: null, totalsDays: null },
        START_MS + 1000 * DAY_MS,
      ),
    ).toEqual({
      deleted: {},
      isDone: true,
    });
    expect(await countOf('relay_windows')).toBe(120);
  });

  it('goes table by table when it is too old, in steps that can be interrupted', async () => {
    await fillDays();
    const nowMs = START_MS + 60 * DAY_MS;
    const rules = { detailDays: 10, totalsDays: 30 };
    let steps = 0;
    const deleted: Record<string, number> = {};
    for (let isDone = false; !isDone; steps += 1) {
      const step = await applyRetention(store(), NO_PLATFORM_RECORDS, rules, nowMs, 1);
      isDone = step.isDone;
      for (const [table, count] of Object.entries(step.deleted)) deleted[table] = (deleted[table] ?? 0) + count;
    }
    expect(steps).toBeGreaterThan(2);
    expect(await countOf('relay_windows')).toBe(20);
    expect(await countOf('relay_bouts')).toBe(40);
    expect(await countOf('relay_sessions')).toBe(30);
    expect(await countOf('relay_hours')).toBe(30);
    expect(deleted).toMatchObject({ relay_windows: 100, relay_bouts: 200, relay_sessions: 30, relay_hours: 30 });
    // A day later one more day goes.
    await applyRetention(store(), NO_PLATFORM_RECORDS, rules, nowMs + DAY_MS);
    expect(await countOf('relay_windows')).toBe(18);
    expect(await countOf('relay_sessions')).toBe(29);
  });

  it('stays where no retention is configured and some is older than the default, which is logged', async () => {
    await fillDays();
    const log = captureLog();
    const unset = { detailDays: 10, totalsDays: 30, isChosen: false };
    const schedule = retentionSchedule(store(), NO_PLATFORM_RECORDS, NOTHING_HERE, unset, log.logger);
    const nowMs = START_MS + 60 * DAY_MS;
    await schedule.announce(nowMs);
    expect(log.codes()).toEqual(['retention_unset']);
    schedule.tick(nowMs);
    await schedule.idle();
    expect(await countOf('relay_windows')).toBe(120);
    const set = retentionSchedule(store(), NO_PLATFORM_RECORDS, NOTHING_HERE, { ...unset, isChosen: true }, log.logger);
    set.tick(nowMs);
    await set.idle();
    expect(await countOf('relay_windows')).toBeLessThan(120);
  });

  it('goes by the default where that held from the beginning', async () => {
    const log = captureLog();
    const unset = { detailDays: 10, totalsDays: 30, isChosen: false };
    await retentionSchedule(store(), NO_PLATFORM_RECORDS, NOTHING_HERE, unset, log.logger).announce(START_MS);
    await fillDays();
    const later = retentionSchedule(store(), NO_PLATFORM_RECORDS, NOTHING_HERE, unset, log.logger);
    await later.announce(START_MS + 60 * DAY_MS);
    later.tick(START_MS + 60 * DAY_MS);
    await later.idle();
    expect(log.codes()).toEqual([]);
    expect(await countOf('relay_windows')).toBeLessThan(120);
  });

  it('goes once a day by the gateway itself, piece by piece, while there are students', async () => {
    await fillDays();
    const log = captureLog();
    const rules = { detailDays: 10, totalsDays: null, isChosen: true };
    const schedule = retentionSchedule(store(), NO_PLATFORM_RECORDS, NOTHING_HERE, rules, log.logger);
    let nowMs = START_MS + 60 * DAY_MS;
    let looks = 0;
    for (; Number((await fixture().query('SELECT MIN(session_id) AS id FROM relay_windows'))[0]?.id) < 51; looks += 1) {
      schedule.tick(nowMs);
      await schedule.idle();
      nowMs += 5000;
    }
    expect(looks).toBeGreaterThan(0);
    schedule.tick(nowMs);
    await schedule.idle();
    // Another gateway of this database leaves it alone for the rest of the day, and does it on the next.
    const other = retentionSchedule(store(), NO_PLATFORM_RECORDS, NOTHING_HERE, rules, log.logger);
    other.tick(nowMs + DAY_MS / 2);
    await other.idle();
    expect(await countOf('relay_windows')).toBe(20);
    other.tick(nowMs + DAY_MS);
    await other.idle();
    expect(await countOf('relay_windows')).toBe(18);
  });

  it('waits with that for a database that is away', async () => {
    await fillDays();
    const log = captureLog();
    const schedule = retentionSchedule(
      store(),
      NO_PLATFORM_RECORDS,
      NOTHING_HERE,
      { detailDays: 10, totalsDays: null, isChosen: true },
      log.logger,
    );
    const nowMs = START_MS + 60 * DAY_MS - 700_000;
    await fixture().cutOff();
    schedule.tick(nowMs);
    await schedule.idle();
    await fixture().restore();
    expect(log.codes()).toEqual(['store_unreachable']);
    schedule.tick(nowMs + 1000);
    await schedule.idle();
    expect(await countOf('relay_windows')).toBe(120);
    schedule.tick(nowMs + 600_000);
    await schedule.idle();
    expect(await countOf('relay_windows')).toBe(20);
  });

  it('is exported whole, and of no other student', async () => {
    await store().applyWindows([...windowSeries(3), metricsWindow({ sessionId: SESSION_B, userId: 8 })]);
    const exported = await exportStudent(store(), NO_PLATFORM_RECORDS, NOTHING_HERE, 7, START_MS);
    expect(exported.tables.relay_windows).toHaveLength(3);
    expect(exported.tables.relay_bouts).toHaveLength(6);
    expect(exported.tables.relay_sessions).toMatchObject([{ session_uuid: SESSION_A, user_id: 7 }]);
    expect(JSON.stringify(exported)).not.toContain(SESSION_B);
  });

  it('is deleted whole, and of no other student, with a line in the log', async () => {
    await store().applyWindows([...windowSeries(3), metricsWindow({ sessionId: SESSION_B, userId: 8 })]);
    expect(await deleteStudent(store(), NO_PLATFORM_RECORDS, 7, START_MS, TEACHER)).toMatchObject({
      relay_windows: 3,
      relay_sessions: 1,
    });
    const left = await exportStudent(store(), NO_PLATFORM_RECORDS, NOTHING_HERE, 7, START_MS);
    const { relay_audit: audit, ...data } = left.tables;
    for (const rows of Object.values(data)) expect(rows).toEqual([]);
    expect(audit).toMatchObject([{ actor_user_id: 50, actor_role: 'teacher', action: 'delete_student' }]);
    expect((await store().sessionReport(SESSION_B))?.windows).toHaveLength(1);
    expect(await store().sessionReport(SESSION_A)).toBeNull();
  });

  it('is not read without a line in the audit log', async () => {
    const line = {
      atMs: START_MS + 0.5,
      actor: TEACHER,
      action: 'read_report',
      subjectUserId: 7,
      detail: 'x'.repeat(300),
    };
    await writeAudit(store(), [line, { ...line, subjectUserId: 8, actor: { userId: null, role: 'operator' } }]);
    expect(await fixture().query('SELECT * FROM relay_audit ORDER BY id')).toMatchObject([
      { subject_user_id: 7, actor_user_id: 50, detail: 'x'.repeat(200) },
      { subject_user_id: 8, actor_user_id: null },
    ]);
  });
});

describe('beside EyeLearn', () => {
  let server: MariaDb;
  let url: string;
  let connection: mysql.Connection;
  let store: MetricsStore;
  let platform: Platform;

  beforeAll(async () => {
    server = await startMariaDb();
    url = await server.createDatabase('privacy');
    connection = await mysql.createConnection(url);
    await createEyelearnTables(connection, 'full');
    await createEyelearnDayTables(connection, 'both');
    platform = eyelearn({ php: null }, captureLog().logger);
    store = createMysqlStore({ url, logger: captureLog().logger, hooks: await platform.loadStoreHooks?.() });
    await store.migrate();
  });
  afterAll(async () => {
    await store.close();
    await connection.end();
    await server.stop();
  });

  it("asks EyeLearn's users for their agreement to the camera", async () => {
    await connection.query('UPDATE users SET camera_agreement_accepted = 0 WHERE id = 8');
    expect(await platform.hasConsent(store, 7)).toBe(true);
    expect(await platform.hasConsent(store, 8)).toBe(false);
    expect(await platform.hasConsent(store, 99)).toBeNull();
  });

  it('tracks no student who has not agreed to the camera', async () => {
    await connection.query('UPDATE users SET camera_agreement_accepted = 0 WHERE id = 8');
    const gateway = await startTestGateway({ MYSQL_URL: url });
    try {
      const refused = await Peer.open(gateway.url);
      refused.sendControl({ type: 'hello', protocol: SUBPROTOCOL, ticket: await gateway.ticket(8), client: 'test' });
      await refused.fault('consent_missing');
      expect(await refused.closed).toBe(CLOSE.forbidden);
      const admitted = await Peer.open(gateway.url);
      await admitted.hello(await gateway.ticket(7));
      await admitted.close();
    } finally {
      await gateway.dispose();
    }
  });

  it("hands out a student's rows there too, and of no other", async () => {
    await store.applyWindows([...windowSeries(3), ...windowSeries(3, { sessionId: SESSION_B, userId: 8 })]);
    const { tables } = await exportStudent(store, platform.records, NOTHING_HERE, 7, START_MS);
    expect(tables.eye_tracking_sessions).toMatchObject([{ user_id: 7, total_time_seconds: 79 }]);
    for (const table of ['eye_tracking_analytics', 'daily_analytics', 'user_study_sessions']) {
      expect(tables[table]).toMatchObject([{ user_id: 7 }]);
    }
    expect(tables.focus_events).toHaveLength(12);
    await deleteStudent(store, platform.records, 7, START_MS, TEACHER);
    await deleteStudent(store, platform.records, 8, START_MS, TEACHER);
  });

  it("deletes a student's rows there too, and leaves what others wrote", async () => {
    await connection.query(
      'INSERT INTO eye_tracking_sessions (user_id, module_id, total_time_seconds) VALUES (7, 3, 100)',
    );
    await store.applyWindows([...windowSeries(3), ...windowSeries(3, { sessionId: SESSION_B, userId: 8 })]);
    const deleted = await deleteStudent(store, platform.records, 7, START_MS, TEACHER);
    expect(deleted).toMatchObject({
      eye_tracking_sessions: 1,
      eye_tracking_analytics: 1,
      daily_analytics: 1,
      user_study_sessions: 1,
      focus_events: 12,
    });
    const [rows] = await connection.query(
      'SELECT user_id, total_time_seconds FROM eye_tracking_sessions ORDER BY user_id',
    );
    expect(rows).toEqual([
      { user_id: 7, total_time_seconds: 100 },
      { user_id: 8, total_time_seconds: 79 },
    ]);
  });

  it('deletes what is too old there too, but no row that has time of others in it', async () => {
    const count = async (table: string) => {
      const [rows] = await connection.query<mysql.RowDataPacket[]>(
        `SELECT COUNT(*) AS n FROM ${table} WHERE user_id >= 8`,
      );
      return Number(rows[0]?.n);
    };
    await store.applyWindows(windowSeries(3, { sessionId: SESSION_A, userId: 9 }));
    await connection.query('UPDATE daily_analytics SET total_focused_time_seconds = 500 WHERE user_id = 9');
    const rules = { detailDays: null, totalsDays: 30 };
    expect(await applyRetention(store, platform.records, rules, START_MS + 29 * DAY_MS)).toMatchObject({
      isDone: true,
    });
    expect(await count('eye_tracking_sessions')).toBe(2);
    const { deleted } = await applyRetention(store, platform.records, rules, START_MS + 32 * DAY_MS);
    expect(deleted).toMatchObject({
      eye_tracking_sessions: 2,
      // EyeLearn knows no student 9 and refuses that row.
      user_study_sessions: 1,
      eye_tracking_analytics: 2,
      daily_analytics: 1,
      focus_events: 24,
      relay_sessions: 2,
      relay_eyelearn_rows: 2,
    });
    for (const table of ['eye_tracking_sessions', 'eye_tracking_analytics', 'user_study_sessions']) {
      expect(await count(table)).toBe(0);
    }
    expect(await count('daily_analytics')).toBe(1);
  });
});
