import { randomUUID } from 'node:crypto';
import mysql from 'mysql2/promise';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { DayEnds } from '../../../gateway/store/day-ends.ts';
import { createMysqlStore } from '../../../gateway/store/mysql/store.ts';
import type { MetricsStore } from '../../../gateway/store/port.ts';
import { createEyelearnDayTables, createEyelearnTables } from '../../../harness/eyelearn-schema.ts';
import { type MariaDb, startMariaDb } from '../../../harness/mariadb.ts';
import { captureLog } from '../../support/log-capture.ts';
import { createEyelearnStore } from '../eyelearn/eyelearn-store.ts';
import { Driver, T0 } from '../session/connection/driver.ts';
import { libsqlFixture } from './fixtures.ts';
import { metricsWindow, SESSION_A, SESSION_B } from './windows.ts';

/** Its clocks go forward at midnight, so that one day has no midnight, and back at one o'clock, so that another has two. */
const ZONE = 'America/Havana';
const MINUTE_MS = 60_000;
const SPAN_MS = 6 * 86_400_000;

/** The moments at which the date changes in a zone of Intl within `SPAN_MS` of a moment. */
function midnightsIn(timeZone: string, aroundMs: number): number[] {
  const dates = new Intl.DateTimeFormat('en-CA', { timeZone, dateStyle: 'short' });
  const found: number[] = [];
  let before = dates.format(aroundMs - SPAN_MS);
  for (
    let atMs = Math.floor((aroundMs - SPAN_MS) / MINUTE_MS) * MINUTE_MS;
    atMs <= aroundMs + SPAN_MS;
    atMs += MINUTE_MS
  ) {
    const date = dates.format(atMs);
    if (date !== before) found.push(atMs);
    before = date;
  }
  return found;
}

async function midnightsOf(store: MetricsStore, nowMs: number): Promise<number[]> {
  const days = new DayEnds(store, () => nowMs, captureLog().logger);
  expect(days.knownMs).toEqual([]);
  await days.tick();
  return days.knownMs.filter((atMs) => Math.abs(atMs - nowMs) <= SPAN_MS);
}

