import { type SQL, sql } from 'drizzle-orm';
import type { Placement, StudentDay } from './placement.ts';
import { eyelearnTotals } from './schema.ts';
import {
  type Executor,
  insertRows,
  type RowChange,
  rowsOf,
  updateRows,
  type WrittenTable,
  type WrittenTables,
} from './tables.ts';

/** EyeLearn's tables that hold days or study sessions. */
export const DAY_TABLES = ['eye_tracking_analytics', 'daily_analytics', 'user_study_sessions'] as const;

export type DayTable = (typeof DAY_TABLES)[number];

/** Our own time of one session in one lesson section on one day. */
interface Part {
  readonly userId: number;
  readonly day: string;
  readonly moduleId: number;
  readonly sectionKey: number;
  readonly sessionId: number;
  readonly focusedMs: number;
  readonly unfocusedMs: number;
  /** Longest uninterrupted focus in this lesson section on this day, all sessions together. */
  readonly longestFocusMs: number;
}

interface ScopeKey {
  readonly target: DayTable;
  readonly userId: number;
  readonly day: string;
  /** Ids are 0 where the table does not know them. */
  readonly moduleId: number;
  readonly sectionKey: number;
  readonly sessionId: number;
}

/** What one of EyeLearn's rows sums up, all of our time together. */
interface Scope extends ScopeKey {
  readonly focusedS: number;
  readonly unfocusedS: number;
  readonly sessions: number;
  readonly modules: number;
  readonly longestSessionS: number;
  readonly longestFocusS: number;
}

/** What has been written of a scope before. */
interface Written {
  readonly rowId: number | null;
  readonly focusedWrittenS: number;
  readonly unfocusedWrittenS: number;
  readonly sessionsWritten: number;
}

/** A scope with something to add to its row. */
interface Due {
  readonly scope: Scope;
  readonly written: Written | null;
  readonly addFocusedS: number;
  readonly addUnfocusedS: number;
  readonly addSessions: number;
}

const keyOf = ({ target, userId, day, moduleId, sectionKey, sessionId }: ScopeKey): string =>
  [target, userId, day, moduleId, sectionKey, sessionId].join('/');

const either = (conditions: readonly SQL[]): SQL => sql.join([...conditions], sql` OR `);

/** All of our time on these days, from the ledger, which has this transaction's windows already. */
async function partsOf(db: Executor, days: readonly StudentDay[]): Promise<Part[]> {
  const inLedger = days.map(
    ({ userId, day }) =>
      sql`(user_id = ${userId} AND started_at_ms >= UNIX_TIMESTAMP(${day}) * 1000
        AND started_at_ms < UNIX_TIMESTAMP(${day} + INTERVAL 1 DAY) * 1000)`,
  );
  const inHours = days.map(({ userId, day }) => sql`(user_id = ${userId} AND day = ${day})`);
  const rows = await rowsOf(
    db,
    sql`SELECT w.*, COALESCE(h.longest_focus_ms, 0) AS longest_focus_ms FROM
        (SELECT user_id, DATE_FORMAT(FROM_UNIXTIME(FLOOR(started_at_ms / 1000)), '%Y-%m-%d') AS study_day, module_id,
          GREATEST(COALESCE(section_id, 0), 0) AS section_key, session_id,
          SUM(focused_ms) AS focused_ms, SUM(unfocused_ms) AS unfocused_ms
        FROM relay_windows WHERE ${either(inLedger)}
        GROUP BY user_id, study_day, module_id, section_key, session_id) w
      LEFT JOIN
        (SELECT user_id, DATE_FORMAT(day, '%Y-%m-%d') AS study_day, module_id, section_key,
          MAX(longest_focused_bout_ms) AS longest_focus_ms
        FROM relay_hours WHERE ${either(inHours)} GROUP BY user_id, study_day, module_id, section_key) h
      ON h.user_id = w.user_id AND h.study_day = w.study_day AND h.module_id = w.module_id AND h.section_key = w.section_key`,
  );
  return rows.map((row) => ({
    userId: Number(row.user_id),
    day: String(row.study_day),
    moduleId: Number(row.module_id),
    sectionKey: Number(row.section_key),
    sessionId: Number(row.session_id),
    focusedMs: Number(row.focused_ms),
    unfocusedMs: Number(row.unfocused_ms),
    longestFocusMs: Number(row.longest_focus_ms),
  }));
}

