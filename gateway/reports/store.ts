import type { Reach } from '../auth/reach.ts';
import { trackedOf } from '../store/views/measures.ts';
import type { ReportDatabase, Row, Sql } from './database.ts';
import { boutLengths } from './median.ts';
import type { Names, ReportStore, Scope, SectionScope, StudentsQuery } from './port.ts';
import { reachOf } from './reach.ts';
import { figuresOf, numberOf, sessionRowOf, textOrNull, totalsOf } from './read.ts';
import { ALL_SUMS, containing, FIGURE_SUMS, whereOf } from './sql.ts';
import { readTimeline } from './timeline.ts';

const TRACKED = `(${trackedOf('s')})`;

/** End of the student's newest session that this reader may see, whatever the range. */
function lastSeen(reach: Reach): Sql {
  const { text, values } = reachOf(reach);
  // Only classes and modules need the names' view; the table answers faster.
  const [sessions, inReach] = reach.kind === 'named' ? ['relay_report_sessions', text] : ['relay_sessions', '1 = 1'];
  return {
    text: `(SELECT t.ended_at_ms FROM ${sessions} t WHERE t.user_id = s.user_id AND ${inReach}
      ORDER BY t.started_at_ms DESC LIMIT 1)`,
    values: reach.kind === 'named' ? values : [],
  };
}

/** Figures without those that are one student's in a group: the longest and the middle of all bouts. */
function forReach<T extends { readonly longestFocusedBoutMs: number | null }>(reach: Reach, figures: T): T {
  return reach.kind === 'groups' ? { ...figures, longestFocusedBoutMs: null } : figures;
}

const NO_LENGTHS = { medianFocusedBoutMs: null, medianUnfocusedBoutMs: null, longestUnfocusedBoutMs: null };

/** What the list of students is sorted by; the user id decides between equals. */
function studentOrder({ order, descending }: StudentsQuery): string {
  const way = descending ? 'DESC' : 'ASC';
  const expressions = {
    name: `name ${way}`,
    className: `class_name ${way}, name ${way}`,
    // Those of whom nothing was tracked come last, whichever way it is sorted.
    focusShare: `CASE WHEN ${TRACKED} > 0 THEN 0 ELSE 1 END, 1.0 * s.focused_ms / NULLIF(${TRACKED}, 0) ${way}`,
    trackedMs: `${TRACKED} ${way}`,
    sessions: `s.session_count ${way}`,
    lastSeenAtMs: `last_seen_at_ms ${way}`,
  };
  return `${expressions[order]}, s.user_id ${order === 'name' || order === 'className' ? way : 'ASC'}`;
}

function searchOf(search: string | undefined): Sql {
  const text = search?.trim() ?? '';
  if (text === '') return { text: '', values: [] };
  const id = /^\d{1,10}$/.test(text) ? Number(text) : 0;
  return { text: " AND (user_id = ? OR student_name LIKE ? ESCAPE '!')", values: [id, containing(text)] };
}

/** Titles of modules or lesson sections by their ids. */
function titlesOf(rows: readonly Row[], kind: 'module' | 'section'): Map<number, string> {
  const titles = rows.flatMap((row) => {
    const title = textOrNull(row, `${kind}_title`);
    return title === null ? [] : [[numberOf(row, `${kind}_id`), title] as const];
  });
  return new Map(titles);
}

