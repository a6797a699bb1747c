import mysql from 'mysql2/promise';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { WHOLE_SCHOOL } from '../../../gateway/auth/reach.ts';
import { eyelearn } from '../../../gateway/eyelearn/platform.ts';
import { openMysqlReports } from '../../../gateway/reports/mysql.ts';
import { createReportStore } from '../../../gateway/reports/store.ts';
import { createMysqlStore } from '../../../gateway/store/mysql/store.ts';
import type { MetricsStore } from '../../../gateway/store/port.ts';
import { createEyelearnDayTables, createEyelearnTables } from '../../../harness/eyelearn-schema.ts';
import { type MariaDb, startMariaDb } from '../../../harness/mariadb.ts';
import { doctor, GOOD_SECRET } from '../../support/cli.ts';
import { captureLog } from '../../support/log-capture.ts';
import { metricsWindow, START_MS } from './windows.ts';

const DAY = '2026-03-02';

let server: MariaDb;
const stores: MetricsStore[] = [];

beforeAll(async () => {
  server = await startMariaDb({ serverOptions: ['--log-bin', '--server-id=1', '--binlog-format=STATEMENT'] });
});

afterAll(async () => {
  await Promise.all(stores.map((store) => store.close()));
  await server?.stop();
});

async function openStore(url: string): Promise<MetricsStore> {
  const { logger } = captureLog();
  const store = createMysqlStore({ url, logger, hooks: await eyelearn({ php: null }, logger).loadStoreHooks?.() });
  stores.push(store);
  return store;
}

/** EyeLearn's tables in a database of this character set, changed by more statements. */
async function school(name: string, charset: string, statements: readonly string[] = []): Promise<string> {
  const url = await server.createDatabase(name, charset);
  const connection = await mysql.createConnection({ uri: url, charset: 'utf8mb4' });
  await createEyelearnTables(connection, 'full');
  await createEyelearnDayTables(connection, 'both');
  for (const statement of statements) await connection.query(statement);
  await connection.end();
  return url;
}

const doctorOf = (url: string) =>
  doctor({ RELAY_JWT_SECRET: GOOD_SECRET, ALLOWED_ORIGINS: 'https://school.example', MYSQL_URL: url });

describe('a server whose binary log takes statements', () => {
  it('takes migrations and the windows of two gateways that store for one student at once, each counted once', async () => {
    const url = await school('by_statement', 'utf8mb4');
    const gateways = [await openStore(url), await openStore(url)];
    await gateways[0]?.migrate();
    const sessionOf = (index: number) => `00000000-0000-4000-8000-${String(index).padStart(12, '0')}`;
    await Promise.all(
      Array.from({ length: 24 }, (_, index) =>
        gateways[index % 2]?.applyWindows([
          metricsWindow({
            sessionId: sessionOf(index % 12),
            seq: index,
            startedAtMs: START_MS + index * 30_000,
            endedAtMs: START_MS + (index + 1) * 30_000,
          }),
        ]),
      ),
    );
    const connection = await mysql.createConnection(url);
    const [rows] = await connection.query(
      `SELECT (SELECT CAST(SUM(focused_ms) AS SIGNED) FROM relay_windows) AS ledgerMs, (SELECT CAST(SUM(focused_ms) AS SIGNED) FROM relay_hours) AS hoursMs,
        total_focused_time_seconds AS dayS FROM daily_analytics`,
    );
    await connection.end();
    expect(rows).toEqual([{ ledgerMs: 24 * 20_250, hoursMs: 24 * 20_250, dayS: 24 * 20.25 }]);
  });

  it('is a warning of the doctor, whose trial leaves nothing', async () => {
    const url = await school('by_statement_doctor', 'utf8mb4');
    await (await openStore(url)).migrate();
    const { codes, find } = await doctorOf(url);
    expect(codes('mysql')).toEqual(['mysql_binlog_statement']);
    expect(find('mysql_binlog_statement').mend).toContain('binlog_format=ROW');
    const connection = await mysql.createConnection(url);
    const [rows] = await connection.query('SELECT * FROM relay_sessions');
    await connection.end();
    expect(rows).toEqual([]);
  });
});

describe.each([
  ['latin1', 'latin1', []],
  ['utf8mb3', 'utf8mb3', []],
  [
    'a collation for each column',
    'utf8mb4',
    [
      'ALTER TABLE users MODIFY first_name VARCHAR(50) CHARACTER SET latin1 COLLATE latin1_bin',
      'ALTER TABLE users MODIFY last_name VARCHAR(50) CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_520_ci',
      'ALTER TABLE users MODIFY section VARCHAR(50) CHARACTER SET utf8mb3 COLLATE utf8mb3_bin',
    ],
  ],
] as const)("EyeLearn's names in %s", (name, charset, statements) => {
  it('are searched for, and filtered by class, with any letters', async () => {
    const url = await school(`names_${name.replaceAll(' ', '_')}`, charset, [
      "UPDATE users SET first_name = 'José', last_name = 'Peña', section = 'Piña' WHERE id = 7",
      ...statements,
    ]);
    const store = await openStore(url);
    await store.applyWindows([metricsWindow()]);
    const reports = createReportStore(openMysqlReports({ url, prepare: () => store.migrate() }));
    const scope = { reach: WHOLE_SCHOOL, range: { from: DAY, to: DAY } };
    const byName = { limit: 5, offset: 0, order: 'name', descending: false } as const;
    try {
      for (const search of ['Łukasz', '王', '😀']) {
        expect(await reports.students(scope, { ...byName, search })).toEqual({ rows: [], total: 0 });
        expect((await reports.totals({ ...scope, className: search })).sessions).toBe(0);
      }
      const { rows } = await reports.students(scope, { ...byName, search: 'é peñ' });
      expect(rows).toMatchObject([{ userId: 7, name: 'José Peña', className: 'Piña' }]);
      expect((await reports.totals({ ...scope, className: 'Piña' })).sessions).toBe(1);
    } finally {
      await reports.close();
    }
    expect((await doctorOf(url)).codes('mysql')).not.toContain('mysql_query_fails');
  });
});

it('a question that the server refuses is no outage', async () => {
  const url = await school('refused', 'utf8mb4');
  const store = await openStore(url);
  await expect(store.execute([{ sql: 'SELECT * FROM', values: [] }])).rejects.toMatchObject({
    code: 'store_query_failed',
  });
  const connection = await mysql.createConnection(url);
  await connection.query(
    'CREATE OR REPLACE VIEW relay_dim_students AS SELECT id AS user_id, section AS class_name FROM users',
  );
  await connection.end();
  expect((await doctorOf(url)).find('mysql_query_fails').message).toContain('relay_report_hours');
});
