import { addDays } from '../../shared/report/range.ts';
import { COUNT_COLUMNS, type Dialect, SUM_COLUMNS } from '../store/views/measures.ts';
import type { Sql } from './database.ts';
import type { Scope, SectionScope } from './port.ts';
import { reachOf } from './reach.ts';

/** How rows of a view fall into a range of days: by their `day`, or by the UTC ms at which they begin. */
export type RangeBy = 'day' | Pick<Dialect, 'startOfDay'>;

/** WHERE of a scope, over a report view that has the columns `user_id`, `module_id` and `class_name`. */
export function whereOf(scope: Scope & Partial<Pick<SectionScope, 'sectionId'>>, by: RangeBy = 'day'): Sql {
  const { range, userId, moduleId, className, sectionId } = scope;
  const reach = reachOf(scope.reach);
  const parts =
    by === 'day' ? ['day >= ?', 'day <= ?'] : [`started_at_ms >= ${by.startOfDay}`, `started_at_ms < ${by.startOfDay}`];
  const values: (string | number)[] = [range.from, by === 'day' ? range.to : addDays(range.to, 1)];
  for (const [column, value] of Object.entries({ user_id: userId, module_id: moduleId, class_name: className })) {
    if (value === undefined) continue;
    parts.push(`${column} = ?`);
    values.push(value);
  }
  if (sectionId === null) parts.push('section_id IS NULL');
  if (typeof sectionId === 'number') {
    parts.push('section_id = ?');
    values.push(sectionId);
  }
  return { text: [...parts, reach.text].join(' AND '), values: [...values, ...reach.values] };
}

/** Sums of time over rows of any view. */
export const TIME_SUMS = ['focused', 'unfocused', 'unknown', 'untracked']
  .map((kind) => `SUM(${kind}_ms) AS ${kind}_ms`)
  .join(', ');

/** Figures of rows of relay_report_hours. */
export const FIGURES = [
  ...COUNT_COLUMNS.map((column) => `SUM(${column}) AS ${column}`),
  'COUNT(DISTINCT user_id) AS student_count',
  'MAX(longest_focused_bout_ms) AS longest_focused_bout_ms',
  TIME_SUMS,
  'SUM(late_ms) AS late_ms',
].join(', ');

/** All sums of rows of relay_report_hours: times, directions, traffic. */
export const ALL_SUMS = SUM_COLUMNS.map((column) => `SUM(${column}) AS ${column}`).join(', ');

/** `%text%` for a LIKE with ESCAPE '!'. */
export function containing(text: string): string {
  return `%${text.replace(/[!%_]/g, (sign) => `!${sign}`)}%`;
}
