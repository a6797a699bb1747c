import mysql from 'mysql2/promise';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { MetricsStore } from '../../../gateway/store/port.ts';
import {
  createEyelearnDayTables,
  createEyelearnTables,
  DAY_TABLES_VARIANTS,
} from '../../../harness/eyelearn-schema.ts';
import { type MariaDb, startMariaDb } from '../../../harness/mariadb.ts';
import { captureLog } from '../../support/log-capture.ts';
import { metricsWindow, SESSION_B, START_MS, windowSeries } from '../store/windows.ts';
import { createEyelearnStore } from './eyelearn-store.ts';

type Row = Record<string, unknown>;

describe.each([
  { mode: 'strict', sqlMode: 'STRICT_TRANS_TABLES,NO_ZERO_DATE', timeZone: 'Asia/Manila' },
  { mode: 'non-strict', sqlMode: '', timeZone: 'America/New_York' },
])("EyeLearn's tables of days on a $mode server at $timeZone", ({ sqlMode, timeZone }) => {
  let server: MariaDb;
  let url: string;
  let connection: mysql.Connection;
  let store: MetricsStore;
  let log: ReturnType<typeof captureLog>;
  let count = 0;

  beforeAll(async () => {
    server = await startMariaDb({ serverOptions: [`--sql-mode=${sqlMode}`], timeZone });
  });
  afterAll(() => server.stop());
  beforeEach(async () => {
    count += 1;
    log = captureLog();
    url = await server.createDatabase(`days_${count}`);
    connection = await mysql.createConnection({ uri: url, dateStrings: true, decimalNumbers: true });
    await createEyelearnTables(connection, 'full');
    store = createEyelearnStore({ url, logger: log.logger });
  });
  afterEach(async () => {
    await store.close();
    await connection.end();
  });

  async function rows(sql: string): Promise<Row[]> {
    const [found] = await connection.query<mysql.RowDataPacket[]>(sql);
    return found;
  }

  it.each(DAY_TABLES_VARIANTS)('are fed as far as their columns go: %s', async (variant) => {
    await createEyelearnDayTables(connection, variant);
    // Twice two sessions of 4 × 20.25 s focused and 4 × 6.5 s unfocused, in small deliveries with repetitions.
    const windows = [
      ...windowSeries(4, { sectionId: 12 }),
      ...windowSeries(4, { sectionId: 12, sessionId: SESSION_B }),
    ];
    for (const window of windows) await store.applyWindows([window]);
    await store.applyWindows(windows);
    const [row, ...more] = await rows('SELECT * FROM eye_tracking_analytics');
    expect(more).toEqual([]);
    expect(row).toMatchObject({
      user_id: 7,
      module_id: 3,
      section_id: 12,
      date: '2026-03-02',
      session_count: 2,
      average_session_time: 107,
      max_continuous_time: 20,
    });
    if (variant !== 'legacy') {
      expect(row).toMatchObject({ total_focused_time: 162, total_unfocused_time: 52, focus_percentage: 75.7 });
    }
    if (variant !== 'new') expect(row).toMatchObject({ total_focus_time: 162 });
    expect(await rows('SELECT * FROM daily_analytics')).toMatchObject([
      {
        user_id: 7,
        date: '2026-03-02',
        total_study_time_seconds: 214,
        total_focused_time_seconds: 162,
        total_unfocused_time_seconds: 52,
        session_count: 2,
        average_focus_percentage: 75.7,
        longest_session_seconds: 107,
        modules_studied: 1,
      },
    ]);
    expect(await rows('SELECT user_id, date, focus_score, duration FROM user_study_sessions')).toEqual([
      { user_id: 7, date: '2026-03-02', focus_score: 75.7, duration: 107 },
      { user_id: 7, date: '2026-03-02', focus_score: 75.7, duration: 107 },
    ]);
    expect(log.codes()).toEqual(variant === 'both' ? [] : ['eyelearn_columns_missing']);
  });

  it("have each bout's start and end under the row of its session", async () => {
    await createEyelearnDayTables(connection, 'both');
    await store.applyWindows([metricsWindow(), metricsWindow()]);
    await store.applyWindows([metricsWindow()]);
    const events = await rows(
      `SELECT e.event_type, UNIX_TIMESTAMP(e.timestamp) AS at, e.duration_seconds, t.user_id
       FROM focus_events e JOIN eye_tracking_sessions t ON t.id = e.session_id ORDER BY e.id`,
    );
    const startS = START_MS / 1000;
    expect(events).toEqual([
      { event_type: 'focus_start', at: startS, duration_seconds: null, user_id: 7 },
      { event_type: 'focus_end', at: startS + 20, duration_seconds: 20, user_id: 7 },
      { event_type: 'unfocus_start', at: startS + 20, duration_seconds: null, user_id: 7 },
      { event_type: 'unfocus_end', at: startS + 26, duration_seconds: 7, user_id: 7 },
    ]);
  });

  it('have one row for no lesson section, whichever program began it and however many gateways add to it', async () => {
    await createEyelearnDayTables(connection, 'both');
    await connection.query(
      "INSERT INTO eye_tracking_analytics (user_id, module_id, section_id, date, total_focused_time, total_unfocused_time, session_count) VALUES (7, 3, NULL, '2026-03-02', 100, 0, 1)",
    );
    const other = createEyelearnStore({ url, logger: log.logger });
    await Promise.all([store.migrate(), other.migrate()]);
    const [mine, theirs] = [windowSeries(8), windowSeries(8, { sessionId: SESSION_B })];
    await Promise.all([
      ...mine.map((window) => store.applyWindows([window])),
      ...theirs.map((window) => other.applyWindows([window])),
    ]);
    await other.close();
    expect(await rows('SELECT * FROM eye_tracking_analytics')).toMatchObject([
      { section_id: null, total_focused_time: 100 + 324, total_unfocused_time: 104, session_count: 3 },
    ]);
    expect(await rows('SELECT * FROM daily_analytics')).toMatchObject([
      { total_focused_time_seconds: 324, session_count: 2 },
    ]);
  });

  it('get every second in the end, and the whole day where a table came late', async () => {
    await store.applyWindows(windowSeries(50, { focusedMs: 333, unfocusedMs: 170 }));
    await createEyelearnDayTables(connection, 'both');
    await store.migrate();
    for (let seq = 50; seq < 100; seq += 1) {
      await store.applyWindows([metricsWindow({ seq, focusedMs: 333, unfocusedMs: 170 })]);
    }
    expect(await rows('SELECT * FROM eye_tracking_analytics')).toMatchObject([
      { total_focused_time: 33, total_unfocused_time: 17, session_count: 1 },
    ]);
    expect(await rows('SELECT duration FROM user_study_sessions')).toEqual([{ duration: 50 }]);
  });

  it('have no session that is longer than the day, and no bout that is longer than the focus', async () => {
    await createEyelearnDayTables(connection, 'both');
    const bouts = [{ kind: 'focused' as const, startedAtMs: START_MS - 600_000, durationMs: 602_000 }];
    await store.applyWindows([metricsWindow({ focusedMs: 2600, unfocusedMs: 1600, bouts })]);
    expect(await rows('SELECT longest_session_seconds, total_study_time_seconds FROM daily_analytics')).toEqual([
      { longest_session_seconds: 3, total_study_time_seconds: 3 },
    ]);
    expect(await rows('SELECT max_continuous_time FROM eye_tracking_analytics')).toEqual([{ max_continuous_time: 2 }]);
  });

  it('that refuse a student keep neither our ledger nor each other from their time', async () => {
    await createEyelearnDayTables(connection, 'both');
    expect(await store.applyWindows([metricsWindow({ userId: 99 })])).toEqual({ applied: 1, repeated: 0 });
    expect(await rows('SELECT * FROM user_study_sessions')).toEqual([]);
    expect(await rows('SELECT total_focused_time FROM eye_tracking_analytics')).toEqual([{ total_focused_time: 20 }]);
    expect(log.codes()).toEqual(['eyelearn_rejected']);
  });

  it('answer the dashboards with true numbers', async () => {
    await createEyelearnDayTables(connection, 'both');
    await store.applyWindows([
      ...windowSeries(10, { sectionId: 12 }),
      ...windowSeries(10, { sectionId: 14, sessionId: SESSION_B, userId: 8, moduleId: 4, focusedMs: 0 }),
    ]);
    // A "weekly focus" card.
    expect(
      await rows(
        "SELECT user_id, ROUND(AVG(focus_score), 1) AS score FROM user_study_sessions WHERE date >= '2026-03-01' GROUP BY user_id ORDER BY user_id",
      ),
    ).toEqual([
      { user_id: 7, score: 75.7 },
      { user_id: 8, score: 0 },
    ]);
    // A growth card and a module table.
    expect(
      await rows(
        `SELECT m.title, SUM(a.session_count) AS sessions, SUM(a.total_focused_time) AS focused, SUM(a.total_unfocused_time) AS unfocused
         FROM eye_tracking_analytics a JOIN modules m ON m.id = a.module_id JOIN users u ON u.id = a.user_id
         GROUP BY m.id ORDER BY m.id`,
      ),
    ).toEqual([
      { title: 'Networks', sessions: 1, focused: 202, unfocused: 65 },
      { title: 'Databases', sessions: 1, focused: 0, unfocused: 65 },
    ]);
  });
});
