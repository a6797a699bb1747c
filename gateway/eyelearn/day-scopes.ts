import { type SQL, sql } from 'drizzle-orm';
import type { StudentDay } from './placement.ts';
import { type Executor, rowsOf } from './tables.ts';

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
export interface Scope extends ScopeKey {
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
export interface Due {
  readonly scope: Scope;
  readonly written: Written | null;
  readonly addFocusedS: number;
  readonly addUnfocusedS: number;
  readonly addSessions: number;
}

const keyOf = ({ target, userId, day, moduleId, sectionKey, sessionId }: ScopeKey): string =>
  [target, userId, day, moduleId, sectionKey, sessionId].join('/');

/** One condition that holds where any of these does; there must be one at least. */
export const either = (conditions: readonly SQL[]): SQL => sql.join([...conditions], sql` OR `);

/** All of our time on these days, from the ledger, which has this transaction's windows already. */
export async function partsOf(db: Executor, days: readonly StudentDay[]): Promise<Part[]> {
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
export function scopesOf(target: DayTable, parts: readonly Part[]): Scope[] {
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
export async function writtenOf(
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

export function dueOf(scopes: readonly Scope[], written: ReadonlyMap<string, Written>): Due[] {
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
