import { and, desc, eq, or, type SQL, sql } from 'drizzle-orm';
import type { MetricsWindow } from '../../shared/metrics-window.ts';
import { chunksOf, type PlacedWindow, QUARTER_MS, sectionKeyOf } from '../store/batch.ts';
import { eyelearnRows } from '../store/mysql/schema.ts';
import type { EyelearnDay } from '../store/port.ts';
import type { StudentDay } from './days.ts';
import { planRows, type RowState, type RowStep } from './row-plan.ts';
import { type Executor, type EyelearnTable, insertInto, rowsOf, updateRow } from './tables.ts';

const TABLE = 'eye_tracking_sessions';

interface Group {
  readonly sessionId: number;
  readonly sectionKey: number;
  readonly day: string;
  readonly windows: MetricsWindow[];
}

interface MappedRow extends RowState {
  readonly id: number;
  readonly eyelearnRowId: number | null;
}

/** Days, in the database's time zone, of the quarter hours given; and its today. */
async function daysOf(
  db: Executor,
  quarters: readonly number[],
): Promise<{ today: string; days: Map<number, string> }> {
  const format = '%Y-%m-%d';
  const days = quarters.map(
    (quarter, index) =>
      sql`DATE_FORMAT(FROM_UNIXTIME(${(quarter * QUARTER_MS) / 1000}), ${format}) AS ${sql.identifier(`d${index}`)}`,
  );
  const [row = {}] = await rowsOf(
    db,
    sql`SELECT ${sql.join([sql`DATE_FORMAT(CURRENT_TIMESTAMP, ${format}) AS today`, ...days], sql`, `)}`,
  );
  return {
    today: String(row.today),
    days: new Map(quarters.map((quarter, index) => [quarter, String(row[`d${index}`])])),
  };
}

function quarterOf({ startedAtMs }: MetricsWindow): number {
  return Math.floor(startedAtMs / QUARTER_MS);
}

function groupsOf(given: readonly PlacedWindow[], dayOf: (window: MetricsWindow) => string): Map<string, Group> {
  const groups = new Map<string, Group>();
  for (const { sessionId, window } of given) {
    const sectionKey = sectionKeyOf(window.sectionId);
    const day = dayOf(window);
    const key = `${sessionId}/${sectionKey}/${day}`;
    const group = groups.get(key) ?? { sessionId, sectionKey, day, windows: [] };
    group.windows.push(window);
    groups.set(key, group);
  }
  return groups;
}

/** The row that each group was last written to, with EyeLearn's own total, if it is still there. */
async function currentRows(db: Executor, groups: ReadonlyMap<string, Group>): Promise<Map<string, MappedRow>> {
  const mapped = await db
    .select()
    .from(eyelearnRows)
    .where(
      or(
        ...[...groups.values()].map((group) =>
          and(
            eq(eyelearnRows.sessionId, group.sessionId),
            eq(eyelearnRows.sectionKey, group.sectionKey),
            eq(eyelearnRows.day, group.day),
          ),
        ),
      ),
    )
    .orderBy(desc(eyelearnRows.rollNo));
  const latest = new Map<string, (typeof mapped)[number]>();
  for (const row of mapped) {
    const key = `${row.sessionId}/${row.sectionKey}/${row.day}`;
    if (!latest.has(key)) latest.set(key, row);
  }
  const ids = [...latest.values()].flatMap(({ eyelearnRowId }) => (eyelearnRowId === null ? [] : [eyelearnRowId]));
  const totals = new Map<number, number>();
  if (ids.length > 0) {
    const rows = await rowsOf(
      db,
      sql`SELECT id, COALESCE(total_time_seconds, 0) AS total FROM ${sql.identifier(TABLE)}
        WHERE id IN ${ids.sort((a, b) => a - b)} ORDER BY id FOR UPDATE`,
    );
    for (const { id, total } of rows) totals.set(Number(id), Number(total));
  }
  const current = new Map<string, MappedRow>();
  for (const [key, row] of latest) {
    const total = row.eyelearnRowId === null ? 0 : totals.get(row.eyelearnRowId);
    // A row that somebody deleted is gone with its time: a full one stands in for it, so a new one begins.
    current.set(key, { ...row, totalS: total ?? Number.POSITIVE_INFINITY });
  }
  return current;
}

