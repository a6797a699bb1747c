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

/**
 * Sum of a column of whole numbers, exact below 2^53: MySQL and MariaDB add up decimals, which takes half as long again as
 * doubles do, and twice as long in a temporary table.
 */
const sumOf = (column: string) => `SUM(${column} + 0e0) AS ${column}`;

const TIMES = ['focused', 'unfocused', 'unknown', 'untracked'].map((kind) => `${kind}_ms`);

/** Sums of time over rows of any view. */
export const TIME_SUMS = TIMES.map(sumOf).join(', ');

const LONGEST = 'MAX(longest_focused_bout_ms) AS longest_focused_bout_ms';
const sumsWith = (columns: readonly string[]) => [...COUNT_COLUMNS, ...columns].map(sumOf);

/** Sums of rows of relay_report_hours that figures are made of; a student_count belongs to them. */
export const FIGURE_SUMS = [...sumsWith([...TIMES, 'late_ms']), LONGEST].join(', ');

/** The same with all other sums: directions, traffic, pauses. */
export const ALL_SUMS = [...sumsWith(SUM_COLUMNS), LONGEST].join(', ');

/** `%text%` for a LIKE with ESCAPE '!'. */
export function containing(text: string): string {
  return `%${text.replace(/[!%_]/g, (sign) => `!${sign}`)}%`;
}
