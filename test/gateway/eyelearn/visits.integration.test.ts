import mysql from 'mysql2/promise';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { MetricsStore } from '../../../gateway/store/port.ts';
import { windowKey } from '../../../gateway/store/records.ts';
import { createEyelearnDayTables, createEyelearnTables } from '../../../harness/eyelearn-schema.ts';
import { type MariaDb, middayZone, startMariaDb } from '../../../harness/mariadb.ts';
import { type PhpServer, startPhpServer } from '../../../harness/php-server.ts';
import type { MetricsWindow } from '../../../shared/metrics-window.ts';
import { captureLog } from '../../support/log-capture.ts';
import { metricsWindow } from '../store/windows.ts';
import { createEyelearnStore } from './eyelearn-store.ts';

const sessionNo = (no: number) => `00000000-0000-4000-8000-${String(no).padStart(12, '0')}`;

/** What EyeLearn's dashboards show of a student. */
const DASHBOARD = `SELECT COUNT(*) AS visits, COALESCE(SUM(total_time_seconds), 0) AS seconds FROM eye_tracking_sessions
  WHERE user_id = 7 AND total_time_seconds BETWEEN 30 AND 7200`;

describe("visits to a lesson section in EyeLearn's eye_tracking_sessions", () => {
  let server: MariaDb;
  let url: string;
  let connection: mysql.Connection;
  let store: MetricsStore;
  let php: PhpServer;
  let log: ReturnType<typeof captureLog>;
  let count = 0;

  beforeAll(async () => {
    server = await startMariaDb({ timeZone: middayZone(Date.now()) });
  });
  afterAll(() => server.stop());
  beforeEach(async () => {
    count += 1;
    log = captureLog();
    url = await server.createDatabase(`visits_${count}`);
    connection = await mysql.createConnection({ uri: url, dateStrings: true, decimalNumbers: true });
    await createEyelearnTables(connection, 'full');
    await createEyelearnDayTables(connection, 'both');
    php = await startPhpServer(url);
    store = createEyelearnStore({ url, logger: log.logger });
    await store.migrate();
  });
  afterEach(async () => {
    await store.close();
    await php.stop();
    await connection.end();
  });

  async function rows(sql: string): Promise<Record<string, unknown>[]> {
    const [found] = await connection.query<mysql.RowDataPacket[]>(sql);
    return found.map((row) => ({ ...row }));
  }

  const tracked = () =>
    rows(
      `SELECT section_id, focused_time_seconds AS focused, unfocused_time_seconds AS unfocused, total_time_seconds AS total
       FROM eye_tracking_sessions ORDER BY id`,
    );

  /** A visit of 20.4 s today: a session of its own with one window. */
  function visit(no: number, changes: Partial<MetricsWindow> = {}): MetricsWindow {
    const startedAtMs = Date.now();
    return metricsWindow({
      sessionId: sessionNo(no),
      sessionStartedAtMs: startedAtMs,
      startedAtMs,
      endedAtMs: startedAtMs + 20_400,
      sectionId: 12,
      focusedMs: 15_300,
      unfocusedMs: 5100,
      unknownMs: 0,
      untrackedMs: 0,
      bouts: [{ kind: 'focused', startedAtMs, durationMs: 15_300 }],
      final: true,
      ...changes,
    });
  }

  /** EyeLearn's own endpoint (lineage A or B) gets 20 s. */
  async function post(lineage: 'a' | 'b', sectionId: number | null): Promise<void> {
    const response = await fetch(php.url(lineage), {
      method: 'POST',
      body: JSON.stringify({
        user_id: 7,
        module_id: 3,
        ...(sectionId === null ? {} : { section_id: sectionId }),
        focused_time: 15,
        unfocused_time: 5,
        total_time: 20,
        focus_percentage: 75,
        session_type: 'viewing',
      }),
    });
    expect(await response.json()).toMatchObject({ success: true });
  }

  it('add up: five visits of 20 s are one row, and dashboards show it', async () => {
    for (let no = 0; no < 5; no += 1) await store.applyWindows([visit(no)]);
    expect(await tracked()).toEqual([{ section_id: 12, focused: 76, unfocused: 25, total: 101 }]);
    expect(await rows(DASHBOARD)).toEqual([{ visits: 1, seconds: 101 }]);
  });

  it('add up in one delivery, apart from other students, modules and lesson sections', async () => {
    const others = [{ sectionId: 13 }, { sectionId: null }, { moduleId: 4, sectionId: 14 }, { userId: 8 }];
    await store.applyWindows([
      ...[0, 1, 2].map((no) => visit(no)),
      ...others.map((change, index) => visit(3 + index, change)),
    ]);
    const found = await rows(
      'SELECT user_id, module_id, section_id, total_time_seconds AS total FROM eye_tracking_sessions',
    );
    expect(found).toHaveLength(5);
    expect(found).toEqual(
      expect.arrayContaining([
        { user_id: 7, module_id: 3, section_id: 12, total: 60 },
        { user_id: 7, module_id: 3, section_id: 13, total: 20 },
        { user_id: 7, module_id: 3, section_id: null, total: 20 },
        { user_id: 7, module_id: 4, section_id: 14, total: 20 },
        { user_id: 8, module_id: 3, section_id: 12, total: 20 },
      ]),
    );
  });

  it('add up when two gateways store them at once', async () => {
    const other = createEyelearnStore({ url, logger: log.logger });
    const visits = Array.from({ length: 16 }, (_, no) => visit(no));
    await Promise.all(visits.map((one, no) => (no % 2 === 0 ? store : other).applyWindows([one])));
    await other.close();
    expect(await tracked()).toEqual([{ section_id: 12, focused: 244, unfocused: 81, total: 325 }]);
  });

  it.each([12, null])(
    "meet EyeLearn's own endpoint in one row, whichever comes first: lesson section %s",
    async (sectionId) => {
      await post('a', sectionId);
      await store.applyWindows([visit(0, { sectionId })]);
      await post('a', sectionId);
      await store.applyWindows([visit(1, { sectionId })]);
      expect(await tracked()).toEqual([{ section_id: sectionId, focused: 60, unfocused: 20, total: 80 }]);
    },
  );

  it('are added to the newest row where the endpoint makes one for each post, and lose no second by the change', async () => {
    for (let no = 0; no < 4; no += 1) {
      await store.applyWindows([visit(no)]);
      await post('b', 12);
    }
    const found = await tracked();
    expect(found).toHaveLength(5);
    const sum = (name: string) => found.reduce((total, row) => total + Number(row[name]), 0);
    expect([sum('focused'), sum('unfocused')]).toEqual([61 + 60, 20 + 20]);
  });

  it('begin a new row before one reaches 7,200 s, whichever program filled it', async () => {
    await store.applyWindows([visit(0)]);
    await connection.query('UPDATE eye_tracking_sessions SET total_time_seconds = 7190');
    await store.applyWindows([visit(1)]);
    await post('a', 12);
    await store.applyWindows([visit(2)]);
    expect((await tracked()).map(({ total }) => total)).toEqual([7190, 60]);
  });

  it('have their bouts in focus_events, also where PHP has stored the time', async () => {
    await post('a', 12);
    const away = visit(0, { focusedMs: 15_000, unfocusedMs: 5000 });
    await store.applyWindows([away], new Map([[windowKey(away), { focusedMs: 15_000, unfocusedMs: 5000 }]]));
    expect(await tracked()).toEqual([{ section_id: 12, focused: 15, unfocused: 5, total: 20 }]);
    expect(
      await rows(
        `SELECT e.event_type, e.duration_seconds, t.section_id FROM focus_events e
         JOIN eye_tracking_sessions t ON t.id = e.session_id ORDER BY e.id`,
      ),
    ).toEqual([
      { event_type: 'focus_start', duration_seconds: null, section_id: 12 },
      { event_type: 'focus_end', duration_seconds: 15, section_id: 12 },
    ]);
  });

  it('of a database that had a row for each session are added to the newest of them', async () => {
    await store.applyWindows([visit(0), visit(1, { sectionId: 13 })]);
    const [first] = await rows('SELECT id FROM eye_tracking_sessions WHERE section_id = 12');
    await connection.query(
      `INSERT INTO eye_tracking_sessions (user_id, module_id, section_id, focused_time_seconds, unfocused_time_seconds, total_time_seconds)
       VALUES (7, 3, 12, 15, 5, 20)`,
    );
    // The notes as they were: by session, with the number of the row within it.
    await connection.query('DELETE FROM relay_eyelearn_rows');
    await connection.query(
      'ALTER TABLE relay_eyelearn_rows DROP COLUMN user_id, DROP COLUMN module_id, ADD roll_no INT NOT NULL',
    );
    await connection.query(
      'ALTER TABLE relay_eyelearn_rows ADD CONSTRAINT relay_eyelearn_rows_key UNIQUE (session_id, section_key, day, roll_no)',
    );
    await connection.query('ALTER TABLE relay_eyelearn_rows DROP INDEX relay_eyelearn_rows_session');
    await connection.query("DELETE FROM relay_migrations WHERE tag = '0010_eyelearn_places'");
    await connection.query(
      `INSERT INTO relay_eyelearn_rows (session_id, section_key, day, roll_no, eyelearn_row_id, focused_ms, unfocused_ms, focused_written_s, unfocused_written_s)
       SELECT s.id, 12, CURRENT_DATE, 0, t.id, 15700, 5100, 15, 5 FROM eye_tracking_sessions t JOIN relay_sessions s ON s.session_uuid = ?
       WHERE t.section_id = 12 AND t.id <> ?`,
      [sessionNo(0), first?.id],
    );
    await store.migrate();
    await store.applyWindows([visit(2)]);
    // 15.7 + 15.3 s are 31 s.
    expect(await tracked()).toEqual([
      { section_id: 12, focused: 15, unfocused: 5, total: 20 },
      { section_id: 13, focused: 15, unfocused: 5, total: 20 },
      { section_id: 12, focused: 31, unfocused: 10, total: 41 },
    ]);
  });
});