/** The rows that the parts make in one table. */
function scopesOf(target: DayTable, parts: readonly Part[]): Scope[] {
  const groups = new Map<string, { readonly key: ScopeKey; readonly parts: Part[] }>();
  for (const part of parts) {
    const key = {
      target,
      userId: part.userId,
      day: part.day,
      moduleId: target === 'eye_tracking_analytics' ? part.moduleId : 0,
      sectionKey: target === 'eye_tracking_analytics' ? part.sectionKey : 0,
      sessionId: target === 'user_study_sessions' ? part.sessionId : 0,
    };
    const group = groups.get(keyOf(key)) ?? { key, parts: [] };
    group.parts.push(part);
    groups.set(keyOf(key), group);
  }
  return [...groups.values()].map(({ key, parts: own }) => {
    const total = (pick: (part: Part) => number) => own.reduce((ms, part) => ms + pick(part), 0);
    const bySession = new Map<number, number>();
    for (const { sessionId, focusedMs, unfocusedMs } of own) {
      bySession.set(sessionId, (bySession.get(sessionId) ?? 0) + focusedMs + unfocusedMs);
    }
    const focusedS = Math.floor(total((part) => part.focusedMs) / 1000);
    const unfocusedS = Math.floor(total((part) => part.unfocusedMs) / 1000);
    return {
      ...key,
      focusedS,
      unfocusedS,
      sessions: bySession.size,
      modules: new Set(own.map(({ moduleId }) => moduleId)).size,
      // The two kinds of time are rounded down each; and a bout may have begun on the day before, or not be stored in full.
      longestSessionS: Math.min(focusedS + unfocusedS, Math.floor(Math.max(...bySession.values()) / 1000)),
      longestFocusS: Math.min(
        focusedS,
        Math.floor(Math.max(...own.map(({ longestFocusMs }) => longestFocusMs)) / 1000),
      ),
    };
  });
}

/** What has been written for these days, by the key of its scope. */
async function writtenOf(
  db: Executor,
  targets: readonly DayTable[],
  days: readonly StudentDay[],
): Promise<Map<string, Written>> {
  const ofDays = days.map(
    ({ userId, day }) => sql`(target IN ${[...targets]} AND user_id = ${userId} AND day = ${day})`,
  );
  const rows = await rowsOf(
    db,
    sql`SELECT target, user_id, DATE_FORMAT(day, '%Y-%m-%d') AS study_day, module_id, section_key, session_id, row_id,
        focused_written_s, unfocused_written_s, sessions_written
      FROM relay_eyelearn_totals WHERE ${either(ofDays)} FOR UPDATE`,
  );
  return new Map(
    rows.map((row) => [
      [row.target, row.user_id, row.study_day, row.module_id, row.section_key, row.session_id].join('/'),
      {
        rowId: row.row_id === null ? null : Number(row.row_id),
        focusedWrittenS: Number(row.focused_written_s),
        unfocusedWrittenS: Number(row.unfocused_written_s),
        sessionsWritten: Number(row.sessions_written),
      },
    ]),
  );
}

function dueOf(scopes: readonly Scope[], written: ReadonlyMap<string, Written>): Due[] {
  return scopes.flatMap((scope) => {
    if (scope.focusedS + scope.unfocusedS === 0) return [];
    const before = written.get(keyOf(scope)) ?? null;
    const due = {
      scope,
      written: before,
      addFocusedS: Math.max(0, scope.focusedS - (before?.focusedWrittenS ?? 0)),
      addUnfocusedS: Math.max(0, scope.unfocusedS - (before?.unfocusedWrittenS ?? 0)),
      addSessions: Math.max(0, scope.sessions - (before?.sessionsWritten ?? 0)),
    };
    return due.addFocusedS + due.addUnfocusedS + due.addSessions === 0 ? [] : [due];
  });
}

