import { and, eq, or, type SQL, sql } from 'drizzle-orm';
import { eyelearnTotals } from '../store/mysql/schema.ts';
import {
  type Executor,
  type EyelearnName,
  type EyelearnTable,
  type EyelearnTables,
  insertInto,
  rowsOf,
  updateRow,
} from './tables.ts';

/** A student's day in the database's time zone, `YYYY-MM-DD`. */
export interface StudentDay {
  readonly userId: number;
  readonly day: string;
}

/** Our own time of one session in one lesson section on one day. */
interface Part {
  readonly userId: number;
  readonly day: string;
  readonly moduleId: number;
  readonly sectionKey: number;
  readonly sessionId: number;
  readonly focusedMs: number;
  readonly unfocusedMs: number;
}

/** What a row of EyeLearn's sums up. Ids are 0 where the table does not know them. */
interface Scope {
  readonly target: EyelearnName;
  readonly userId: number;
  readonly day: string;
  readonly moduleId: number;
  readonly sectionKey: number;
  readonly sessionId: number;
  readonly focusedS: number;
  readonly unfocusedS: number;
  readonly sessions: number;
  readonly modules: number;
  readonly longestSessionS: number;
}

type Written = typeof eyelearnTotals.$inferSelect;

const scopeKey = (scope: Pick<Scope, 'target' | 'userId' | 'day' | 'moduleId' | 'sectionKey' | 'sessionId'>): string =>
  [scope.target, scope.userId, scope.day, scope.moduleId, scope.sectionKey, scope.sessionId].join('/');

/** All of our time on these days, from the ledger: this transaction's windows are in it already. */
async function partsOf(db: Executor, days: readonly StudentDay[]): Promise<Part[]> {
  const ranges = days.map(
    ({ userId, day }) =>
      sql`(user_id = ${userId} AND started_at_ms >= UNIX_TIMESTAMP(${day}) * 1000
        AND started_at_ms < UNIX_TIMESTAMP(${day} + INTERVAL 1 DAY) * 1000)`,
  );
  const rows = await rowsOf(
    db,
    sql`SELECT user_id, DATE_FORMAT(FROM_UNIXTIME(FLOOR(started_at_ms / 1000)), '%Y-%m-%d') AS study_day, module_id,
        GREATEST(COALESCE(section_id, 0), 0) AS section_key, session_id, SUM(focused_ms) AS focused_ms, SUM(unfocused_ms) AS unfocused_ms
      FROM relay_windows WHERE ${sql.join(ranges, sql` OR `)}
      GROUP BY user_id, study_day, module_id, section_key, session_id`,
  );
  return rows.map((row) => ({
    userId: Number(row.user_id),
    day: String(row.study_day),
    moduleId: Number(row.module_id),
    sectionKey: Number(row.section_key),
    sessionId: Number(row.session_id),
    focusedMs: Number(row.focused_ms),
    unfocusedMs: Number(row.unfocused_ms),
  }));
}

/** The rows that the parts make in one table. */
function scopesOf(target: EyelearnName, parts: readonly Part[]): Scope[] {
  const groups = new Map<
    string,
    { place: Omit<Scope, 'focusedS' | 'unfocusedS' | 'sessions' | 'modules' | 'longestSessionS'>; parts: Part[] }
  >();
  for (const part of parts) {
    const place = {
      target,
      userId: part.userId,
      day: part.day,
      moduleId: target === 'eye_tracking_analytics' ? part.moduleId : 0,
      sectionKey: target === 'eye_tracking_analytics' ? part.sectionKey : 0,
      sessionId: target === 'user_study_sessions' ? part.sessionId : 0,
    };
    const key = scopeKey(place);
    const group = groups.get(key) ?? { place, parts: [] };
    group.parts.push(part);
    groups.set(key, group);
  }
  return [...groups.values()].map(({ place, parts: own }) => {
    const sum = (pick: (part: Part) => number) => own.reduce((total, part) => total + pick(part), 0);
    const bySession = new Map<number, number>();
    for (const { sessionId, focusedMs, unfocusedMs } of own) {
      bySession.set(sessionId, (bySession.get(sessionId) ?? 0) + focusedMs + unfocusedMs);
    }
    return {
      ...place,
      focusedS: Math.floor(sum((part) => part.focusedMs) / 1000),
      unfocusedS: Math.floor(sum((part) => part.unfocusedMs) / 1000),
      sessions: bySession.size,
      modules: new Set(own.map(({ moduleId }) => moduleId)).size,
      longestSessionS: Math.floor(Math.max(...bySession.values()) / 1000),
    };
  });
}

