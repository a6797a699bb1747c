import { dateOfDay } from '../../shared/report/zone.ts';
import type { Directory, ReportDatabase, Row } from './database.ts';
import { boutLengths } from './median.ts';
import type { PlatformNames } from './platform-names.ts';
import type { ReportStore, Scope, SectionScope, StudentsQuery } from './port.ts';
import { figuresOf, numberOf, personName, sessionRowOf, textOrNull, totalsOf } from './read.ts';
import { readSectionDetail, readSections, readTimeline } from './sections.ts';
import { containing, detailSums, localMs, SESSION_FIGURES, type Sql, sessionsOf, TRACKED } from './sql.ts';

const TRACKED_SUM = `SUM(${TRACKED('s')})`;

/** What the list of students is sorted by; the user id decides between equals. */
function studentOrder({ order, descending }: StudentsQuery, directory: Directory): string {
  const way = descending ? 'DESC' : 'ASC';
  const name = directory.users ? `MAX(u.last_name) ${way}, MAX(u.first_name) ${way}` : `s.user_id ${way}`;
  const expressions = {
    name,
    className: directory.classes ? `MAX(u.section) ${way}, ${name}` : name,
    // Those of whom nothing was tracked come last, whichever way it is sorted.
    focusShare: `CASE WHEN ${TRACKED_SUM} > 0 THEN 0 ELSE 1 END, 1.0 * SUM(s.focused_ms) / NULLIF(${TRACKED_SUM}, 0) ${way}`,
    trackedMs: `${TRACKED_SUM} ${way}`,
    sessions: `COUNT(*) ${way}`,
    lastSeenAtMs: `MAX(s.ended_at_ms) ${way}`,
  };
  return `${expressions[order]}, s.user_id ASC`;
}

function personColumns(directory: Directory, pick: (column: string) => string): string {
  return [
    ...(directory.users ? [`${pick('u.first_name')} AS first_name`, `${pick('u.last_name')} AS last_name`] : []),
    ...(directory.classes ? [`${pick('u.section')} AS class_name`] : []),
  ]
    .map((column) => `, ${column}`)
    .join('');
}

function searchOf(search: string | undefined, directory: Directory): Sql {
  const text = search?.trim() ?? '';
  if (text === '') return { text: '', values: [] };
  const id = /^\d{1,10}$/.test(text) ? Number(text) : 0;
  if (!directory.users) return { text: ' AND s.user_id = ?', values: [id] };
  return {
    text: " AND (s.user_id = ? OR CONCAT(COALESCE(u.first_name, ''), ' ', COALESCE(u.last_name, '')) LIKE ? ESCAPE '!')",
    values: [id, containing(text)],
  };
}