const plus = (column: string, value: SQL): SQL => sql`COALESCE(${sql.identifier(column)}, 0) + ${value}`;
const share = (focused: SQL, total: SQL): SQL => sql`COALESCE(ROUND(100 * ${focused} / NULLIF(${total}, 0), 2), 0)`;
const largest = (column: string, value: SQL): SQL => sql`GREATEST(COALESCE(${sql.identifier(column)}, 0), ${value})`;

/** The numbers that an update of a row is made of. */
function valuesOf({ scope, addFocusedS, addUnfocusedS, addSessions }: Due): RowChange['values'] {
  const { focusedS, unfocusedS, sessions, modules, longestSessionS, longestFocusS } = scope;
  const totalS = focusedS + unfocusedS;
  return {
    addFocusedS,
    addUnfocusedS,
    addTotalS: addFocusedS + addUnfocusedS,
    addSessions,
    focusedS,
    totalS,
    sessions,
    modules,
    longestSessionS,
    longestFocusS,
    score: totalS === 0 ? 0 : Math.round((10_000 * focusedS) / totalS) / 100,
  };
}

/** A row of EyeLearn's: the condition that finds it, and its id where it is found by that. */
interface Row {
  readonly where: SQL;
  readonly id: number | null;
}

/** How one of EyeLearn's tables takes our time. */
interface Target {
  /** The row that was written before; null if there was none. */
  knownRow: (due: Due) => Row | null;
  /** Finds rows that another program has made, and locks them. */
  find: (db: Executor, table: WrittenTable, due: readonly Due[]) => Promise<ReadonlyMap<Due, Row>>;
  sets: (table: WrittenTable, value: (name: string) => SQL) => Record<string, SQL>;
  newRow: (scope: Scope, totalS: number) => Record<string, SQL>;
}

const rowWithId = (id: number): Row => ({ where: sql`id = ${id}`, id });

const rowBefore = ({ written }: Due): Row | null =>
  written === null || written.rowId === null ? null : rowWithId(written.rowId);

const ofStudentDay = ({ scope: { userId, day } }: Due): SQL => sql`user_id = ${userId} AND date = ${day}`;

const ANALYTICS: Target = {
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
    user_id: sql`${userId}`,
    module_id: sql`${moduleId}`,
    section_id: sectionKey === 0 ? sql`NULL` : sql`${sectionKey}`,
    date: sql`${day}`,
    total_focus_time: sql`${focusedS}`,
    total_focused_time: sql`${focusedS}`,
    total_unfocused_time: sql`${unfocusedS}`,
    session_count: sql`${sessions}`,
    average_session_time: sql`${Math.floor(totalS / Math.max(1, sessions))}`,
    max_continuous_time: sql`${longestFocusS}`,
    focus_percentage: share(sql`${focusedS}`, sql`${totalS}`),
  }),
};

const DAILY: Target = {
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
    user_id: sql`${userId}`,
    date: sql`${day}`,
    total_study_time_seconds: sql`${totalS}`,
    total_focused_time_seconds: sql`${focusedS}`,
    total_unfocused_time_seconds: sql`${unfocusedS}`,
    session_count: sql`${sessions}`,
    average_focus_percentage: share(sql`${focusedS}`, sql`${totalS}`),
    longest_session_seconds: sql`${longestSessionS}`,
    modules_studied: sql`${modules}`,
  }),
};

/** No other program writes these rows, so score and duration are set. */
const STUDY_SESSIONS: Target = {
  knownRow: rowBefore,
  find: async () => new Map(),
  sets: (_table, value) => ({ focus_score: value('score'), duration: value('totalS') }),
  newRow: ({ userId, day, focusedS }, totalS) => ({
    user_id: sql`${userId}`,
    date: sql`${day}`,
    focus_score: sql`${Math.round((10_000 * focusedS) / totalS) / 100}`,
    duration: sql`${totalS}`,
  }),
};

const TARGETS: Readonly<Record<DayTable, Target>> = {
  eye_tracking_analytics: ANALYTICS,
  daily_analytics: DAILY,
  user_study_sessions: STUDY_SESSIONS,
};