/** Locks what is known of the scopes, so that no other gateway adds to the same rows meanwhile. */
async function lockWritten(db: Executor, scopes: readonly Scope[]): Promise<Map<string, Written>> {
  const keys = scopes.map(({ target, userId, day, moduleId, sectionKey, sessionId }) => ({
    target,
    userId,
    day,
    moduleId,
    sectionKey,
    sessionId,
  }));
  const sorted = [...keys].sort((a, b) => (scopeKey(a) < scopeKey(b) ? -1 : 1));
  await db
    .insert(eyelearnTotals)
    .values(sorted)
    .onDuplicateKeyUpdate({ set: { userId: sql`${eyelearnTotals.userId}` } });
  const rows = await db
    .select()
    .from(eyelearnTotals)
    .where(or(...sorted.map(keyIs)));
  return new Map(rows.map((row) => [scopeKey(row as Scope & Written), row]));
}

function keyIs(
  key: Pick<Scope, 'target' | 'userId' | 'day' | 'moduleId' | 'sectionKey' | 'sessionId'>,
): SQL | undefined {
  return and(
    eq(eyelearnTotals.target, key.target),
    eq(eyelearnTotals.userId, key.userId),
    eq(eyelearnTotals.day, key.day),
    eq(eyelearnTotals.moduleId, key.moduleId),
    eq(eyelearnTotals.sectionKey, key.sectionKey),
    eq(eyelearnTotals.sessionId, key.sessionId),
  );
}

/** What has to be added to a row. */
interface Addition {
  readonly focusedS: number;
  readonly unfocusedS: number;
  readonly sessions: number;
}

const plus = (column: string, value: number): SQL => sql`COALESCE(${sql.identifier(column)}, 0) + ${value}`;
const share = (focused: SQL, total: SQL): SQL => sql`ROUND(100 * ${focused} / NULLIF(${total}, 0), 2)`;

/** Longest uninterrupted focus of a student in one lesson section on one day, whole seconds. */
async function longestFocusS(db: Executor, { userId, day, moduleId, sectionKey }: Scope): Promise<number> {
  const [row] = await rowsOf(
    db,
    sql`SELECT MAX(longest_focused_bout_ms) AS ms FROM relay_hours
      WHERE user_id = ${userId} AND day = ${day} AND module_id = ${moduleId} AND section_key = ${sectionKey}`,
  );
  return Math.floor(Number(row?.ms ?? 0) / 1000);
}

function sectionIs(table: EyelearnTable, sectionKey: number): SQL {
  if (!table.columns.has('section_id')) return sql`1 = 1`;
  return sql`section_id <=> ${sectionKey === 0 ? null : sectionKey}`;
}

async function addToAnalytics(
  db: Executor,
  table: EyelearnTable,
  scope: Scope,
  rowId: number | null,
  add: Addition,
): Promise<number> {
  const longestS = await longestFocusS(db, scope);
  const total = sql`(COALESCE(total_focused_time, 0) + COALESCE(total_unfocused_time, 0))`;
  const hasBoth = table.columns.has('total_focused_time') && table.columns.has('total_unfocused_time');
  // Where the row has no times of its own to take shares of, ours stand in.
  const ownTotalS = scope.focusedS + scope.unfocusedS;
  const sets: Record<string, SQL> = {
    total_focus_time: plus('total_focus_time', add.focusedS),
    total_focused_time: plus('total_focused_time', add.focusedS),
    total_unfocused_time: plus('total_unfocused_time', add.unfocusedS),
    session_count: plus('session_count', add.sessions),
    average_session_time: sql`FLOOR(${hasBoth ? total : sql`${ownTotalS}`} / GREATEST(${table.columns.has('session_count') ? sql`session_count` : sql`${scope.sessions}`}, 1))`,
    max_continuous_time: sql`GREATEST(COALESCE(max_continuous_time, 0), ${longestS})`,
    focus_percentage: sql`COALESCE(${hasBoth ? share(sql`total_focused_time`, total) : share(sql`${scope.focusedS}`, sql`${ownTotalS}`)}, 0)`,
  };
  const found = rowId ?? (await findAnalytics(db, table, scope));
  if (found !== null && (await updateRow(db, table, sql`id = ${found}`, sets))) return found;
  const { userId, moduleId, sectionKey, day } = scope;
  return insertInto(db, table, {
    user_id: sql`${userId}`,
    module_id: sql`${moduleId}`,
    section_id: sectionKey === 0 ? sql`NULL` : sql`${sectionKey}`,
    date: sql`${day}`,
    total_focus_time: sql`${scope.focusedS}`,
    total_focused_time: sql`${scope.focusedS}`,
    total_unfocused_time: sql`${scope.unfocusedS}`,
    session_count: sql`${scope.sessions}`,
    average_session_time: sql`${Math.floor(ownTotalS / Math.max(1, scope.sessions))}`,
    max_continuous_time: sql`${longestS}`,
    focus_percentage: sql`COALESCE(${share(sql`${scope.focusedS}`, sql`${ownTotalS}`)}, 0)`,
  });
}

/** EyeLearn's row of that day, whoever made it. A NULL section may have several: its unique key does not bind them. */
async function findAnalytics(db: Executor, table: EyelearnTable, scope: Scope): Promise<number | null> {
  const [row] = await rowsOf(
    db,
    sql`SELECT id FROM eye_tracking_analytics WHERE user_id = ${scope.userId} AND module_id = ${scope.moduleId}
      AND ${sectionIs(table, scope.sectionKey)} AND date = ${scope.day} ORDER BY id LIMIT 1 FOR UPDATE`,
  );
  return row === undefined ? null : Number(row.id);
}

