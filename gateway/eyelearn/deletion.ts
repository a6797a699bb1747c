import type { PlatformRecords } from '../privacy/platform-records.ts';
import type { Catalog } from './catalog.ts';

const OF_SESSIONS = `IN (SELECT r.eyelearn_row_id FROM relay_eyelearn_rows r
  JOIN relay_sessions s ON s.id = r.session_id WHERE s.user_id = ?)`;
const ofTotals = (table: string) =>
  `IN (SELECT row_id FROM relay_eyelearn_totals WHERE target = '${table}' AND user_id = ?)`;

/** EyeLearn's tables, with the statement that deletes the rows that are known to be ours. */
const ROWS: readonly (readonly [table: string, deletion: string])[] = [
  ['focus_events', `DELETE FROM focus_events WHERE session_id ${OF_SESSIONS}`],
  ['eye_tracking_sessions', `DELETE FROM eye_tracking_sessions WHERE id ${OF_SESSIONS}`],
  ['eye_tracking_analytics', `DELETE FROM eye_tracking_analytics WHERE id ${ofTotals('eye_tracking_analytics')}`],
  ['user_study_sessions', `DELETE FROM user_study_sessions WHERE id ${ofTotals('user_study_sessions')}`],
  [
    'daily_analytics',
    "DELETE FROM daily_analytics WHERE user_id = ? AND date IN (SELECT day FROM relay_eyelearn_totals WHERE target = 'daily_analytics' AND user_id = ?)",
  ],
];

/** Our notes about those rows. */
const NOTES: readonly (readonly [table: string, deletion: string])[] = [
  [
    'relay_eyelearn_rows',
    'DELETE FROM relay_eyelearn_rows WHERE session_id IN (SELECT id FROM relay_sessions WHERE user_id = ?)',
  ],
  ['relay_eyelearn_totals', 'DELETE FROM relay_eyelearn_totals WHERE user_id = ?'],
];

/** What EyeLearn's database has of a student from this gateway. */
export function eyelearnRecords(catalog: Catalog): PlatformRecords {
  return {
    async deletionsOf(store, userId) {
      if (store.kind !== 'mysql') return [];
      await store.ready();
      return [...ROWS.filter(([table]) => catalog.tables.has(table)), ...NOTES].map(([table, sql]) => [
        table,
        { sql, values: [...sql.matchAll(/\?/g)].map(() => userId) },
      ]);
    },
    sessionTables: ({ kind }) => (kind === 'mysql' ? ['relay_eyelearn_rows'] : []),
  };
}