function newRow(group: Group, step: RowStep, isToday: boolean): Record<string, SQL> {
  const [window] = group.windows;
  if (window === undefined) throw new Error('a group has a window');
  const { addFocusedS, addUnfocusedS } = step;
  return {
    user_id: sql`${window.userId}`,
    module_id: sql`${window.moduleId}`,
    section_id: group.sectionKey === 0 ? sql`NULL` : sql`${group.sectionKey}`,
    session_type: sql`'viewing'`,
    total_time_seconds: sql`${addFocusedS + addUnfocusedS}`,
    focused_time_seconds: sql`${addFocusedS}`,
    unfocused_time_seconds: sql`${addUnfocusedS}`,
    // What waited in the spool over midnight belongs to the day on which it was studied.
    created_at: isToday ? sql`CURRENT_TIMESTAMP` : sql`FROM_UNIXTIME(${Math.floor(step.startedAtMs / 1000)})`,
    session_data: sql`${JSON.stringify({ source: 'gaze-relay', session: window.sessionId, rule: window.rule })}`,
  };
}

function additions({ addFocusedS, addUnfocusedS }: RowStep): Record<string, SQL> {
  const plus = (column: string, seconds: number) => sql`COALESCE(${sql.identifier(column)}, 0) + ${seconds}`;
  return {
    total_time_seconds: plus('total_time_seconds', addFocusedS + addUnfocusedS),
    focused_time_seconds: plus('focused_time_seconds', addFocusedS),
    unfocused_time_seconds: plus('unfocused_time_seconds', addUnfocusedS),
  };
}

/** Writes a step and returns the id of EyeLearn's row, null when there is none yet. */
async function writeStep(
  db: Executor,
  table: EyelearnTable,
  group: Group,
  step: RowStep,
  current: MappedRow | undefined,
  isToday: boolean,
): Promise<number | null> {
  const { rollNo, focusedMs, unfocusedMs, focusedWrittenS, unfocusedWrittenS } = step.state;
  const known = current?.rollNo === rollNo ? current : undefined;
  let eyelearnRowId = known?.eyelearnRowId ?? null;
  if (step.addFocusedS + step.addUnfocusedS > 0) {
    if (eyelearnRowId === null) eyelearnRowId = await insertInto(db, table, newRow(group, step, isToday));
    else await updateRow(db, table, sql`id = ${eyelearnRowId}`, additions(step));
  }
  const progress = { eyelearnRowId, focusedMs, unfocusedMs, focusedWrittenS, unfocusedWrittenS };
  if (known !== undefined) {
    await db.update(eyelearnRows).set(progress).where(eq(eyelearnRows.id, known.id));
    return eyelearnRowId;
  }
  const { sessionId, sectionKey, day } = group;
  await db.insert(eyelearnRows).values({ sessionId, sectionKey, day, rollNo, ...progress });
  return eyelearnRowId;
}

/** The rows that took a batch's time, as far as there are any, and the student days it falls on. */
export interface FedWindows {
  /** EyeLearn's row id by window. */
  readonly rowIds: ReadonlyMap<MetricsWindow, number>;
}

/** Where on the database's calendar the counted time of a batch falls. */
export interface Placement {
  readonly today: string;
  readonly dayOf: (window: MetricsWindow) => string;
  readonly studentDays: readonly StudentDay[];
}

/** The windows that count focused or unfocused time. */
export function countedOf(given: readonly PlacedWindow[]): PlacedWindow[] {
  return given.filter(({ window }) => window.focusedMs + window.unfocusedMs > 0);
}

/** Asks the database on which of its days the windows lie. */
export async function placeOnDays(db: Executor, counted: readonly PlacedWindow[]): Promise<Placement> {
  const { today, days } = await daysOf(db, [...new Set(counted.map(({ window }) => quarterOf(window)))]);
  const dayOf = (window: MetricsWindow) => days.get(quarterOf(window)) ?? today;
  const byKey = new Map<string, StudentDay>();
  for (const { window } of counted) {
    const studentDay = { userId: window.userId, day: dayOf(window) };
    byKey.set(`${studentDay.userId}/${studentDay.day}`, studentDay);
  }
  return { today, dayOf, studentDays: [...byKey.values()] };
}

/**
 * Adds the time of new windows to EyeLearn's rows, within the caller's transaction: one row per tracking
 * session, lesson section and day of the database's time zone. The sessions' own rows must be locked, so that nobody
 * else writes for them. Rejects with the driver's error.
 */
export async function feedSessions(
  db: Executor,
  table: EyelearnTable,
  counted: readonly PlacedWindow[],
  placement: Placement,
): Promise<FedWindows> {
  const groups = groupsOf(counted, placement.dayOf);
  const current = await currentRows(db, groups);
  const rowIds = new Map<MetricsWindow, number>();
  for (const [key, group] of groups) {
    const row = current.get(key);
    const slices = [...group.windows].sort((a, b) => a.startedAtMs - b.startedAtMs);
    for (const step of planRows(row ?? null, slices)) {
      const rowId = await writeStep(db, table, group, step, row, group.day >= placement.today);
      if (rowId !== null) for (const window of group.windows) rowIds.set(window, rowId);
    }
  }
  return { rowIds };
}

