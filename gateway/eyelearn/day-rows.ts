import { type Executor, identifier, rowsOf, type SqlText, type SqlValue, sql } from '../store/mysql/statement.ts';
import { type DayTable, type Due, either, type Scope } from './day-scopes.ts';
import type { WrittenTable } from './tables.ts';

const plus = (column: string, value: SqlText): SqlText => sql`COALESCE(${identifier(column)}, 0) + ${value}`;
const share = (focused: SqlText, total: SqlText): SqlText =>
  sql`COALESCE(ROUND(100 * ${focused} / NULLIF(${total}, 0), 2), 0)`;
const largest = (column: string, value: SqlText): SqlText =>
  sql`GREATEST(COALESCE(${identifier(column)}, 0), ${value})`;

/** A row of EyeLearn's: the condition that finds it, and its id where it is found by that. */
export interface Row {
  readonly where: SqlText;
  readonly id: number | null;
}

/** How one of EyeLearn's tables takes our time. */
export interface Target {
  /** Whether its rows have an id. */
  readonly hasId: boolean;
  /** The row that was written before; null if there was none. */
  knownRow: (due: Due) => Row | null;
  /** Finds rows that another program has made, and locks them. */
  find: (db: Executor, table: WrittenTable, due: readonly Due[]) => Promise<ReadonlyMap<Due, Row>>;
  sets: (table: WrittenTable, value: (name: string) => SqlText) => Record<string, SqlText>;
  newRow: (scope: Scope, totalS: number) => Record<string, SqlValue>;
}

const rowWithId = (id: number): Row => ({ where: sql`id = ${id}`, id });

const rowBefore = ({ written }: Due): Row | null =>
  written === null || written.rowId === null ? null : rowWithId(written.rowId);

const ofStudentDay = ({ scope: { userId, day } }: Due): SqlText => sql`user_id = ${userId} AND date = ${day}`;

const ANALYTICS: Target = {
  hasId: true,
  knownRow: rowBefore,
  async find(db, table, due) {
    const hasSection = table.columns.has('section_id');
    const rows = await rowsOf(
      db,
      sql`SELECT id, user_id, module_id, ${hasSection ? sql`section_id` : sql`NULL`} AS section_id, DATE_FORMAT(date, '%Y-%m-%d') AS study_day
        FROM eye_tracking_analytics WHERE ${either(due.map(ofStudentDay))} ORDER BY id FOR UPDATE`,
    );
    const placeOf = (userId: unknown, day: unknown, moduleId: unknown, section: unknown) =>
      [userId, day, moduleId, hasSection ? (section ?? 'none') : ''].join('/');
    const ids = new Map<string, number>();
    for (const { id, user_id, module_id, section_id, study_day } of rows) {
      const place = placeOf(user_id, study_day, module_id, section_id);
      // A NULL section may have several rows: EyeLearn's unique key does not bind them.
      if (!ids.has(place)) ids.set(place, Number(id));
    }
    return new Map(
      due.flatMap((one): [Due, Row][] => {
        const { userId, day, moduleId, sectionKey } = one.scope;
        const id = ids.get(placeOf(userId, day, moduleId, sectionKey === 0 ? null : sectionKey));
        return id === undefined ? [] : [[one, rowWithId(id)]];
      }),
    );
  },
  sets({ columns }, value) {
    const total = sql`(COALESCE(total_focused_time, 0) + COALESCE(total_unfocused_time, 0))`;
    const hasBoth = columns.has('total_focused_time') && columns.has('total_unfocused_time');
    const sessions = columns.has('session_count') ? sql`session_count` : value('sessions');
    return {
      total_focus_time: plus('total_focus_time', value('addFocusedS')),
      total_focused_time: plus('total_focused_time', value('addFocusedS')),
      total_unfocused_time: plus('total_unfocused_time', value('addUnfocusedS')),
      session_count: plus('session_count', value('addSessions')),
      // Where the row has no times of its own to take shares of, ours are used.
      average_session_time: sql`FLOOR(${hasBoth ? total : value('totalS')} / GREATEST(${sessions}, 1))`,
      max_continuous_time: largest('max_continuous_time', value('longestFocusS')),
      focus_percentage: hasBoth ? share(sql`total_focused_time`, total) : share(value('focusedS'), value('totalS')),
    };
  },
  newRow: ({ userId, moduleId, sectionKey, day, focusedS, unfocusedS, sessions, longestFocusS }, totalS) => ({
    user_id: userId,
    module_id: moduleId,
    section_id: sectionKey === 0 ? null : sectionKey,
    date: day,
    total_focus_time: focusedS,
    total_focused_time: focusedS,
    total_unfocused_time: unfocusedS,
    session_count: sessions,
    average_session_time: Math.floor(totalS / Math.max(1, sessions)),
    max_continuous_time: longestFocusS,
    focus_percentage: share(sql`${focusedS}`, sql`${totalS}`),
  }),
};