/** Reports from any database that has our tables. */
export function createReportStore(database: ReportDatabase, names: PlatformNames): ReportStore {
  const grouped = async (
    scope: Scope,
    by: (directory: Directory) => { readonly key: string; readonly columns?: string; readonly joins?: string },
    order?: string,
  ): Promise<readonly Row[]> => {
    const directory = await database.directory();
    const { from, where } = sessionsOf(scope, directory);
    const { key, columns = '', joins = '' } = by(directory);
    return database.rows(
      `SELECT ${key} AS grouped_by${columns}, ${SESSION_FIGURES} FROM ${from}${joins} WHERE ${where.text}
       GROUP BY ${key} ORDER BY ${order ?? 'grouped_by'}`,
      where.values,
    );
  };

  const totals = async (scope: Scope) => {
    const { from, where } = sessionsOf(scope, await database.directory());
    const [row = {}] = await database.rows(
      `SELECT ${SESSION_FIGURES}, ${detailSums('s')} FROM ${from} WHERE ${where.text}`,
      where.values,
    );
    return totalsOf(row);
  };

  return {
    kind: database.kind,
    totals,
    async detail(scope) {
      const { from, where } = sessionsOf(scope, await database.directory());
      const bouts = `${from} JOIN relay_bouts b ON b.session_id = s.id`;
      return {
        ...(await totals(scope)),
        ...(await boutLengths(database, bouts, where)),
      };
    },
    sectionDetail: (scope: SectionScope) => readSectionDetail(database, scope),
    async days(scope) {
      const key = `${localMs('s.started_at_ms', scope)} ${database.div} 86400000`;
      const rows = await grouped(scope, () => ({ key }));
      return rows.map((row) => ({ day: dateOfDay(numberOf(row, 'grouped_by')), ...figuresOf(row) }));
    },
    async hours(scope) {
      const key = `(${localMs('s.started_at_ms', scope)} ${database.div} 3600000) % 24`;
      const rows = await grouped(scope, () => ({ key }));
      return rows.map((row) => ({ hour: numberOf(row, 'grouped_by'), ...figuresOf(row) }));
    },
    async classes(scope) {
      const rows = await grouped(scope, ({ classes }) => ({ key: classes ? "COALESCE(u.section, '')" : "''" }));
      return rows
        .map((row) => ({ className: textOrNull(row, 'grouped_by'), ...figuresOf(row) }))
        .toSorted((a, b) => Number(a.className === null) - Number(b.className === null));
    },
    async students(scope, query) {
      const directory = await database.directory();
      const { from, where } = sessionsOf(scope, directory);
      const search = searchOf(query.search, directory);
      const text = `FROM ${from} WHERE ${where.text}${search.text}`;
      const values = [...where.values, ...search.values];
      const [count = {}] = await database.rows(`SELECT COUNT(DISTINCT s.user_id) AS students ${text}`, values);
      const rows = await database.rows(
        `SELECT s.user_id AS user_id, MAX(s.ended_at_ms) AS last_seen_at_ms, ${SESSION_FIGURES}
         ${personColumns(directory, (column) => `MAX(${column})`)} ${text}
         GROUP BY s.user_id ORDER BY ${studentOrder(query, directory)} LIMIT ? OFFSET ?`,
        [...values, query.limit, query.offset],
      );
      return {
        total: numberOf(count, 'students'),
        rows: rows.map((row) => ({
          userId: numberOf(row, 'user_id'),
          name: personName(row),
          className: textOrNull(row, 'class_name'),
          lastSeenAtMs: numberOf(row, 'last_seen_at_ms'),
          ...figuresOf(row),
        })),
      };
    },
    async modules(scope) {
      const rows = await grouped(scope, ({ modules }) => ({
        key: 's.module_id',
        columns: modules ? ', MAX(m.title) AS title' : '',
        joins: modules ? ' LEFT JOIN modules m ON m.id = s.module_id' : '',
      }));
      return rows.map((row) => ({
        moduleId: numberOf(row, 'grouped_by'),
        title: textOrNull(row, 'title'),
        ...figuresOf(row),
      }));
    },
    sections: (scope) => readSections(database, scope),
    timeline: (scope, stepMs) => readTimeline(database, scope, stepMs),
    async sessions(scope, slice) {
      const directory = await database.directory();
      const { from, where } = sessionsOf(scope, directory);
      const [count = {}] = await database.rows(
        `SELECT COUNT(*) AS sessions FROM ${from} WHERE ${where.text}`,
        where.values,
      );
      const rows = await database.rows(
        `SELECT s.session_uuid, s.user_id, s.module_id, s.started_at_ms, s.ended_at_ms, s.is_final, s.mode, s.rule,
           1 AS sessions, 1 AS students, s.focused_ms, s.unfocused_ms, s.unknown_ms, s.untracked_ms,
           s.focused_bout_count AS focused_bouts, s.unfocused_bout_count AS unfocused_bouts, s.longest_focused_bout_ms
           ${personColumns(directory, (column) => column)}${directory.modules ? ', m.title AS module_title' : ''}
         FROM ${from}${directory.modules ? ' LEFT JOIN modules m ON m.id = s.module_id' : ''}
         WHERE ${where.text} ORDER BY s.started_at_ms DESC, s.id DESC LIMIT ? OFFSET ?`,
        [...where.values, slice.limit, slice.offset],
      );
      return { total: numberOf(count, 'sessions'), rows: rows.map(sessionRowOf) };
    },
    names: (ids) => names.read(database, ids),
    close: () => database.close(),
  };
}