async function addToDaily(db: Executor, table: EyelearnTable, scope: Scope, add: Addition): Promise<void> {
  const where = sql`user_id = ${scope.userId} AND date = ${scope.day}`;
  const hasBoth = table.columns.has('total_focused_time_seconds') && table.columns.has('total_unfocused_time_seconds');
  const total = sql`(COALESCE(total_focused_time_seconds, 0) + COALESCE(total_unfocused_time_seconds, 0))`;
  const ownTotalS = scope.focusedS + scope.unfocusedS;
  const sets: Record<string, SQL> = {
    total_study_time_seconds: plus('total_study_time_seconds', add.focusedS + add.unfocusedS),
    total_focused_time_seconds: plus('total_focused_time_seconds', add.focusedS),
    total_unfocused_time_seconds: plus('total_unfocused_time_seconds', add.unfocusedS),
    session_count: plus('session_count', add.sessions),
    average_focus_percentage: sql`COALESCE(${hasBoth ? share(sql`total_focused_time_seconds`, total) : share(sql`${scope.focusedS}`, sql`${ownTotalS}`)}, 0)`,
    longest_session_seconds: sql`GREATEST(COALESCE(longest_session_seconds, 0), ${scope.longestSessionS})`,
    modules_studied: sql`GREATEST(COALESCE(modules_studied, 0), ${scope.modules})`,
  };
  if (await updateRow(db, table, where, sets)) return;
  await insertInto(db, table, {
    user_id: sql`${scope.userId}`,
    date: sql`${scope.day}`,
    total_study_time_seconds: sql`${ownTotalS}`,
    total_focused_time_seconds: sql`${scope.focusedS}`,
    total_unfocused_time_seconds: sql`${scope.unfocusedS}`,
    session_count: sql`${scope.sessions}`,
    average_focus_percentage: sql`COALESCE(${share(sql`${scope.focusedS}`, sql`${ownTotalS}`)}, 0)`,
    longest_session_seconds: sql`${scope.longestSessionS}`,
    modules_studied: sql`${scope.modules}`,
  });
}

/** A row of user_study_sessions is ours alone: nobody else writes there, so score and duration are set. */
async function setStudySession(
  db: Executor,
  table: EyelearnTable,
  scope: Scope,
  rowId: number | null,
): Promise<number> {
  const totalS = scope.focusedS + scope.unfocusedS;
  const values = {
    focus_score: sql`${totalS === 0 ? 0 : Math.round((10_000 * scope.focusedS) / totalS) / 100}`,
    duration: sql`${totalS}`,
  };
  if (rowId !== null && (await updateRow(db, table, sql`id = ${rowId}`, values))) return rowId;
  return insertInto(db, table, { user_id: sql`${scope.userId}`, date: sql`${scope.day}`, ...values });
}

/** Tables that hold days or study sessions. */
export const DAY_TABLES = ['eye_tracking_analytics', 'daily_analytics', 'user_study_sessions'] as const;

/**
 * Brings one of EyeLearn's tables of days up to what our ledger has of the given days, within the caller's
 * transaction, whose windows are in the ledger already: whole seconds, only what is not there yet. Rejects with the driver's error.
 */
export async function feedDays(
  db: Executor,
  tables: EyelearnTables,
  target: (typeof DAY_TABLES)[number],
  days: readonly StudentDay[],
): Promise<void> {
  const table = tables[target];
  if (table === undefined || days.length === 0) return;
  const due = scopesOf(target, await partsOf(db, days)).filter(({ focusedS, unfocusedS }) => focusedS + unfocusedS > 0);
  if (due.length === 0) return;
  const locked = await lockWritten(db, due);
  // Another gateway may have added to these days before the lock was ours.
  for (const scope of scopesOf(target, await partsOf(db, days))) {
    const written = locked.get(scopeKey(scope));
    if (written === undefined) continue;
    const add = {
      focusedS: Math.max(0, scope.focusedS - written.focusedWrittenS),
      unfocusedS: Math.max(0, scope.unfocusedS - written.unfocusedWrittenS),
      sessions: Math.max(0, scope.sessions - written.sessionsWritten),
    };
    if (add.focusedS + add.unfocusedS + add.sessions === 0) continue;
    let rowId = written.rowId;
    if (target === 'eye_tracking_analytics') rowId = await addToAnalytics(db, table, scope, rowId, add);
    else if (target === 'daily_analytics') await addToDaily(db, table, scope, add);
    else rowId = await setStudySession(db, table, scope, rowId);
    await db
      .update(eyelearnTotals)
      .set({
        rowId,
        focusedWrittenS: written.focusedWrittenS + add.focusedS,
        unfocusedWrittenS: written.unfocusedWrittenS + add.unfocusedS,
        sessionsWritten: written.sessionsWritten + add.sessions,
      })
      .where(keyIs(scope));
  }
}
