import { type Executor, joined, rowsOf, type SqlText, sql } from '../store/mysql/statement.ts';
import type { StudentDay } from './placement.ts';

/** EyeLearn's tables that hold days or study sessions. */
export const DAY_TABLES = ['eye_tracking_analytics', 'daily_analytics', 'user_study_sessions'] as const;

export type DayTable = (typeof DAY_TABLES)[number];

/** Our own time in one lesson section on one day, as it was placed when it was stored. */
interface Part {
  readonly userId: number;
  readonly day: string;
  readonly moduleId: number;
  readonly sectionKey: number;
  readonly focusedMs: number;
  readonly unfocusedMs: number;
  /** Longest uninterrupted focus, all sessions together. */
  readonly longestFocusMs: number;
  readonly sessions: SessionPart[];
}

/** What one session has of a part, by today's time zone of the database. */
interface SessionPart {
  readonly sessionId: number;
  readonly focusedMs: number;
  readonly unfocusedMs: number;
  /** Of the whole session, wherever its days are. */
  readonly totalFocusedMs: number;
  readonly totalUnfocusedMs: number;
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
export const either = (conditions: readonly SqlText[]): SqlText => joined(conditions, ' OR ');

/**
 * One condition for each day, of all its students: a batch is of one day or two, and a condition for each student would be compared with
 * every row.
 */
function ofEachDay(
  days: readonly StudentDay[],
  condition: (userIds: readonly number[], day: string) => SqlText,
): SqlText {
  const byDay = new Map<string, number[]>();
  for (const { userId, day } of days) byDay.set(day, [...(byDay.get(day) ?? []), userId]);
  return either([...byDay].map(([day, userIds]) => condition(userIds, day)));
}

/**
 * All of our time on these days, this transaction's windows included. The sums come from relay_hours, whose days are fixed: a database
 * whose time zone changes has the same moments on other days from then on, and the ledger would give them to both. Which sessions
 * were there comes from the ledger.
 */
export async function partsOf(db: Executor, days: readonly StudentDay[]): Promise<Part[]> {
  const inLedger = ofEachDay(
    days,
    (userIds, day) =>
      sql`(user_id IN ${userIds} AND started_at_ms >= UNIX_TIMESTAMP(${day} - INTERVAL 1 HOUR) * 1000
        AND started_at_ms < UNIX_TIMESTAMP(${day} + INTERVAL 25 HOUR) * 1000)`,
  );
  const inHours = ofEachDay(days, (userIds, day) => sql`(user_id IN ${userIds} AND day = ${day})`);
  const rows = await rowsOf(
    db,
    sql`SELECT h.*, w.session_id, w.session_focused_ms, w.session_unfocused_ms, t.focused_ms AS total_focused_ms, t.unfocused_ms AS total_unfocused_ms
      FROM
        (SELECT user_id, DATE_FORMAT(day, '%Y-%m-%d') AS study_day, module_id, section_key,
          SUM(focused_ms) AS focused_ms, SUM(unfocused_ms) AS unfocused_ms, MAX(longest_focused_bout_ms) AS longest_focus_ms
        FROM relay_hours WHERE ${inHours} GROUP BY user_id, study_day, module_id, section_key) h
      LEFT JOIN
        (SELECT user_id, DATE_FORMAT(FROM_UNIXTIME(FLOOR(started_at_ms / 1000)), '%Y-%m-%d') AS study_day, module_id,
          GREATEST(COALESCE(section_id, 0), 0) AS section_key, session_id,
          SUM(focused_ms) AS session_focused_ms, SUM(unfocused_ms) AS session_unfocused_ms
        FROM relay_windows WHERE ${inLedger}
        GROUP BY user_id, study_day, module_id, section_key, session_id) w
      ON h.user_id = w.user_id AND h.study_day = w.study_day AND h.module_id = w.module_id AND h.section_key = w.section_key
      LEFT JOIN relay_sessions t ON t.id = w.session_id`,
  );
  const parts = new Map<string, Part>();
  for (const row of rows) {
    const place = {
      userId: Number(row.user_id),
      day: String(row.study_day),
      moduleId: Number(row.module_id),
      sectionKey: Number(row.section_key),
    };
    const key = Object.values(place).join('/');
    const part = parts.get(key) ?? {
      ...place,
      focusedMs: Number(row.focused_ms),
      unfocusedMs: Number(row.unfocused_ms),
      longestFocusMs: Number(row.longest_focus_ms),
      sessions: [],
    };
    parts.set(key, part);
    if (row.session_id === null) continue;
    part.sessions.push({
      sessionId: Number(row.session_id),
      focusedMs: Number(row.session_focused_ms),
      unfocusedMs: Number(row.session_unfocused_ms),
      totalFocusedMs: Number(row.total_focused_ms),
      totalUnfocusedMs: Number(row.total_unfocused_ms),
    });
  }
  return [...parts.values()];
}

const wholeS = (ms: number): number => Math.floor(ms / 1000);
const sumOf = <T>(list: readonly T[], pick: (one: T) => number): number =>
  list.reduce((sum, one) => sum + pick(one), 0);

function groupedBy<T>(list: readonly T[], keyOf: (one: T) => string): T[][] {
  const groups = new Map<string, T[]>();
  for (const one of list) groups.set(keyOf(one), [...(groups.get(keyOf(one)) ?? []), one]);
  return [...groups.values()];
}

/** One row for each study session of a day, with no more of it than its other days have left. */
function studyScopes(parts: readonly Part[], { elsewhere: writtenElsewhere }: SessionNotes): Scope[] {
  const flat = parts.flatMap(({ sessions, ...place }) => sessions.map((session) => ({ ...place, ...session })));
  return groupedBy(flat, ({ userId, day, sessionId }) => [userId, day, sessionId].join('/')).flatMap((own) => {
    const [first] = own;
    if (first === undefined) return [];
    const { userId, day, sessionId, totalFocusedMs, totalUnfocusedMs } = first;
    const elsewhere = writtenElsewhere(sessionId, day);
    const capped = (ms: number, totalMs: number, elsewhereS: number) =>
      Math.max(0, Math.min(wholeS(ms), wholeS(totalMs) - elsewhereS));
    const focusedS = capped(
      sumOf(own, (part) => part.focusedMs),
      totalFocusedMs,
      elsewhere.focusedS,
    );
    const unfocusedS = capped(
      sumOf(own, (part) => part.unfocusedMs),
      totalUnfocusedMs,
      elsewhere.unfocusedS,
    );
    const key = { target: 'user_study_sessions' as const, userId, day, moduleId: 0, sectionKey: 0, sessionId };
    return [{ ...key, focusedS, unfocusedS, sessions: 1, modules: 1, longestSessionS: 0, longestFocusS: 0 }];
  });
}

/** The rows that the parts make in one table. */
export function scopesOf(target: DayTable, parts: readonly Part[], notes: SessionNotes): Scope[] {
  if (target === 'user_study_sessions') return studyScopes(parts, notes);
  const scopeKey = ({ userId, day, moduleId, sectionKey }: Part): ScopeKey =>
    target === 'eye_tracking_analytics'
      ? { target, userId, day, moduleId, sectionKey, sessionId: 0 }
      : { target, userId, day, moduleId: 0, sectionKey: 0, sessionId: 0 };
  return groupedBy(parts, (part) => keyOf(scopeKey(part))).flatMap((own) => {
    const [first] = own;
    if (first === undefined) return [];
    const focusedS = wholeS(sumOf(own, (part) => part.focusedMs));
    const unfocusedS = wholeS(sumOf(own, (part) => part.unfocusedMs));
    const sessions = groupedBy(
      own.flatMap((part) => part.sessions),
      ({ sessionId }) => String(sessionId),
    );
    const here = sessions.flatMap((one) => (isOfDay(one, first.day, notes) ? one.slice(0, 1) : []));
    const ids = new Set(here.map(({ sessionId }) => sessionId));
    // After a change of the time zone the ledger has some of the sessions that were counted here on another day.
    if (target === 'daily_analytics') for (const id of notes.onDay(first.userId, first.day)) ids.add(id);
    const longestMs = Math.max(0, ...sessions.map((one) => sumOf(one, (part) => part.focusedMs + part.unfocusedMs)));
    return [
      {
        ...scopeKey(first),
        focusedS,
        unfocusedS,
        sessions: ids.size,
        modules: new Set(own.map(({ moduleId }) => moduleId)).size,
        // The two kinds of time are rounded down each; and a bout may have begun on the day before, or not be stored in full.
        longestSessionS: Math.min(focusedS + unfocusedS, wholeS(longestMs)),
        longestFocusS: Math.min(focusedS, wholeS(Math.max(...own.map(({ longestFocusMs }) => longestFocusMs)))),
      },
    ];
  });
}

/** Seconds of a session that have been written, and in how many rows. */
interface WrittenOfSession {
  readonly focusedS: number;
  readonly unfocusedS: number;
  readonly rows: number;
}

/** What has been written of study sessions. */
export interface SessionNotes {
  /** Of a session, under other days than this one. */
  elsewhere(sessionId: number, day: string): WrittenOfSession;
  /** Ids of a student's sessions that were written under this day. */
  onDay(userId: number, day: string): readonly number[];
}

/** Focused and unfocused time are rounded down to whole seconds, each. */
const ROUNDED_OFF_S = 2;

/** False for a session whose time was all written under other days: a change of the time zone has moved it in the ledger alone. */
function isOfDay(parts: readonly SessionPart[], day: string, notes: SessionNotes): boolean {
  const [first] = parts;
  if (first === undefined) return false;
  const { focusedS, unfocusedS, rows } = notes.elsewhere(first.sessionId, day);
  const totalS = wholeS(first.totalFocusedMs + first.totalUnfocusedMs);
  return rows === 0 || totalS - focusedS - unfocusedS > rows * ROUNDED_OFF_S;
}

/** What has been written for these days, by the key of its scope, and of their sessions on the days around. */
export async function writtenOf(
  db: Executor,
  targets: readonly DayTable[],
  days: readonly StudentDay[],
): Promise<{ readonly written: ReadonlyMap<string, Written>; readonly notes: SessionNotes }> {
  const ofDays = ofEachDay(
    days,
    // No zone is further from another than two days.
    (userIds, day) => sql`(target IN ${targets} AND user_id IN ${userIds} AND day = ${day})
      OR (target = 'user_study_sessions' AND user_id IN ${userIds} AND day BETWEEN ${day} - INTERVAL 2 DAY AND ${day} + INTERVAL 2 DAY)`,
  );
  const rows = await rowsOf(
    db,
    sql`SELECT target, user_id, DATE_FORMAT(day, '%Y-%m-%d') AS study_day, module_id, section_key, session_id, row_id,
        focused_written_s, unfocused_written_s, sessions_written
      FROM relay_eyelearn_totals WHERE ${ofDays} FOR UPDATE`,
  );
  const written = new Map(
    rows.map((row): [string, Written] => [
      [row.target, row.user_id, row.study_day, row.module_id, row.section_key, row.session_id].join('/'),
      {
        rowId: row.row_id === null ? null : Number(row.row_id),
        focusedWrittenS: Number(row.focused_written_s),
        unfocusedWrittenS: Number(row.unfocused_written_s),
        sessionsWritten: Number(row.sessions_written),
      },
    ]),
  );
  const study = rows.filter(({ target }) => target === 'user_study_sessions');
  const notes: SessionNotes = {
    elsewhere: (sessionId, day) => {
      const others = study.filter((row) => Number(row.session_id) === sessionId && String(row.study_day) !== day);
      return {
        focusedS: sumOf(others, (row) => Number(row.focused_written_s)),
        unfocusedS: sumOf(others, (row) => Number(row.unfocused_written_s)),
        rows: others.length,
      };
    },
    onDay: (userId, day) =>
      study
        .filter((row) => Number(row.user_id) === userId && String(row.study_day) === day)
        .map((row) => Number(row.session_id)),
  };
  return { written, notes };
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
