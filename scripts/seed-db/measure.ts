import type { Connection, RowDataPacket } from 'mysql2/promise';

/** What a person or a BI tool asks of each view. */
const QUERIES: readonly string[] = [
  'SELECT * FROM relay_report_students WHERE user_id = 1234',
  "SELECT * FROM relay_report_students WHERE class_name = 'Class 7'",
  'SELECT * FROM relay_report_student_days WHERE user_id = 1234',
  'SELECT * FROM relay_report_student_modules WHERE user_id = 1234',
  "SELECT * FROM relay_report_class_days WHERE class_name = 'Class 7'",
  "SELECT * FROM relay_report_classes WHERE class_name = 'Class 7'",
  'SELECT * FROM relay_report_modules WHERE module_id = 7',
  'SELECT * FROM relay_report_sections WHERE module_id = 7',
  "SELECT * FROM relay_report_days WHERE day BETWEEN '2026-01-12' AND '2026-01-18'",
  "SELECT class_name, SUM(focused_ms) / SUM(tracked_ms) FROM relay_report_hours WHERE day BETWEEN '2026-01-12' AND '2026-01-18' GROUP BY class_name",
  'SELECT * FROM relay_report_classes',
  'SELECT * FROM relay_report_hours_of_day',
  'SELECT * FROM relay_report_sessions WHERE user_id = 1234',
  'SELECT * FROM relay_report_windows WHERE session_id = 4321',
  'SELECT * FROM relay_report_bouts WHERE user_id = 1234',
  'SELECT * FROM relay_report_student_bouts WHERE user_id = 1234',
  "SELECT * FROM relay_report_class_bouts WHERE class_name = 'Class 7'",
  'SELECT * FROM relay_report_section_bouts WHERE module_id = 7 AND section_id = 65',
  "SELECT * FROM relay_report_day_bouts WHERE day = '2026-01-13'",
  'SELECT * FROM relay_report_timeline WHERE module_id = 7 AND section_id = 65',
];

/** Runs each query twice and says how it ran: rows that came back, time of the second run, tables read and by which index. */
export async function measureViews(connection: Connection): Promise<string> {
  const lines = ['| query | rows | ms | plan: table (access, index, rows looked at) |', '|---|---|---|---|'];
  for (const query of QUERIES) {
    await connection.query(query);
    const startedMs = performance.now();
    const [rows] = await connection.query<RowDataPacket[]>(query);
    const tookMs = performance.now() - startedMs;
    const [plan] = await connection.query<RowDataPacket[]>(`EXPLAIN ${query}`);
    const steps = plan.map((step) => `${step.table} (${step.type}, ${step.key ?? '–'}, ${step.rows ?? '–'})`);
    lines.push(
      `| \`${query}\` | ${rows.length} | ${tookMs < 10 ? tookMs.toFixed(1) : tookMs.toFixed(0)} | ${steps.join('; ')} |`,
    );
  }
  return lines.join('\n');
}
