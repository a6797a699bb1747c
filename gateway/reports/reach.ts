import type { Reach } from '../auth/reach.ts';
import type { Sql } from './database.ts';

/** `column IN (?, …)`; false where there is nothing to be in. */
export function isIn(column: string, values: readonly (string | number)[]): Sql {
  if (values.length === 0) return { text: '1 = 0', values: [] };
  return { text: `${column} IN (${values.map(() => '?').join(', ')})`, values };
}

/**
 * The rows of a report view that this reader may see. Groups are all students of one module on one day: an answer is a sum of
 * such groups, each of minGroup students or more, and so is what two answers differ by. Only views with a `day` can be
 * asked for groups.
 */
export function reachOf(reach: Reach): Sql {
  switch (reach.kind) {
    case 'school':
      return { text: '1 = 1', values: [] };
    case 'student':
      return { text: 'user_id = ?', values: [reach.userId] };
    case 'named': {
      const classes = isIn('class_name', reach.classes);
      const modules = isIn('module_id', reach.moduleIds);
      return { text: `(${classes.text} OR ${modules.text})`, values: [...classes.values, ...modules.values] };
    }
    default:
      return {
        text: `day < ? AND (day, module_id) IN (
          SELECT g.day, g.module_id FROM relay_hours g GROUP BY g.day, g.module_id HAVING COUNT(DISTINCT g.user_id) >= ?)`,
        values: [reach.before, reach.minGroup],
      };
  }
}

/** True where this reader may see a record of this student, of this class, in this module. */
export function isInReach(
  reach: Reach,
  record: { readonly userId: number; readonly className: string | null; readonly moduleId: number },
): boolean {
  switch (reach.kind) {
    case 'school':
      return true;
    case 'student':
      return record.userId === reach.userId;
    case 'named':
      return (
        reach.moduleIds.includes(record.moduleId) ||
        (record.className !== null && reach.classes.includes(record.className))
      );
    default:
      return false;
  }
}
