import type { Connection, ResultSetHeader } from 'mysql2/promise';

/** First day of study. */
export const FIRST_DAY = '2026-01-05';
const WINDOW_MS = 30_000;
const DAY_MS = 86_400_000;
const MODULES = 20;
const SECTIONS = 10;
const CLASS_SIZE = 40;
const ROWS_PER_INSERT = 4000;

export interface SeedSize {
  readonly students: number;
  readonly days: number;
  /** Windows of 30 s that a student has on a day, on average. */
  readonly windowsPerDay: number;
}

/** Makes EyeLearn's tables that the reports take names from. */
export async function makeSchool(connection: Connection, students: number): Promise<void> {
  await connection.query(
    'CREATE TABLE IF NOT EXISTS users (id INT PRIMARY KEY, first_name VARCHAR(50), last_name VARCHAR(50), section VARCHAR(50))',
  );
  await connection.query('CREATE TABLE IF NOT EXISTS modules (id INT PRIMARY KEY, title VARCHAR(255))');
  await connection.query('CREATE TABLE IF NOT EXISTS module_sections (id INT PRIMARY KEY, subtitle VARCHAR(255))');
  for (let from = 1; from <= students; from += ROWS_PER_INSERT) {
    const ids = Array.from({ length: Math.min(ROWS_PER_INSERT, students - from + 1) }, (_, index) => from + index);
    await connection.query(
      `INSERT INTO users VALUES ${ids.map((id) => `(${id}, 'Student', '${id}', 'Class ${Math.ceil(id / CLASS_SIZE)}')`).join(',')}`,
    );
  }
  const modules = Array.from({ length: MODULES }, (_, index) => index + 1);
  await connection.query(`INSERT INTO modules VALUES ${modules.map((id) => `(${id}, 'Module ${id}')`).join(',')}`);
  const sections = Array.from({ length: MODULES * SECTIONS }, (_, index) => index + 1);
  await connection.query(
    `INSERT INTO module_sections VALUES ${sections.map((id) => `(${id}, 'Section ${id}')`).join(',')}`,
  );
}

/** A number in [0, `below`) that is always the same for the same window. */
const chance = (salt: number, below: number) => `CRC32(CONCAT(s.id, '/', n.n, '/', ${salt})) % ${below}`;

/** One statement for a stretch of sessions: the database makes their windows itself, which is ten times as fast. */
const WINDOWS = `INSERT INTO relay_windows (session_id, epoch, seq, user_id, module_id, section_id, started_at_ms, ended_at_ms, is_final, mode, rule,
    focused_ms, unfocused_ms, unknown_ms, untracked_ms, centered_ms, looking_left_ms, looking_down_ms, no_face_ms, unknown_direction_ms,
    frames_received, frames_processed, frames_with_face, up_bytes, down_bytes, gateway_ms_sum)
  SELECT id, 0, n, user_id, module_id, section_id, at_ms, at_ms + ${WINDOW_MS}, 0, 'device', 'geometric',
    ${WINDOW_MS} - unfocused - unknown_time, unfocused, unknown_time, 0, ${WINDOW_MS} - unfocused - unknown_time,
    FLOOR(unfocused * 0.4), FLOOR(unfocused * 0.4), unfocused - 2 * FLOOR(unfocused * 0.4), unknown_time, 150, 148, 140, 9000, 6600, 30
  FROM (SELECT s.id, n.n, s.user_id, s.module_id, (s.module_id - 1) * ${SECTIONS} + (s.id + s.user_id) % ${SECTIONS} + 1 AS section_id,
      s.started_at_ms + n.n * ${WINDOW_MS} AS at_ms, ${chance(1, 12_000)} AS unfocused, ${chance(2, 1500)} AS unknown_time
    FROM relay_sessions s JOIN seed_numbers n ON n.n < s.window_count WHERE s.id BETWEEN ? AND ?) drawn`;

const boutsOf = (kind: 'focused' | 'unfocused', boutNo: number, startMs: string) => `INSERT INTO relay_bouts
    (session_id, epoch, seq, bout_no, kind, started_at_ms, duration_ms, user_id, module_id, section_id, day, hour_of_day)
  SELECT session_id, 0, seq, ${boutNo}, '${kind}', ${startMs}, ${kind}_ms, user_id, module_id, section_id,
    DATE(FROM_UNIXTIME(started_at_ms / 1000)), HOUR(FROM_UNIXTIME(started_at_ms / 1000))
  FROM relay_windows WHERE session_id BETWEEN ? AND ? AND ${kind}_ms > 2000`;

