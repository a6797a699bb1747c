import { DIRECTIONS } from '../../shared/direction.ts';
import { type OffsetSpan, offsetSpans } from '../../shared/report/zone.ts';
import type { Directory } from './database.ts';
import type { Scope } from './port.ts';

/** A piece of SQL with the values for its question marks. */
export interface Sql {
  readonly text: string;
  readonly values: readonly (string | number)[];
}

export const TRACKED = (table: string) => `(${table}.focused_ms + ${table}.unfocused_ms + ${table}.unknown_ms)`;

/** Sums of time over rows of relay_sessions or relay_windows. */
export function timeSums(table: 's' | 'w'): string {
  return ['focused', 'unfocused', 'unknown', 'untracked']
    .map((kind) => `SUM(${table}.${kind}_ms) AS ${kind}_ms`)
    .join(', ');
}

/** Figures of rows of relay_sessions. */
export const SESSION_FIGURES = `COUNT(*) AS sessions, COUNT(DISTINCT s.user_id) AS students, ${timeSums('s')},
  SUM(s.focused_bout_count) AS focused_bouts, SUM(s.unfocused_bout_count) AS unfocused_bouts,
  MAX(s.longest_focused_bout_ms) AS longest_focused_bout_ms`;

/** Directions and traffic of rows of relay_sessions or relay_windows. */
export function detailSums(table: 's' | 'w'): string {
  const directions = DIRECTIONS.map((direction) => (direction === 'unknown' ? 'unknown_direction' : direction));
  const columns = [
    ...directions.map((direction) => `${direction}_ms`),
    'frames_received',
    'frames_processed',
    'frames_dropped',
    'frames_with_face',
    'up_bytes',
    'down_bytes',
  ];
  return columns.map((column) => `SUM(${table}.${column}) AS ${column}`).join(', ');
}

/** FROM and WHERE for the sessions of a scope, as table `s`, with users as `u` where they are known. */
export function sessionsOf(scope: Scope, directory: Directory): { readonly from: string; readonly where: Sql } {
  const parts = ['s.started_at_ms >= ?', 's.started_at_ms < ?'];
  const values: (string | number)[] = [scope.range.fromMs, scope.range.toMs];
  const add = (part: string, value: string | number) => {
    parts.push(part);
    values.push(value);
  };
  if (scope.userId !== undefined) add('s.user_id = ?', scope.userId);
  if (scope.moduleId !== undefined) add('s.module_id = ?', scope.moduleId);
  if (scope.className !== undefined) {
    if (directory.classes) add('u.section = ?', scope.className);
    else parts.push('1 = 0');
  }
  return {
    from: `relay_sessions s${directory.users || directory.classes ? ' LEFT JOIN users u ON u.id = s.user_id' : ''}`,
    where: { text: parts.join(' AND '), values },
  };
}

/** Local ms since 1970-01-01 of a column of UTC ms, in the scope's time zone: its offsets are written out. */
export function localMs(column: string, scope: Scope): string {
  const { timeZone, fromMs, toMs } = scope.range;
  const spans = offsetSpans(timeZone, fromMs, toMs);
  const [first, ...later] = spans as [OffsetSpan, ...OffsetSpan[]];
  const cases = later
    .toReversed()
    .map((span) => `WHEN ${column} >= ${span.fromMs} THEN ${span.offsetMs}`)
    .join(' ');
  const offset = later.length === 0 ? String(first.offsetMs) : `CASE ${cases} ELSE ${first.offsetMs} END`;
  return `(${column} + (${offset}))`;
}

/** `%text%` for a LIKE with ESCAPE '!'. */
export function containing(text: string): string {
  return `%${text.replace(/[!%_]/g, (sign) => `!${sign}`)}%`;
}
