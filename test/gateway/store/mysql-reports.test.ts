import mysql from 'mysql2/promise';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { grantReaderRole, READER_ROLE } from '../../../gateway/store/mysql/reader-role.ts';
import { createMysqlStore } from '../../../gateway/store/mysql/store.ts';
import type { MetricsStore } from '../../../gateway/store/port.ts';
import { createEyelearnTables } from '../../support/eyelearn-schema.ts';
import { captureLog } from '../../support/log-capture.ts';
import { type MariaDb, startMariaDb } from '../../support/mariadb.ts';
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
    store = createMysqlStore({ url, logger: captureLog().logger });
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
    await expect(store.sessionReport(SESSION_B)).rejects.toMatchObject({ code: 'store_unreachable' });
    expect((await store.sessionReport(SESSION_B))?.userId).toBe(8);
    expect(await query('SELECT class_name FROM relay_report_classes')).toEqual([{ class_name: null }]);
  });

  it('read every view under the strictest rules', async () => {
    await createEyelearnTables(connection, 'full');
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
