import mysql from 'mysql2/promise';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eyelearn } from '../../../gateway/eyelearn/platform.ts';
import type { Platform } from '../../../gateway/platform.ts';
import { createMysqlStore } from '../../../gateway/store/mysql/store.ts';
import type { MetricsStore } from '../../../gateway/store/port.ts';
import { createEyelearnDayTables, createEyelearnTables } from '../../../harness/eyelearn-schema.ts';
import { type MariaDb, startMariaDb } from '../../../harness/mariadb.ts';
import type { MetricsWindow } from '../../../shared/metrics-window.ts';
import { captureLog } from '../../support/log-capture.ts';
import { metricsWindow } from '../store/windows.ts';

/** Windows of as many students, all of the same moment of their sessions. */
function classOf(studentCount: number, seq: number): MetricsWindow[] {
  return Array.from({ length: studentCount }, (_, index) =>
    metricsWindow({
      sessionId: `00000000-0000-4000-8000-${String(index).padStart(12, '0')}`,
      userId: 1000 + index,
      seq,
      sectionId: 12,
    }),
  );
}

describe('what EyeLearn costs the database', () => {
  let server: MariaDb;
  let connection: mysql.Connection;
  let store: MetricsStore;
  let platform: Platform;

  beforeAll(async () => {
    server = await startMariaDb();
    const url = await server.createDatabase('statements');
    connection = await mysql.createConnection(url);
    await createEyelearnTables(connection, 'full');
    await createEyelearnDayTables(connection, 'both');
    for (let id = 1000; id < 1200; id += 1) {
      await connection.query('INSERT INTO users (id, first_name, last_name, email, password) VALUES (?, ?, ?, ?, ?)', [
        id,
        'First',
        'Last',
        `${id}@school.example`,
        '',
      ]);
    }
    platform = eyelearn({ php: null }, captureLog().logger);
    store = createMysqlStore({ url, logger: captureLog().logger, hooks: await platform.loadStoreHooks?.() });
    await store.migrate();
    await connection.query("SET GLOBAL log_output = 'TABLE'");
  });
  afterAll(async () => {
    await store.close();
    await connection.end();
    await server.stop();
  });

  /** The statements that the server gets during some work. */
  async function statementsOf(work: () => Promise<unknown>): Promise<string[]> {
    await connection.query('TRUNCATE mysql.general_log');
    await connection.query('SET GLOBAL general_log = 1');
    await work();
    await connection.query('SET GLOBAL general_log = 0');
    const [rows] = await connection.query<mysql.RowDataPacket[]>(
      `SELECT CONVERT(argument USING utf8mb4) AS text FROM mysql.general_log
       WHERE command_type IN ('Query', 'Execute') AND thread_id <> CONNECTION_ID()`,
    );
    return rows.map(({ text }) => String(text)).filter((text) => !/^SET SESSION/i.test(text));
  }

  const ofDays = (statements: readonly string[]) =>
    statements.filter((text) => /relay_eyelearn_totals|analytics|study_sessions|longest_focus_ms/.test(text));

  it('is a fixed number of statements, whatever the batch size', async () => {
    const fresh = await statementsOf(() => store.applyWindows(classOf(50, 0)));
    const again = await statementsOf(() => store.applyWindows(classOf(50, 1)));
    const larger = await statementsOf(() => store.applyWindows(classOf(200, 2)));
    expect(ofDays(fresh).length).toBeLessThanOrEqual(15);
    expect(ofDays(again).length).toBeLessThanOrEqual(15);
    expect(ofDays(larger).length).toBeLessThanOrEqual(15);
    expect(again.length).toBeLessThanOrEqual(25);
    expect(larger.length).toBeLessThanOrEqual(35);
    const [[daily]] = await connection.query<mysql.RowDataPacket[]>(
      'SELECT COUNT(*) AS students, SUM(total_focused_time_seconds) AS focused FROM daily_analytics',
    );
    expect({ students: Number(daily?.students), focused: Number(daily?.focused) }).toEqual({
      students: 200,
      focused: 50 * 60 + 150 * 20,
    });
  });

  it('is one question for the agreement to the camera, and none to information_schema', async () => {
    const asked = await statementsOf(() => platform.hasConsent(store, 1000));
    expect(asked).toEqual([expect.stringContaining('FROM users WHERE id = 1000')]);
  });
});
