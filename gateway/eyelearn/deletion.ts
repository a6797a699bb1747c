import type { PlatformRecords, TableStatement } from '../privacy/platform-records.ts';
import type { MetricsStore } from '../store/port.ts';
import type { Catalog } from './catalog.ts';

type Store = Pick<MetricsStore, 'ready' | 'kind'>;

const OF_STUDENT = 'IN (SELECT eyelearn_row_id FROM relay_eyelearn_rows WHERE user_id = ?)';
const ofTotals = (table: string) =>
  `IN (SELECT row_id FROM relay_eyelearn_totals WHERE target = '${table}' AND user_id = ?)`;

/** A table with the condition on rows of one student that are known to be ours. */
type StudentRows = readonly (readonly [table: string, condition: string])[];

/** EyeLearn's tables. */
const ROWS: StudentRows = [
  ['focus_events', `session_id ${OF_STUDENT}`],
  ['eye_tracking_sessions', `id ${OF_STUDENT}`],
  ['eye_tracking_analytics', `id ${ofTotals('eye_tracking_analytics')}`],
  ['user_study_sessions', `id ${ofTotals('user_study_sessions')}`],
  [
    'daily_analytics',
    "user_id = ? AND date IN (SELECT day FROM relay_eyelearn_totals WHERE target = 'daily_analytics' AND user_id = ?)",
  ],
];

/**
 * The same where PHP makes the rows of time: those of the student on days on which we tracked, and their events, which are ours
 * alone. The days are also in our own ledger: a platform may have no tables of days.
 */
const PHP_ROWS: StudentRows = (() => {
  const days = `user_id = ? AND DATE(created_at) IN
    (SELECT day FROM relay_eyelearn_totals WHERE user_id = ? UNION SELECT day FROM relay_hours WHERE user_id = ?)`;
  return [
    ['focus_events', `session_id IN (SELECT id FROM eye_tracking_sessions WHERE ${days})`],
    ['eye_tracking_sessions', days],
  ];
})();

/** Our notes about those rows. */
const NOTES: StudentRows = [
  ['relay_eyelearn_rows', 'user_id = ?'],
  ['relay_eyelearn_totals', 'user_id = ?'],
];

/** Columns of whole seconds: a row of days is ours alone where they hold no more than we have written. */
const DAY_ROWS = [
  { table: 'eye_tracking_analytics', focused: 'total_focused_time', unfocused: 'total_unfocused_time' },
  { table: 'daily_analytics', focused: 'total_focused_time_seconds', unfocused: 'total_unfocused_time_seconds' },
] as const;

const marks = (ids: readonly number[]) => ids.map(() => '?').join(', ');

/** What EyeLearn's database has of students from this gateway. */
export function eyelearnRecords(
  catalog: Catalog,
  { isWrittenByPhp = false }: { readonly isWrittenByPhp?: boolean } = {},
): PlatformRecords {
  const has = (table: string) => catalog.tables.has(table);
  const rows = isWrittenByPhp
    ? [...PHP_ROWS, ...ROWS.filter(([table]) => !PHP_ROWS.some(([php]) => php === table))]
    : ROWS;

  async function ofStudent(store: Store, userId: number, verb: 'DELETE' | 'SELECT *'): Promise<TableStatement[]> {
    if (store.kind !== 'mysql') return [];
    await store.ready();
    return [...rows.filter(([table]) => has(table)), ...NOTES].map(([table, condition]) => [
      table,
      {
        sql: `${verb} FROM ${table} WHERE ${condition}`,
        values: [...condition.matchAll(/\?/g)].map(() => userId),
      },
    ]);
  }

  return {
    deletionsOf: (store, userId) => ofStudent(store, userId, 'DELETE'),
    exportsOf: (store, userId) => ofStudent(store, userId, 'SELECT *'),
    async deletionsOfSessions(store, sessionIds) {
      if (store.kind !== 'mysql') return [];
      await store.ready();
      const noted = `(SELECT eyelearn_row_id FROM relay_eyelearn_rows WHERE session_id IN (${marks(sessionIds)}))`;
      const study = `(SELECT row_id FROM relay_eyelearn_totals
        WHERE target = 'user_study_sessions' AND session_id IN (${marks(sessionIds)}))`;
      const conditions: StudentRows = [
        ['focus_events', `session_id IN ${noted}`],
        ['eye_tracking_sessions', `id IN ${noted}`],
        ['user_study_sessions', `id IN ${study}`],
      ];
      const notes: StudentRows = [
        ['relay_eyelearn_rows', `session_id IN (${marks(sessionIds)})`],
        ['relay_eyelearn_totals', `target = 'user_study_sessions' AND session_id IN (${marks(sessionIds)})`],
      ];
      return [...conditions.filter(([table]) => has(table)), ...notes].map(([table, condition]) => [
        table,
        { sql: `DELETE FROM ${table} WHERE ${condition}`, values: sessionIds },
      ]);
    },
    async deletionsOfDay(store, day) {
      if (store.kind !== 'mysql') return [];
      await store.ready();
      const rows = DAY_ROWS.filter(({ table, focused, unfocused }) => catalog.has(table, 'id', focused, unfocused));
      return [
        ...rows.map(({ table, focused, unfocused }): TableStatement => {
          const isNoted = table === 'daily_analytics' ? 'n.user_id = e.user_id AND n.day = e.date' : 'n.row_id = e.id';
          const sql = `DELETE FROM ${table} WHERE id IN (SELECT id FROM (
              SELECT e.id FROM ${table} e JOIN relay_eyelearn_totals n ON ${isNoted}
              WHERE n.target = '${table}' AND n.day <= ? AND COALESCE(e.${focused}, 0) <= n.focused_written_s
                AND COALESCE(e.${unfocused}, 0) <= n.unfocused_written_s
            ) ours)`;
          return [table, { sql, values: [day] }];
        }),
        [
          'relay_eyelearn_totals',
          {
            sql: "DELETE FROM relay_eyelearn_totals WHERE day <= ? AND target <> 'user_study_sessions'",
            values: [day],
          },
        ],
      ];
    },
  };
}