/** Those whose rows are still there. */
async function existing(db: Executor, table: WrittenTable, rows: readonly [Due, Row][]): Promise<Set<Due>> {
  const found = await rowsOf(
    db,
    sql`SELECT ${sql.join(
      rows.map(([, { where }], index) => sql`MAX(${where}) AS ${sql.identifier(`r${index}`)}`),
      sql`, `,
    )} FROM ${sql.identifier(table.name)} WHERE ${either(rows.map(([, { where }]) => sql`(${where})`))}`,
  );
  return new Set(rows.flatMap(([one], index) => (Number(found[0]?.[`r${index}`] ?? 0) === 1 ? [one] : [])));
}

/** Brings the due rows of one table up to date, with five statements at most, and resolves with their ids. */
async function writeTarget(
  db: Executor,
  table: WrittenTable,
  target: Target,
  due: readonly Due[],
  idStep: number,
): Promise<Map<Due, number | null>> {
  const known = due.flatMap((one): [Due, Row][] => {
    const row = target.knownRow(one);
    return row === null ? [] : [[one, row]];
  });
  const unknown = due.filter((one) => target.knownRow(one) === null);
  const found = unknown.length === 0 ? [] : await target.find(db, table, unknown);
  const rows = [...known, ...found];
  const changes = rows.map(([one, { where }]) => ({ where, values: valuesOf(one) }));
  const updatedCount = await updateRows(db, table, changes, (value) => target.sets(table, value));
  // Rows that were written before may have been deleted since.
  const present = updatedCount === rows.length ? new Set(rows.map(([one]) => one)) : await existing(db, table, rows);
  const missing = due.filter((one) => !present.has(one));
  const ids = await insertRows(
    db,
    table,
    missing.map(({ scope }) => target.newRow(scope, scope.focusedS + scope.unfocusedS)),
    idStep,
  );
  const rowIds = new Map(rows.map(([one, { id }]): [Due, number | null] => [one, id]));
  for (const [index, one] of missing.entries()) rowIds.set(one, target === DAILY ? null : (ids[index] ?? null));
  return rowIds;
}

async function noteWritten(db: Executor, rowIds: ReadonlyMap<Due, number | null>): Promise<void> {
  const given = (column: { readonly name: string }): SQL => sql`VALUES(${sql.identifier(column.name)})`;
  await db
    .insert(eyelearnTotals)
    .values(
      [...rowIds].map(([{ scope, written, addFocusedS, addUnfocusedS, addSessions }, rowId]) => ({
        target: scope.target,
        userId: scope.userId,
        day: scope.day,
        moduleId: scope.moduleId,
        sectionKey: scope.sectionKey,
        sessionId: scope.sessionId,
        rowId,
        focusedWrittenS: (written?.focusedWrittenS ?? 0) + addFocusedS,
        unfocusedWrittenS: (written?.unfocusedWrittenS ?? 0) + addUnfocusedS,
        sessionsWritten: (written?.sessionsWritten ?? 0) + addSessions,
      })),
    )
    .onDuplicateKeyUpdate({
      set: {
        rowId: given(eyelearnTotals.rowId),
        focusedWrittenS: given(eyelearnTotals.focusedWrittenS),
        unfocusedWrittenS: given(eyelearnTotals.unfocusedWrittenS),
        sessionsWritten: given(eyelearnTotals.sessionsWritten),
      },
    });
}

/**
 * Brings EyeLearn's tables of days up to what our ledger has of the batch's days, within the caller's
 * transaction, whose windows are in the ledger already and whose days are locked (lockStudentDays): whole seconds, only what is not there yet. At most 15 statements,
 * whatever the batch size. Rejects with the driver's error.
 */
export async function feedDays(
  db: Executor,
  tables: WrittenTables,
  targets: readonly DayTable[],
  { studentDays, idStep }: Placement,
): Promise<void> {
  const present = targets.filter((target) => tables[target] !== undefined);
  if (present.length === 0 || studentDays.length === 0) return;
  const parts = await partsOf(db, studentDays);
  const written = await writtenOf(db, present, studentDays);
  const rowIds = new Map<Due, number | null>();
  for (const target of present) {
    const table = tables[target];
    const due = dueOf(scopesOf(target, parts), written);
    if (table === undefined || due.length === 0) continue;
    for (const [one, rowId] of await writeTarget(db, table, TARGETS[target], due, idStep)) rowIds.set(one, rowId);
  }
  if (rowIds.size > 0) await noteWritten(db, rowIds);
}
