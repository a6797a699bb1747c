import fc from 'fast-check';
import mysql from 'mysql2/promise';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { planRows, ROW_LIMIT_S, type RowState } from '../../../gateway/eyelearn/row-plan.ts';
import type { MetricsStore } from '../../../gateway/store/port.ts';
import {
  createEyelearnDayTables,
  createEyelearnTables,
  EYELEARN_VARIANTS,
  type EyelearnVariant,
} from '../../../harness/eyelearn-schema.ts';
import { type MariaDb, startMariaDb } from '../../../harness/mariadb.ts';
import type { MetricsWindow } from '../../../shared/metrics-window.ts';
import { captureLog } from '../../support/log-capture.ts';
import { metricsWindow, SESSION_A, SESSION_B, sumOf, windowSeries } from '../store/windows.ts';
import { createEyelearnStore } from './eyelearn-store.ts';

type Row = Record<string, unknown>;

describe("spreading time over EyeLearn's rows", () => {
  const slice = fc.record({ focusedMs: fc.nat({ max: 30_000 }), unfocusedMs: fc.nat({ max: 30_000 }) });

  it('stores the whole seconds of all time given, of each kind, and never fills a row', () => {
    fc.assert(
      fc.property(fc.array(fc.array(slice, { maxLength: 40 }), { maxLength: 40 }), (batches) => {
        let current: RowState | null = null;
        const rows = new Map<number, { focusedS: number; unfocusedS: number }>();
        for (const batch of batches) {
          const slices = batch.map((part, index) => ({ ...part, startedAtMs: index }));
          for (const { state, addFocusedS, addUnfocusedS } of planRows(current, slices)) {
            const row = rows.get(state.rollNo) ?? { focusedS: 0, unfocusedS: 0 };
            rows.set(state.rollNo, {
              focusedS: row.focusedS + addFocusedS,
              unfocusedS: row.unfocusedS + addUnfocusedS,
            });
            expect(addFocusedS).toBeGreaterThanOrEqual(0);
            expect(addUnfocusedS).toBeGreaterThanOrEqual(0);
            current = state;
          }
        }
        const total = (pick: (row: { focusedS: number; unfocusedS: number }) => number) =>
          [...rows.values()].reduce((sum, row) => sum + pick(row), 0);
        const givenMs = (pick: (part: { focusedMs: number; unfocusedMs: number }) => number) =>
          batches.flat().reduce((sum, part) => sum + pick(part), 0);
        expect(total((row) => row.focusedS)).toBe(Math.floor(givenMs((part) => part.focusedMs) / 1000));
        expect(total((row) => row.unfocusedS)).toBe(Math.floor(givenMs((part) => part.unfocusedMs) / 1000));
        for (const { focusedS, unfocusedS } of rows.values()) expect(focusedS + unfocusedS).toBeLessThan(ROW_LIMIT_S);
      }),
    );
  });
});

