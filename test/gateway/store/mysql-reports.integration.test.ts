import mysql from 'mysql2/promise';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { saveCalibrations } from '../../../gateway/store/calibrations.ts';
import { grantReaderRole, READER_ROLE } from '../../../gateway/store/mysql/reader-role.ts';
import type { MetricsStore } from '../../../gateway/store/port.ts';
import {
  createEyelearnQuizTables,
  createEyelearnTables,
  QUIZ_TABLES_VARIANTS,
} from '../../../harness/eyelearn-schema.ts';
import { type MariaDb, startMariaDb } from '../../../harness/mariadb.ts';
import { captureLog } from '../../support/log-capture.ts';
import { createEyelearnStore } from '../eyelearn/eyelearn-store.ts';
import { aCalibration } from './calibrations.ts';
import { metricsWindow, SESSION_B, windowSeries } from './windows.ts';

/** Rules of MySQL 8's default mode, which MariaDB leaves off. */
const READERS_MODE = 'ONLY_FULL_GROUP_BY,STRICT_TRANS_TABLES,NO_ZERO_DATE,NO_ZERO_IN_DATE,ERROR_FOR_DIVISION_BY_ZERO';

describe('the report views beside EyeLearn', () => {
  let server: MariaDb;
  let url: string;
  let connection: mysql.Connection;
  let store: MetricsStore;
  let count = 0;

  beforeAll(async () => {
    server = await startMariaDb({ timeZone: 'Asia/Manila' });
  });
  afterAll(() => server.stop());
  beforeEach(async () => {
    count += 1;
    url = await server.createDatabase(`reports_${count}`);
    connection = await mysql.createConnection({ uri: url, dateStrings: true, decimalNumbers: true });
    await connection.query('SET SESSION sql_mode = ?', [READERS_MODE]);
    store = createEyelearnStore({ url, logger: captureLog().logger });
  });
  afterEach(async () => {
    await store.close();
    await connection.end();
  });

  async function query(sql: string): Promise<mysql.RowDataPacket[]> {
    const [rows] = await connection.query<mysql.RowDataPacket[]>(sql);
    return rows;
  }

  async function fill(): Promise<void> {
    await saveCalibrations(store, [aCalibration()]);
    await store.applyWindows([
      ...windowSeries(4, { sectionId: 12 }),
      ...windowSeries(2, { sessionId: SESSION_B, userId: 8, moduleId: 4, sectionId: 14, focusedMs: 0 }),
    ]);
  }

  it('name students, classes, modules and lesson sections', async () => {
    await createEyelearnTables(connection, 'full');
    await store.migrate();
    await fill();
    expect(await query('SELECT * FROM relay_report_classes ORDER BY class_name')).toMatchObject([
      { class_name: 'BSIT-1A', student_count: 1, focused_ms: 81_000, focused_share_percent: 72.32 },
      { class_name: 'BSIT-1B', student_count: 1, focused_ms: 0, focused_share_percent: 0 },
    ]);
    expect(await query("SELECT * FROM relay_report_students WHERE class_name = 'BSIT-1A'")).toMatchObject([
      { user_id: 7, student_name: 'Ana Reyes' },
    ]);
    expect(await query('SELECT * FROM relay_report_sections ORDER BY module_id')).toMatchObject([
      { module_title: 'Networks', section_id: 12, section_title: 'Frames' },
      { module_title: 'Databases', section_id: 14, section_title: 'Keys' },
    ]);
    expect(await query("SELECT * FROM relay_report_class_bouts WHERE class_name = 'BSIT-1A'")).toMatchObject([
      { kind: 'focused', bout_count: 4, median_ms: 20_250 },
      { kind: 'unfocused', bout_count: 4, median_ms: 6500 },
    ]);
  });

  it.each(QUIZ_TABLES_VARIANTS)(
    'tell of focus before and after a quiz, from the %s tables of results',
    async (variant) => {
      await createEyelearnTables(connection, 'full');
      await createEyelearnQuizTables(connection, variant);
      await store.migrate();
      // From 16:00 to 16:02 in Manila.
      await fill();
      const percent = variant === 'new' ? ', percentage' : '';
      const of = (text: string) => (variant === 'new' ? text : '');
      await connection.query(
        `INSERT INTO quiz_results (user_id, module_id, quiz_id, score, completion_date${percent})
       VALUES (7, 3, 5, 8, '2026-03-02 16:01:00'${of(', 80')}), (8, 4, 6, 1, '2026-03-02 15:59:00'${of(', 10')})`,
      );
      await connection.query(
        variant === 'new'
          ? "INSERT INTO retake_results (user_id, module_id, quiz_id, score, completion_date, percentage) VALUES (7, 3, 5, 9, '2026-03-02 18:00:00', 90)"
          : "INSERT INTO retake_results (user_id, quiz_id, score, completion_date) VALUES (7, 5, 9, '2026-03-02 18:00:00')",
      );
      const all = { module_tracked_ms: 112_000, module_focused_ms: 81_000, module_focused_share_percent: 72.32 };
      const none = { before_tracked_ms: 0, before_focused_ms: 0, before_focused_share_percent: null };
      expect(await query('SELECT * FROM relay_report_quiz WHERE user_id = 7 ORDER BY taken_at_ms')).toMatchObject([
        {
          student_name: 'Ana Reyes',
          class_name: 'BSIT-1A',
          module_id: 3,
          module_title: 'Networks',
          quiz_kind: 'final',
          quiz_id: 5,
          taken_at_ms: Date.UTC(2026, 2, 2, 8, 1),
          taken_at_utc: '2026-03-02 08:01:00.000000',
          score: 8,
          score_percent: variant === 'new' ? 80 : null,
          before_tracked_ms: 56_000,
          before_focused_ms: 40_500,
          before_focused_share_percent: 72.32,
          after_tracked_ms: 56_000,
          after_focused_ms: 40_500,
          after_focused_share_percent: 72.32,
          ...all,
        },
        { quiz_kind: 'retake', module_id: 3, score: 9, ...none, after_tracked_ms: 0, ...all },
      ]);
      expect(await query('SELECT * FROM relay_report_quiz WHERE user_id = 8')).toMatchObject([
        { ...none, after_tracked_ms: 15_500, after_focused_ms: 0, module_tracked_ms: null },
      ]);
      if (variant === 'old') return;
      await connection.query(
        `INSERT INTO checkpoint_quiz_results (user_id, module_id, checkpoint_quiz_id, module_part_id, score, total_questions, percentage, completion_date)
       VALUES (7, 3, 4, 1, 2, 4, 50, '2026-03-02 16:00:30')`,
      );
      expect(await query("SELECT * FROM relay_report_quiz WHERE quiz_kind = 'checkpoint'")).toMatchObject([
        { user_id: 7, quiz_id: 4, score_percent: 50, before_tracked_ms: 28_000, after_tracked_ms: 84_000 },
      ]);
    },
  );

  it('tell of no quiz where EyeLearn has no results, or results that say too little', async () => {
    await createEyelearnTables(connection, 'full');
    await connection.query('CREATE TABLE quiz_results (id INT PRIMARY KEY, user_id INT, score INT)');
    await store.migrate();
    await fill();
    expect(await query('SELECT * FROM relay_report_quiz')).toEqual([]);
  });

  it("put time on the days and hours of the database's time zone", async () => {
    await store.migrate();
    // 07:59:30 and 08:00 UTC are 15:59:30 and 16:00 in Manila; 16:00 UTC is the next day there.
    await store.applyWindows([
      metricsWindow({ seq: 0, startedAtMs: Date.UTC(2026, 2, 2, 7, 59, 30) }),
      metricsWindow({ seq: 1, startedAtMs: Date.UTC(2026, 2, 2, 8) }),
      metricsWindow({ seq: 2, startedAtMs: Date.UTC(2026, 2, 2, 16), bouts: [] }),
    ]);
    expect(
      await query('SELECT day, hour_of_day, window_count FROM relay_report_hours ORDER BY day, hour_of_day'),
    ).toEqual([
      { day: '2026-03-02', hour_of_day: 15, window_count: 1 },
      { day: '2026-03-02', hour_of_day: 16, window_count: 1 },
      { day: '2026-03-03', hour_of_day: 0, window_count: 1 },
    ]);
  });

  it("follow EyeLearn's tables when they come and go", async () => {
    await store.migrate();
    await fill();
    expect(await query('SELECT class_name FROM relay_report_classes')).toEqual([{ class_name: null }]);
    await createEyelearnTables(connection, 'full');
    await store.migrate();
    expect(await query('SELECT class_name FROM relay_report_classes ORDER BY 1')).toHaveLength(2);
    await connection.query('DROP TABLE users');
    await expect(store.sessionReport(SESSION_B)).rejects.toMatchObject({ code: 'store_query_failed' });
    expect((await store.sessionReport(SESSION_B))?.userId).toBe(8);
    expect(await query('SELECT class_name FROM relay_report_classes')).toEqual([{ class_name: null }]);
  });

  it('read every view under the strictest rules', async () => {
    await createEyelearnTables(connection, 'full');
    await createEyelearnQuizTables(connection, 'new');
    await connection.query('INSERT INTO quiz_results (user_id, module_id, quiz_id, score) VALUES (7, 3, 5, 8)');
    await store.migrate();
    await fill();
    const views = await query(
      "SELECT TABLE_NAME AS name FROM information_schema.VIEWS WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME LIKE 'relay%'",
    );
    expect(views.length).toBeGreaterThan(20);
    for (const { name } of views) expect(await query(`SELECT * FROM ${name}`), name).not.toEqual([]);
  });

  it('are all that a reader may read', async () => {
    await store.migrate();
    await fill();
    const views = await grantReaderRole(connection);
    expect(await grantReaderRole(connection)).toEqual(views);
    const reader = `reader_${count}`;
    await connection.query(`CREATE USER ${reader}@'127.0.0.1' IDENTIFIED BY 'r3ad only'`);
    await connection.query(`GRANT ${READER_ROLE} TO ${reader}@'127.0.0.1'`);
    const own = await mysql.createConnection({
      host: server.host,
      port: server.port,
      user: reader,
      password: 'r3ad only',
    });
    try {
      await own.query(`SET ROLE ${READER_ROLE}`);
      await own.query(`USE reports_${count}`);
      for (const view of views) await own.query(`SELECT * FROM ${view}`);
      for (const forbidden of [
        'SELECT * FROM relay_windows',
        'DELETE FROM relay_report_sessions',
        'SELECT * FROM relay_settings',
      ]) {
        await expect(own.query(forbidden), forbidden).rejects.toMatchObject({ errno: 1142 });
      }
    } finally {
      await own.end();
    }
  });
});