describe('days of the database', () => {
  let server: MariaDb;
  let url: string;
  let connection: mysql.Connection;

  beforeAll(async () => {
    server = await startMariaDb({ timeZone: ZONE });
    url = await server.createDatabase('days');
    connection = await mysql.createConnection({ uri: url, dateStrings: true });
  });
  afterAll(async () => {
    await connection.end();
    await server.stop();
  });

  const setZone = async (zone: string) => {
    await connection.query(`SET GLOBAL time_zone = '${zone}'`);
    await connection.query(`SET SESSION time_zone = '${zone}'`);
  };

  it.each([
    ['the clocks go forward at midnight', Date.UTC(2026, 2, 8, 3), 'SYSTEM', ZONE],
    ["the clocks go back at one o'clock", Date.UTC(2026, 10, 1, 3), 'SYSTEM', ZONE],
    ['+05:45', Date.UTC(2026, 5, 1, 12, 34, 56), '+05:45', 'Asia/Kathmandu'],
    ['+12:45', Date.UTC(2026, 5, 1, 12, 34, 56), '+12:45', 'Pacific/Chatham'],
  ])('their midnights are known: %s', async (_name, nowMs, zone, sameZone) => {
    await setZone(zone);
    const store = createMysqlStore({ url, logger: captureLog().logger });
    expect(await midnightsOf(store, nowMs)).toEqual(midnightsIn(sameZone, nowMs));
    await store.close();
  });

  it('the embedded store counts days in the time zone of the gateway', async () => {
    const fixture = await libsqlFixture();
    await fixture.reset();
    const store = fixture.open();
    const nowMs = Date.UTC(2026, 5, 1, 12, 34, 56);
    const ownZone = Intl.DateTimeFormat().resolvedOptions().timeZone;
    expect(await midnightsOf(store, nowMs)).toEqual(midnightsIn(ownZone, nowMs));
    await store.close();
    await fixture.dispose();
  });

  it('what was known stays while the database is away', async () => {
    await setZone('+00:00');
    const store = createMysqlStore({ url, logger: captureLog().logger });
    let nowMs = Date.UTC(2026, 5, 1, 12);
    const days = new DayEnds(store, () => nowMs, captureLog().logger);
    await days.tick();
    const known = days.knownMs;
    expect(known.length).toBeGreaterThan(10);
    await store.close();
    nowMs += 3_600_000;
    await days.tick();
    expect(days.knownMs).toEqual(known);
  });

  it.each(['+12:45', '-03:27'])('hours are those of the zone, to the minute: %s', async (zone) => {
    await setZone(zone);
    const name = `hours_${zone.replace(/\W/g, '')}`;
    const store = createMysqlStore({ url: await server.createDatabase(name), logger: captureLog().logger });
    const sign = zone.startsWith('-') ? -1 : 1;
    const offsetMs = sign * (Number(zone.slice(1, 3)) * 60 + Number(zone.slice(4))) * MINUTE_MS;
    // The last and the first minute of an hour there.
    const hourMs = Date.UTC(2026, 2, 2, 15) - offsetMs;
    const window = (seq: number, startedAtMs: number) =>
      metricsWindow({ seq, startedAtMs, endedAtMs: startedAtMs + 30_000, sessionStartedAtMs: hourMs - MINUTE_MS });
    await store.applyWindows([window(0, hourMs - MINUTE_MS), window(1, hourMs - 30_000), window(2, hourMs)]);
    const [found] = await store.execute([
      { sql: 'SELECT day, hour_of_day, window_count, session_count FROM relay_hours ORDER BY hour_of_day', values: [] },
    ]);
    expect(found?.rows).toEqual([
      { day: '2026-03-02', hour_of_day: 14, window_count: 2, session_count: 1 },
      { day: '2026-03-02', hour_of_day: 15, window_count: 1, session_count: 0 },
    ]);
    await store.close();
  });

  it('an hour that the clocks repeat holds the time of both', async () => {
    await setZone('SYSTEM');
    const store = createMysqlStore({ url: await server.createDatabase('twice'), logger: captureLog().logger });
    const firstMs = Date.UTC(2026, 10, 1, 4, 20);
    const twice = [SESSION_A, SESSION_B].map((sessionId, no) => {
      const startedAtMs = firstMs + no * 3_600_000;
      return metricsWindow({
        sessionId,
        startedAtMs,
        endedAtMs: startedAtMs + 30_000,
        sessionStartedAtMs: startedAtMs,
      });
    });
    await store.applyWindows(twice);
    const [found] = await store.execute([
      { sql: 'SELECT day, hour_of_day, window_count, session_count FROM relay_hours', values: [] },
    ]);
    expect(found?.rows).toEqual([{ day: '2026-11-01', hour_of_day: 0, window_count: 2, session_count: 2 }]);
    await store.close();
  });

  it("a session over midnight: EyeLearn's rows and days have what belongs to each, and none more than its day has", async () => {
    // At T0 it is 23:59:20 there.
    await setZone('+01:46');
    const own = await server.createDatabase('midnight');
    const school = await mysql.createConnection({ uri: own, dateStrings: true, decimalNumbers: true });
    await createEyelearnTables(school, 'full');
    await createEyelearnDayTables(school, 'both');
    const store = createEyelearnStore({ url: own, logger: captureLog().logger });
    const driver = Driver.tracking();
    driver.dayEndsMs = await midnightsOf(store, T0);
    driver.watch(0, 100_000);
    driver.dispatch({ type: 'control', message: { type: 'stop', atMs: 100_000 } });
    await store.applyWindows(driver.all('save').map(({ window }) => window));
    const rowsOf = async (sql: string) =>
      (await school.query<mysql.RowDataPacket[]>(sql))[0].map((row) => ({ ...row }));
    expect(
      await rowsOf('SELECT DATE(created_at) AS day, total_time_seconds AS total FROM eye_tracking_sessions'),
    ).toEqual([
      { day: '2023-11-14', total: 40 },
      { day: '2023-11-15', total: 60 },
    ]);
    expect(
      await rowsOf(
        `SELECT a.date AS day, a.total_focused_time AS focused, a.max_continuous_time AS longest, d.total_study_time_seconds AS total,
           d.longest_session_seconds AS session
         FROM eye_tracking_analytics a JOIN daily_analytics d ON d.user_id = a.user_id AND d.date = a.date ORDER BY a.date`,
      ),
    ).toEqual([
      { day: '2023-11-14', focused: 40, longest: 40, total: 40, session: 40 },
      { day: '2023-11-15', focused: 60, longest: 60, total: 60, session: 60 },
    ]);
    await school.end();
    await store.close();
  });

  it("a time zone that changes counts nothing twice in EyeLearn's tables of days", async () => {
    await setZone('+08:00');
    const own = await server.createDatabase('moved');
    const school = await mysql.createConnection({ uri: own, dateStrings: true, decimalNumbers: true });
    await createEyelearnTables(school, 'full');
    await createEyelearnDayTables(school, 'both');
    // On the 3rd at +08:00, on the 2nd at UTC.
    const startedAtMs = Date.UTC(2026, 2, 2, 18);
    const [sessionC, sessionD] = [randomUUID(), randomUUID()];
    const placed = (sessionId: string, seq: number, atMs: number) =>
      metricsWindow({
        sessionId,
        seq,
        sectionId: 12,
        sessionStartedAtMs: sessionId === SESSION_A ? startedAtMs : atMs,
        startedAtMs: atMs,
        endedAtMs: atMs + 30_000,
        focusedMs: 20_000,
        unfocusedMs: 10_000,
        unknownMs: 0,
        untrackedMs: 0,
        bouts: [],
      });
    const before = createEyelearnStore({ url: own, logger: captureLog().logger });
    await before.applyWindows([0, 1, 2].map((seq) => placed(SESSION_A, seq, startedAtMs + seq * 30_000)));
    await before.applyWindows([placed(sessionC, 0, startedAtMs + 1_800_000)]);
    await before.close();
    await setZone('+00:00');
    const after = createEyelearnStore({ url: own, logger: captureLog().logger });
    await after.applyWindows([placed(SESSION_A, 3, startedAtMs + 90_000)]);
    await after.applyWindows([placed(SESSION_B, 0, startedAtMs + 3_600_000)]);
    await after.applyWindows([placed(sessionD, 0, startedAtMs + 16 * 3_600_000)]);
    const sums = async (table: string, seconds: string) => {
      const [found] = await school.query<mysql.RowDataPacket[]>(
        `SELECT date AS day, SUM(${seconds}) AS seconds FROM ${table} GROUP BY date ORDER BY date`,
      );
      return found.map((row) => ({ ...row }));
    };
    const expected = [
      { day: '2026-03-02', seconds: 60 },
      { day: '2026-03-03', seconds: 150 },
    ];
    expect(await sums('eye_tracking_analytics', 'total_focused_time + total_unfocused_time')).toEqual(expected);
    expect(await sums('daily_analytics', 'total_study_time_seconds')).toEqual(expected);
    expect(await sums('user_study_sessions', 'duration')).toEqual(expected);
    // The first session has time on both days, the second and the last on the 3rd alone.
    expect(await sums('daily_analytics', 'session_count')).toEqual([
      { day: '2026-03-02', seconds: 2 },
      { day: '2026-03-03', seconds: 3 },
    ]);
    await school.end();
    await after.close();
  });
});