/** Writes the start and the end of each bout of windows whose rows are known. Rejects with the driver's error. */
export async function feedEvents(db: Executor, table: EyelearnTable, fed: FedWindows): Promise<void> {
  const at = (utcMs: number) => sql`FROM_UNIXTIME(${Math.floor(utcMs / 1000)})`;
  const names = ['session_id', 'event_type', 'timestamp', 'duration_seconds'].filter((name) => table.columns.has(name));
  const rows: SQL[] = [];
  for (const [window, rowId] of fed.rowIds) {
    for (const { kind, startedAtMs, durationMs } of window.bouts) {
      const word = kind === 'focused' ? 'focus' : 'unfocus';
      const event = (type: string, utcMs: number, duration: SQL) => {
        const values: Record<string, SQL> = {
          session_id: sql`${rowId}`,
          event_type: sql`${type}`,
          timestamp: at(utcMs),
          duration_seconds: duration,
        };
        const present = [...names.map((name) => values[name] ?? sql`NULL`), ...table.fillers.values()];
        rows.push(sql`(${sql.join(present, sql`, `)})`);
      };
      event(`${word}_start`, startedAtMs, sql`NULL`);
      event(`${word}_end`, startedAtMs + durationMs, sql`${Math.round(durationMs / 1000)}`);
    }
  }
  const columns = [...names, ...table.fillers.keys()].map((name) => sql.identifier(name));
  for (const chunk of chunksOf(rows, 200)) {
    await db.execute(
      sql`INSERT INTO ${sql.identifier(table.name)} (${sql.join(columns, sql`, `)}) VALUES ${sql.join(chunk, sql`, `)}`,
    );
  }
}

/**
 * EyeLearn's rows of a student and module on the day of `atMs`, whoever wrote them, and how much of them is known to
 * come from here. Where the table does not split the time, all of it counts as unfocused.
 */
export async function readEyelearnDay(
  db: Executor,
  table: EyelearnTable,
  userId: number,
  moduleId: number,
  atMs: number,
): Promise<EyelearnDay> {
  const [day] = await rowsOf(db, sql`SELECT DATE_FORMAT(FROM_UNIXTIME(${Math.floor(atMs / 1000)}), '%Y-%m-%d') AS day`);
  const isSplit = table.columns.has('focused_time_seconds') && table.columns.has('unfocused_time_seconds');
  const sums = isSplit
    ? sql`SUM(focused_time_seconds) AS focused, SUM(unfocused_time_seconds) AS unfocused`
    : sql`0 AS focused, SUM(total_time_seconds) AS unfocused`;
  const ofDay = table.columns.has('created_at') ? sql`AND DATE(created_at) = ${day?.day}` : sql``;
  const [rows] = await rowsOf(
    db,
    sql`SELECT ${sums} FROM ${sql.identifier(TABLE)} WHERE user_id = ${userId} AND module_id = ${moduleId} ${ofDay}`,
  );
  const [own] = await rowsOf(
    db,
    sql`SELECT SUM(r.focused_written_s) AS focused, SUM(r.unfocused_written_s) AS unfocused
      FROM relay_eyelearn_rows r JOIN relay_sessions s ON s.id = r.session_id
      WHERE s.user_id = ${userId} AND s.module_id = ${moduleId} AND r.day = ${day?.day} AND r.eyelearn_row_id IS NOT NULL`,
  );
  const [bounds] = await rowsOf(
    db,
    sql`SELECT UNIX_TIMESTAMP(${day?.day}) * 1000 AS fromMs, UNIX_TIMESTAMP(${day?.day} + INTERVAL 1 DAY) * 1000 AS untilMs`,
  );
  const ownFocusedS = Number(own?.focused ?? 0);
  const ownUnfocusedS = Number(own?.unfocused ?? 0);
  return {
    fromMs: Number(bounds?.fromMs),
    untilMs: Number(bounds?.untilMs),
    rowsFocusedS: Number(rows?.focused ?? 0),
    rowsUnfocusedS: Number(rows?.unfocused ?? 0),
    ownFocusedS: isSplit ? ownFocusedS : 0,
    ownUnfocusedS: isSplit ? ownUnfocusedS : ownFocusedS + ownUnfocusedS,
  };
}