describe.each([
  { mode: 'strict', sqlMode: 'STRICT_TRANS_TABLES,NO_ZERO_DATE,ANSI_QUOTES' },
  { mode: 'non-strict', sqlMode: '' },
])("EyeLearn's eye_tracking_sessions on a $mode server at UTC+8", ({ sqlMode }) => {
  let server: MariaDb;
  let url: string;
  let connection: mysql.Connection;
  let store: MetricsStore;
  let log: ReturnType<typeof captureLog>;
  let count = 0;

  async function open(variant: EyelearnVariant | null): Promise<void> {
    if (variant !== null) await createEyelearnTables(connection, variant);
    store = createEyelearnStore({ url, logger: log.logger });
    await store.migrate();
  }

  async function trackingRows(): Promise<Row[]> {
    const [rows] = await connection.query<mysql.RowDataPacket[]>('SELECT * FROM eye_tracking_sessions ORDER BY id');
    return rows;
  }

  beforeAll(async () => {
    server = await startMariaDb({ serverOptions: [`--sql-mode=${sqlMode}`], timeZone: 'Asia/Manila' });
  });
  afterAll(() => server.stop());
  beforeEach(async () => {
    count += 1;
    log = captureLog();
    url = await server.createDatabase(`eyelearn_${count}`);
    connection = await mysql.createConnection({ uri: url, dateStrings: true });
  });
  afterEach(async () => {
    await store.close();
    await connection.end();
  });

  it.each(EYELEARN_VARIANTS)('is fed as far as its columns go: %s', async (variant) => {
    await open(variant);
    // 4 × 20.25 s and 4 × 6.5 s.
    await store.applyWindows(windowSeries(4, { sectionId: 12 }));
    await store.applyWindows(windowSeries(4, { sectionId: 12 }));
    const [row, ...more] = await trackingRows();
    expect(more).toEqual([]);
    expect(row).toMatchObject({ user_id: 7, module_id: 3, total_time_seconds: 81 + 26, session_type: 'viewing' });
    if (variant === 'without_section') expect(row).not.toHaveProperty('section_id');
    else expect(row?.section_id).toBe(12);
    if (variant === 'without_focus_columns') expect(row).not.toHaveProperty('focused_time_seconds');
    else expect(row).toMatchObject({ focused_time_seconds: 81, unfocused_time_seconds: 26 });
    if (variant !== 'without_session_data') {
      expect(JSON.parse(String(row?.session_data))).toMatchObject({ source: 'gaze-relay', session: SESSION_A });
    }
    if (variant.startsWith('without')) expect(log.codes()).toContain('eyelearn_columns_missing');
    else expect(log.codes()).toEqual([]);
  });

  it('is not missed where it is not there', async () => {
    await open(null);
    expect(await store.applyWindows(windowSeries(3))).toEqual({ applied: 3, repeated: 0 });
    expect((await store.sessionReport(SESSION_A))?.focusedMs).toBe(3 * 20_250);
    expect(log.codes()).toEqual([]);
  });

  it('is left alone, loudly, where it lacks what a row cannot do without', async () => {
    await connection.query('CREATE TABLE eye_tracking_sessions (id INT PRIMARY KEY, user_id INT)');
    await open(null);
    await store.applyWindows(windowSeries(3));
    expect(await trackingRows()).toEqual([]);
    expect(log.codes()).toContain('eyelearn_unusable');
    expect((await store.sessionReport(SESSION_A))?.windows).toHaveLength(3);
  });

  it('has one row for each student, lesson section and day, none of them section 0', async () => {
    await open('full');
    await store.applyWindows([
      metricsWindow({ seq: 0, sectionId: 12 }),
      metricsWindow({ seq: 1, sectionId: 13 }),
      metricsWindow({ seq: 2, sectionId: null }),
      metricsWindow({ seq: 3, sectionId: 0 }),
      metricsWindow({ seq: 4, sectionId: 12 }),
      metricsWindow({ seq: 0, sessionId: SESSION_B, sectionId: 12 }),
    ]);
    const rows = await trackingRows();
    expect(rows.map(({ section_id, focused_time_seconds }) => [section_id, focused_time_seconds])).toEqual(
      expect.arrayContaining([
        [12, 60],
        [13, 20],
        [null, 40],
      ]),
    );
    expect(rows).toHaveLength(3);
  });

  it('gets every second in the end, however short the windows are', async () => {
    await open('full');
    const windows = windowSeries(100, { focusedMs: 333, unfocusedMs: 170 });
    for (const window of windows) await store.applyWindows([window]);
    expect(await trackingRows()).toMatchObject([
      { focused_time_seconds: 33, unfocused_time_seconds: 17, total_time_seconds: 50 },
    ]);
  });

  it('has no row for less than a second', async () => {
    await open('full');
    await store.applyWindows([metricsWindow({ focusedMs: 999, unfocusedMs: 999 })]);
    expect(await trackingRows()).toEqual([]);
    await store.applyWindows([metricsWindow({ seq: 1, focusedMs: 1, unfocusedMs: 0 })]);
    expect(await trackingRows()).toMatchObject([{ focused_time_seconds: 1, unfocused_time_seconds: 0 }]);
  });

  it('continues in a new row before one reaches 7,200 s, with no second lost', async () => {
    await open('full');
    const windows = windowSeries(600, { focusedMs: 20_999, unfocusedMs: 9001 });
    for (let start = 0; start < windows.length; start += 50) await store.applyWindows(windows.slice(start, start + 50));
    const rows = await trackingRows();
    expect(rows).toHaveLength(3);
    for (const row of rows) expect(Number(row.total_time_seconds)).toBeLessThan(7200);
    const stored = (column: string) => rows.reduce((sum, row) => sum + Number(row[column]), 0);
    expect(stored('focused_time_seconds')).toBe(Math.floor(sumOf(windows, ({ focusedMs }) => focusedMs) / 1000));
    expect(stored('unfocused_time_seconds')).toBe(Math.floor(sumOf(windows, ({ unfocusedMs }) => unfocusedMs) / 1000));
    expect(stored('total_time_seconds')).toBe(stored('focused_time_seconds') + stored('unfocused_time_seconds'));
  });

  it('gives each bout to the row that its window went into, where one delivery fills several rows', async () => {
    await open('full');
    await createEyelearnDayTables(connection, 'both');
    await store.migrate();
    await store.applyWindows(windowSeries(600, { focusedMs: 20_999, unfocusedMs: 9001 }));
    const [rows] = await connection.query<mysql.RowDataPacket[]>(
      `SELECT t.id, t.total_time_seconds AS total, COUNT(*) AS events FROM eye_tracking_sessions t
       JOIN focus_events e ON e.session_id = t.id GROUP BY t.id ORDER BY t.id`,
    );
    expect(rows.map(({ events }) => Number(events))).toEqual([960, 956, 484]);
  });

  it('knows the ids of the rows it makes at once, also where the server counts in steps', async () => {
    const [[before]] = await connection.query<mysql.RowDataPacket[]>('SELECT @@auto_increment_increment AS step');
    await connection.query('SET GLOBAL auto_increment_increment = 3');
    try {
      await open('full');
      const sessions = [
        { sessionId: SESSION_A, userId: 7 },
        { sessionId: SESSION_B, userId: 8 },
      ].flatMap((session) => [11, 12, 13].map((sectionId) => ({ ...session, sectionId })));
      const batch = (seq: number) => sessions.map((place, index) => metricsWindow({ ...place, seq: 10 * index + seq }));
      await store.applyWindows(batch(0));
      await store.applyWindows(batch(1));
      expect((await trackingRows()).map((row) => row.focused_time_seconds)).toEqual([40, 40, 40, 40, 40, 40]);
    } finally {
      await connection.query('SET GLOBAL auto_increment_increment = ?', [before?.step]);
    }
  });

  it("begins a new row at midnight of the database's time zone", async () => {
    await open('full');
    // Midnight at UTC+8 is 16:00 UTC; the days are long past, as after a week without a connection.
    const midnightMs = Date.UTC(2026, 2, 2, 16);
    await store.applyWindows([
      metricsWindow({ seq: 0, startedAtMs: midnightMs - 30_000 }),
      metricsWindow({ seq: 1, startedAtMs: midnightMs }),
      metricsWindow({ seq: 2, startedAtMs: midnightMs + 30_000 }),
    ]);
    expect(await trackingRows()).toMatchObject([
      { created_at: '2026-03-02 23:59:30', focused_time_seconds: 20 },
      { created_at: '2026-03-03 00:00:00', focused_time_seconds: 40 },
    ]);
  });

  it("dates today's rows by the database's clock", async () => {
    await open('full');
    const nowMs = Date.now();
    await store.applyWindows([metricsWindow({ startedAtMs: nowMs, endedAtMs: nowMs + 30_000 })]);
    const [[row]] = await connection.query<mysql.RowDataPacket[]>(
      'SELECT created_at = last_updated AS sameMoment, created_at <= NOW() AS notAhead FROM eye_tracking_sessions',
    );
    expect(row).toEqual({ sameMoment: 1, notAhead: 1 });
  });

  it('is added to by a second gateway in the same row', async () => {
    await open('full');
    const other = createEyelearnStore({ url, logger: log.logger });
    const windows = windowSeries(20);
    await Promise.all(windows.flatMap((window) => [store.applyWindows([window]), other.applyWindows([window])]));
    await other.close();
    expect(await trackingRows()).toMatchObject([
      { focused_time_seconds: 405, unfocused_time_seconds: 130, total_time_seconds: 535 },
    ]);
  });

  it('keeps what somebody else adds to the row, and rolls over in time all the same', async () => {
    await open('full');
    await store.applyWindows([metricsWindow({ seq: 0 })]);
    await connection.query(
      'UPDATE eye_tracking_sessions SET total_time_seconds = total_time_seconds + 600, focused_time_seconds = focused_time_seconds + 600',
    );
    await store.applyWindows([metricsWindow({ seq: 1 })]);
    expect(await trackingRows()).toMatchObject([{ focused_time_seconds: 640, total_time_seconds: 653 }]);
    await connection.query('UPDATE eye_tracking_sessions SET total_time_seconds = 7190');
    await store.applyWindows([metricsWindow({ seq: 2 })]);
    expect(await trackingRows()).toMatchObject([
      { total_time_seconds: 7190 },
      { focused_time_seconds: 20, unfocused_time_seconds: 6 },
    ]);
  });

  it('takes a missing number for 0', async () => {
    await open('full');
    await store.applyWindows([metricsWindow({ seq: 0 })]);
    await connection.query('UPDATE eye_tracking_sessions SET total_time_seconds = NULL, focused_time_seconds = NULL');
    await store.applyWindows([metricsWindow({ seq: 1 })]);
    expect(await trackingRows()).toMatchObject([{ focused_time_seconds: 20, total_time_seconds: 27 }]);
  });

  it('gets a new row when somebody deleted the one before', async () => {
    await open('full');
    await store.applyWindows([metricsWindow({ seq: 0, focusedMs: 1600, unfocusedMs: 0 })]);
    await connection.query('DELETE FROM eye_tracking_sessions');
    await store.applyWindows([metricsWindow({ seq: 1, focusedMs: 1600, unfocusedMs: 0 })]);
    expect(await trackingRows()).toMatchObject([{ focused_time_seconds: 2, total_time_seconds: 2 }]);
  });

  it('cannot keep our own tables from a window it refuses, and the log says so', async () => {
    await open('full');
    await connection.query(
      'ALTER TABLE eye_tracking_sessions ADD CONSTRAINT known_user FOREIGN KEY (user_id) REFERENCES users (id)',
    );
    const stranger = metricsWindow({ userId: 99 });
    expect(await store.applyWindows([stranger])).toEqual({ applied: 1, repeated: 0 });
    expect(await trackingRows()).toEqual([]);
    expect((await store.sessionReport(SESSION_A))?.windows).toHaveLength(1);
    expect(log.codes()).toEqual(['eyelearn_rejected']);
  });

  it('may have a trigger that refuses rows', async () => {
    await open('full');
    await connection.query(
      "CREATE TRIGGER keep_out BEFORE INSERT ON eye_tracking_sessions FOR EACH ROW SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'closed'",
    );
    expect(await store.applyWindows([metricsWindow()])).toEqual({ applied: 1, repeated: 0 });
    expect(log.codes()).toEqual(['eyelearn_rejected']);
  });

  it('may change or go while the gateway runs', async () => {
    await open('full');
    await store.applyWindows([metricsWindow({ seq: 0 })]);
    await connection.query('ALTER TABLE eye_tracking_sessions DROP COLUMN focused_time_seconds');
    await expect(store.applyWindows([metricsWindow({ seq: 1 })])).rejects.toMatchObject({ code: 'store_query_failed' });
    expect(await store.applyWindows([metricsWindow({ seq: 1 })])).toEqual({ applied: 1, repeated: 0 });
    expect(await trackingRows()).toMatchObject([{ total_time_seconds: 53, unfocused_time_seconds: 13 }]);
    await connection.query('DROP TABLE eye_tracking_sessions');
    await expect(store.applyWindows([metricsWindow({ seq: 2 })])).rejects.toMatchObject({ code: 'store_query_failed' });
    expect(await store.applyWindows([metricsWindow({ seq: 2 })])).toEqual({ applied: 1, repeated: 0 });
    expect((await store.sessionReport(SESSION_A))?.windows).toHaveLength(3);
  });

  it("gives true numbers to a dashboard's own query", async () => {
    await open('full');
    const windows: MetricsWindow[] = [
      ...windowSeries(10),
      ...windowSeries(10, { sessionId: SESSION_B, userId: 8, moduleId: 4 }),
    ];
    await store.applyWindows(windows);
    const [rows] = await connection.query<mysql.RowDataPacket[]>(
      `SELECT u.first_name AS student, m.title AS module, COUNT(*) AS sessions, SUM(t.total_time_seconds) AS seconds
       FROM eye_tracking_sessions t JOIN users u ON u.id = t.user_id JOIN modules m ON m.id = t.module_id
       WHERE t.total_time_seconds BETWEEN 30 AND 7200 GROUP BY u.id, m.id ORDER BY u.id`,
    );
    expect(rows.map((row) => ({ ...row, seconds: Number(row.seconds) }))).toEqual([
      { student: 'Ana', module: 'Networks', sessions: 1, seconds: 202 + 65 },
      { student: 'Ben', module: 'Databases', sessions: 1, seconds: 202 + 65 },
    ]);
  });
});