const DAILY: Target = {
  hasId: false,
  knownRow: (due) => (due.written === null ? null : { where: ofStudentDay(due), id: null }),
  async find(db, _table, due) {
    const rows = await rowsOf(
      db,
      sql`SELECT user_id, DATE_FORMAT(date, '%Y-%m-%d') AS study_day FROM daily_analytics
        WHERE ${either(due.map(ofStudentDay))} FOR UPDATE`,
    );
    const days = new Set(rows.map(({ user_id, study_day }) => `${user_id}/${study_day}`));
    return new Map(
      due
        .filter(({ scope: { userId, day } }) => days.has(`${userId}/${day}`))
        .map((one): [Due, Row] => [one, { where: ofStudentDay(one), id: null }]),
    );
  },
  sets({ columns }, value) {
    const total = sql`(COALESCE(total_focused_time_seconds, 0) + COALESCE(total_unfocused_time_seconds, 0))`;
    const hasBoth = columns.has('total_focused_time_seconds') && columns.has('total_unfocused_time_seconds');
    return {
      total_study_time_seconds: plus('total_study_time_seconds', value('addTotalS')),
      total_focused_time_seconds: plus('total_focused_time_seconds', value('addFocusedS')),
      total_unfocused_time_seconds: plus('total_unfocused_time_seconds', value('addUnfocusedS')),
      session_count: plus('session_count', value('addSessions')),
      average_focus_percentage: hasBoth
        ? share(sql`total_focused_time_seconds`, total)
        : share(value('focusedS'), value('totalS')),
      longest_session_seconds: largest('longest_session_seconds', value('longestSessionS')),
      modules_studied: largest('modules_studied', value('modules')),
    };
  },
  newRow: ({ userId, day, focusedS, unfocusedS, sessions, longestSessionS, modules }, totalS) => ({
    user_id: userId,
    date: day,
    total_study_time_seconds: totalS,
    total_focused_time_seconds: focusedS,
    total_unfocused_time_seconds: unfocusedS,
    session_count: sessions,
    average_focus_percentage: share(sql`${focusedS}`, sql`${totalS}`),
    longest_session_seconds: longestSessionS,
    modules_studied: modules,
  }),
};

/** No other program writes these rows, so score and duration are set. */
const STUDY_SESSIONS: Target = {
  hasId: true,
  knownRow: rowBefore,
  find: async () => new Map(),
  sets: (_table, value) => ({ focus_score: value('score'), duration: value('totalS') }),
  newRow: ({ userId, day, focusedS }, totalS) => ({
    user_id: userId,
    date: day,
    focus_score: Math.round((10_000 * focusedS) / totalS) / 100,
    duration: totalS,
  }),
};

export const TARGETS: Readonly<Record<DayTable, Target>> = {
  eye_tracking_analytics: ANALYTICS,
  daily_analytics: DAILY,
  user_study_sessions: STUDY_SESSIONS,
};
