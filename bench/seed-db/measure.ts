import type { Connection, RowDataPacket } from 'mysql2/promise';
import { pino } from 'pino';
import { WHOLE_SCHOOL } from '../../gateway/auth/reach.ts';
import { eyelearn } from '../../gateway/eyelearn/platform.ts';
import { openMysqlReports } from '../../gateway/reports/mysql.ts';
import type { ReportStore } from '../../gateway/reports/port.ts';
import { createReportStore } from '../../gateway/reports/store.ts';
import { openStore } from '../../gateway/store/open.ts';
import { addDays, type DateRange, lastDays } from '../../shared/report/range.ts';

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
  'SELECT * FROM relay_report_students',
  'SELECT * FROM relay_report_modules',
  'SELECT * FROM relay_report_days',
  'SELECT * FROM relay_report_sessions WHERE user_id = 1234',
  'SELECT * FROM relay_report_windows WHERE session_id = 4321',
  'SELECT * FROM relay_report_bouts WHERE user_id = 1234',
  'SELECT * FROM relay_report_student_bouts WHERE user_id = 1234',
  "SELECT * FROM relay_report_class_bouts WHERE class_name = 'Class 7'",
  'SELECT * FROM relay_report_module_bouts WHERE module_id = 7',
  'SELECT * FROM relay_report_section_bouts WHERE module_id = 7 AND section_id = 65',
  "SELECT * FROM relay_report_day_bouts WHERE day = '2026-01-13'",
  'SELECT * FROM relay_report_timeline WHERE module_id = 7 AND section_id = 65',
];

/** Runs each query twice and says how it ran: rows that came back, time of the second run, tables read and by which index. */
export async function measureViews(connection: Connection): Promise<string> {
  const lines = ['| query | rows | ms | plan: table (access, index, rows examined) |', '|---|---|---|---|'];
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

const PAGE = { limit: 50, offset: 0 } as const;
const STEP_MS = 60_000;

/** What the dashboard's pages ask for a range of days. */
const QUESTIONS: Readonly<Record<string, (reports: ReportStore, range: DateRange) => Promise<unknown>>> = {
  'school: totals': (reports, range) => reports.totals({ reach: WHOLE_SCHOOL, range }),
  'school: days': (reports, range) => reports.days({ reach: WHOLE_SCHOOL, range }),
  'school: hours of day': (reports, range) => reports.hours({ reach: WHOLE_SCHOOL, range }),
  'school: classes': (reports, range) => reports.classes({ reach: WHOLE_SCHOOL, range }),
  'school: modules': (reports, range) => reports.modules({ reach: WHOLE_SCHOOL, range }),
  'school: newest sessions': (reports, range) => reports.sessions({ reach: WHOLE_SCHOOL, range }, PAGE),
  'school: students by name': (reports, range) =>
    reports.students({ reach: WHOLE_SCHOOL, range }, { ...PAGE, order: 'name', descending: false }),
  'class: totals': (reports, range) => reports.totals({ reach: WHOLE_SCHOOL, range, className: 'Class 7' }),
  'class: students by focus': (reports, range) =>
    reports.students(
      { reach: WHOLE_SCHOOL, range, className: 'Class 7' },
      { ...PAGE, order: 'focusShare', descending: true },
    ),
  'student: with medians': (reports, range) => reports.detail({ reach: WHOLE_SCHOOL, range, userId: 1234 }),
  'student: sessions': (reports, range) => reports.sessions({ reach: WHOLE_SCHOOL, range, userId: 1234 }, PAGE),
  'module: with medians': (reports, range) => reports.detail({ reach: WHOLE_SCHOOL, range, moduleId: 7 }),
  'module: lesson sections': (reports, range) => reports.sections({ reach: WHOLE_SCHOOL, range, moduleId: 7 }),
  'lesson section: with medians': (reports, range) =>
    reports.sectionDetail({ reach: WHOLE_SCHOOL, range, moduleId: 7, sectionId: 65 }),
  'lesson section: time line': (reports, range) =>
    reports.timeline({ reach: WHOLE_SCHOOL, range, moduleId: 7, sectionId: 65 }, STEP_MS),
};

/** Asks each of the dashboard's questions twice, for a day, for four weeks and for all days given, and says how long the second time took, ms. */
export async function measureReports(url: string, firstDay: string, days: number): Promise<string> {
  const logger = pino({ level: 'warn' });
  const { loadStoreHooks } = eyelearn({ php: null }, logger);
  const store = await openStore({ mysqlUrl: url, dataDir: '' }, logger, loadStoreHooks);
  const reports = createReportStore(openMysqlReports({ url, prepare: () => store.ready() }));
  const spans = [1, 28, days].filter((span) => span <= days);
  const ranges = spans.map((span) => lastDays(span, addDays(firstDay, days - 1)));
  const lines = [
    `| question | ${spans.map((span) => `${span} ${span === 1 ? 'day' : 'days'}, ms`).join(' | ')} |`,
    `|---|${spans.map(() => '---|').join('')}`,
  ];
  try {
    for (const [name, ask] of Object.entries(QUESTIONS)) {
      const took: string[] = [];
      for (const range of ranges) {
        await ask(reports, range);
        const startedMs = performance.now();
        await ask(reports, range);
        took.push((performance.now() - startedMs).toFixed(0));
      }
      lines.push(`| ${name} | ${took.join(' | ')} |`);
    }
  } finally {
    await reports.close();
    await store.close();
  }
  return lines.join('\n');
}