/**
 * Fills an empty, migrated database with a school: one session a day for each student, in one lesson section, windows in
 * a row, bouts that end with their window. Rejects with mysql2's error.
 */
export async function fillDatabase(
  connection: Connection,
  { students, days, windowsPerDay }: SeedSize,
  random: () => number,
  say: (text: string) => void,
): Promise<void> {
  await connection.query('SET SESSION unique_checks = 0');
  await connection.query('CREATE TABLE seed_numbers (n INT PRIMARY KEY)');
  const numbers = Array.from({ length: 2 * windowsPerDay + 2 }, (_, n) => `(${n})`);
  await connection.query(`INSERT INTO seed_numbers VALUES ${numbers.join(',')}`);
  const firstDayMs = Date.parse(FIRST_DAY);
  const startedMs = performance.now();
  let windows = 0;
  let bouts = 0;
  for (let day = 0; day < days; day += 1) {
    const moduleId = (day % MODULES) + 1;
    const rows: string[] = [];
    for (let student = 1; student <= students; student += 1) {
      const id = day * students + student;
      const beginMs = firstDayMs + day * DAY_MS + Math.floor((7 + random() * 10) * 3_600_000);
      const count = Math.max(1, Math.round(windowsPerDay * (0.5 + random())));
      const uuid = `00000000-0000-4000-8000-${String(id).padStart(12, '0')}`;
      rows.push(
        `(${id},'${uuid}',${student},${moduleId},${beginMs},${beginMs + count * WINDOW_MS},1,'device','geometric',${count})`,
      );
    }
    for (let from = 0; from < rows.length; from += ROWS_PER_INSERT) {
      await connection.query(
        `INSERT INTO relay_sessions (id, session_uuid, user_id, module_id, started_at_ms, ended_at_ms, is_final, mode, rule, window_count)
         VALUES ${rows.slice(from, from + ROWS_PER_INSERT).join(',')}`,
      );
    }
    const range = [day * students + 1, (day + 1) * students];
    const [made] = await connection.query<ResultSetHeader>(WINDOWS, range);
    windows += made.affectedRows;
    for (const statement of [
      boutsOf('focused', 0, 'started_at_ms'),
      boutsOf('unfocused', 1, 'started_at_ms + focused_ms'),
    ]) {
      const [more] = await connection.query<ResultSetHeader>(statement, range);
      bouts += more.affectedRows;
    }
    if (day % 5 === 4 || day === days - 1) {
      say(
        `day ${day + 1} of ${days}: ${windows} windows, ${bouts} bouts, ${((performance.now() - startedMs) / 1000).toFixed(0)} s`,
      );
    }
  }
  say('adding up sessions and hours');
  const sums = [
    'focused_ms',
    'unfocused_ms',
    'unknown_ms',
    'untracked_ms',
    'centered_ms',
    'looking_left_ms',
    'looking_down_ms',
    'no_face_ms',
    'unknown_direction_ms',
    'frames_received',
    'frames_processed',
    'frames_with_face',
    'up_bytes',
    'down_bytes',
    'gateway_ms_sum',
  ];
  await connection.query(
    `INSERT INTO relay_hours (user_id, day, hour_of_day, module_id, section_key, session_count, window_count, focused_bout_count, longest_focused_bout_ms, ${sums.join(', ')})
     SELECT user_id, DATE(FROM_UNIXTIME(started_at_ms / 1000)), HOUR(FROM_UNIXTIME(started_at_ms / 1000)), module_id, section_id,
       SUM(seq = 0), COUNT(*), COUNT(*), MAX(focused_ms), ${sums.map((column) => `SUM(${column})`).join(', ')}
     FROM relay_windows GROUP BY 1, 2, 3, 4, 5`,
  );
  await connection.query(
    `UPDATE relay_sessions s JOIN (SELECT session_id, SUM(focused_ms) AS focused, SUM(unfocused_ms) AS unfocused FROM relay_windows GROUP BY session_id) w
     ON w.session_id = s.id SET s.focused_ms = w.focused, s.unfocused_ms = w.unfocused`,
  );
  await connection.query('DROP TABLE seed_numbers');
  await connection.query('ANALYZE TABLE relay_sessions, relay_windows, relay_bouts, relay_hours');
  say(`${windows} windows, ${bouts} bouts, ${students * days} sessions`);
}