/** Reports from any database that has our report views. */
export function createReportStore(database: ReportDatabase): ReportStore {
  const { dialect } = database;

  /**
   * Rows of the cube of hours, added up by one of its columns. By the column alone MariaDB would read the rows in the order of its
   * index, one by one; with an expression it reads the table as it lies and sorts, which takes half the time.
   */
  function grouped(scope: Scope, key: string): Promise<readonly Row[]> {
    const where = whereOf(scope);
    return database.rows(
      `SELECT CAST(${key} AS CHAR) AS grouped_by, COUNT(DISTINCT user_id) AS student_count, ${FIGURE_SUMS}
       FROM relay_report_hours WHERE ${where.text} GROUP BY ${key}, ${key} + 0 ORDER BY ${key}`,
      where.values,
    );
  }

  /** The same with the titles of modules or lesson sections, which are joined to the groups and not to their rows. */
  async function groupedWithTitle(scope: Scope, kind: 'module' | 'section'): Promise<readonly Row[]> {
    const rows = await grouped(scope, `${kind}_id`);
    const ids = rows.flatMap(({ grouped_by: id }) => (id === null ? [] : [Number(id)]));
    const titles = titlesOf(await names(kind, `${kind}_id`, ids), kind);
    return rows.map((row) => ({ ...row, title: titles.get(Number(row.grouped_by)) ?? null }));
  }

  /** Sums of each student, in the order of relay_hours: the way that asks least of a database where there are many rows. */
  const ofStudents = (sums: string, where: string) =>
    `(SELECT user_id, ${sums} FROM relay_report_hours WHERE ${where} GROUP BY user_id) s`;

  async function totals(scope: Scope | SectionScope) {
    const where = whereOf(scope);
    const [row = {}] = await database.rows(
      `SELECT COUNT(*) AS student_count, ${ALL_SUMS} FROM ${ofStudents(ALL_SUMS, where.text)}`,
      where.values,
    );
    return forReach(scope.reach, totalsOf(row));
  }

  async function detail(scope: Scope | SectionScope) {
    const lengths = scope.reach.kind === 'groups' ? NO_LENGTHS : boutLengths(database, whereOf(scope));
    const [sums, ofBouts] = await Promise.all([totals(scope), lengths]);
    return { ...sums, ...ofBouts };
  }

  async function names(kind: 'student' | 'module' | 'section', key: string, ids: readonly number[]) {
    const distinct = [...new Set(ids)];
    if (distinct.length === 0) return [];
    const places = distinct.map(() => '?').join(', ');
    return database.rows(`SELECT * FROM relay_dim_${kind}s WHERE ${key} IN (${places})`, distinct);
  }

  return {
    kind: dialect.kind,
    async utcOffsetMs(atMs) {
      const seconds = Math.floor(atMs / 1000);
      const [row = {}] = await database.rows(`SELECT ${dialect.localSeconds} AS local_s`, [seconds]);
      return (numberOf(row, 'local_s') - seconds) * 1000;
    },
    totals,
    detail,
    sectionDetail: detail,
    async days(scope) {
      const rows = await grouped(scope, 'day');
      return rows.map((row) => ({ day: String(row.grouped_by), ...forReach(scope.reach, figuresOf(row)) }));
    },
    async hours(scope) {
      const rows = await grouped(scope, 'hour_of_day');
      return rows.map((row) => ({ hour: numberOf(row, 'grouped_by'), ...forReach(scope.reach, figuresOf(row)) }));
    },
    async classes(scope) {
      const where = whereOf(scope);
      const rows = await database.rows(
        `SELECT class_name AS grouped_by, COUNT(*) AS student_count, ${FIGURE_SUMS}
         FROM ${ofStudents(FIGURE_SUMS, where.text)} LEFT JOIN relay_dim_students u ON u.user_id = s.user_id
         GROUP BY class_name ORDER BY class_name`,
        where.values,
      );
      return rows
        .map((row) => ({ className: textOrNull(row, 'grouped_by'), ...forReach(scope.reach, figuresOf(row)) }))
        .toSorted((a, b) => Number(a.className === null) - Number(b.className === null));
    },
    async students(scope, query) {
      const where = whereOf(scope);
      const search = searchOf(query.search);
      const seen = lastSeen(scope.reach);
      const condition = `${where.text}${search.text}`;
      const values = [...where.values, ...search.values];
      const [[count = {}], rows] = await Promise.all([
        database.rows(`SELECT COUNT(DISTINCT user_id) AS students FROM relay_report_hours WHERE ${condition}`, values),
        database.rows(
          `SELECT s.*, 1 AS student_count, u.student_name AS name, u.class_name AS class_name, ${seen.text} AS last_seen_at_ms
           FROM ${ofStudents(FIGURE_SUMS, condition)} LEFT JOIN relay_dim_students u ON u.user_id = s.user_id
           ORDER BY ${studentOrder(query)} LIMIT ? OFFSET ?`,
          [...seen.values, ...values, query.limit, query.offset],
        ),
      ]);
      return {
        total: numberOf(count, 'students'),
        rows: rows.map((row) => ({
          userId: numberOf(row, 'user_id'),
          name: textOrNull(row, 'name'),
          className: textOrNull(row, 'class_name'),
          lastSeenAtMs: numberOf(row, 'last_seen_at_ms'),
          ...figuresOf(row),
        })),
      };
    },
    async modules(scope) {
      const rows = await groupedWithTitle(scope, 'module');
      return rows.map((row) => ({
        moduleId: numberOf(row, 'grouped_by'),
        title: textOrNull(row, 'title'),
        ...forReach(scope.reach, figuresOf(row)),
      }));
    },
    async sections(scope) {
      const rows = await groupedWithTitle(scope, 'section');
      return rows
        .map((row) => ({
          sectionId: row.grouped_by === null ? null : numberOf(row, 'grouped_by'),
          title: textOrNull(row, 'title'),
          ...figuresOf(row),
        }))
        .toSorted((a, b) => Number(a.sectionId === null) - Number(b.sectionId === null));
    },
    timeline: (scope, stepMs) => readTimeline(database, scope, stepMs),
    async sessions(scope, slice) {
      const where = whereOf(scope, dialect);
      const from = `FROM relay_report_sessions WHERE ${where.text}`;
      const [[count = {}], rows] = await Promise.all([
        database.rows(`SELECT COUNT(*) AS sessions ${from}`, where.values),
        database.rows(
          `SELECT *, 1 AS session_count, 1 AS student_count ${from} ORDER BY started_at_ms DESC, session_id DESC LIMIT ? OFFSET ?`,
          [...where.values, slice.limit, slice.offset],
        ),
      ]);
      return { total: numberOf(count, 'sessions'), rows: rows.map(sessionRowOf) };
    },
    async names(ids): Promise<Names> {
      const students = await names('student', 'user_id', ids.users);
      return {
        students: new Map(
          students.map((row) => [
            numberOf(row, 'user_id'),
            { name: textOrNull(row, 'student_name'), className: textOrNull(row, 'class_name') },
          ]),
        ),
        modules: titlesOf(await names('module', 'module_id', ids.modules), 'module'),
        sections: titlesOf(await names('section', 'section_id', ids.sections), 'section'),
      };
    },
    close: () => database.close(),
  };
}
