import { and, desc, eq, or, type SQL, sql } from 'drizzle-orm';
import type { MySql2Database } from 'drizzle-orm/mysql2';
import type { MetricsWindow } from '../../../shared/metrics-window.ts';
import type { Logger } from '../../logger.ts';
import { type PlacedWindow, QUARTER_MS, sectionKeyOf } from '../batch.ts';
import { planRows, type RowState, type RowStep } from './eyelearn-plan.ts';
import { eyelearnRows } from './schema.ts';

const TABLE = 'eye_tracking_sessions';
const NEEDED = ['id', 'user_id', 'module_id', 'total_time_seconds'] as const;
const OPTIONAL = [
  'section_id',
  'session_type',
  'created_at',
  'focused_time_seconds',
  'unfocused_time_seconds',
  'session_data',
] as const;

type ColumnName = (typeof NEEDED)[number] | (typeof OPTIONAL)[number];
type Executor = Pick<MySql2Database, 'execute' | 'select' | 'insert' | 'update'>;

/** EyeLearn's table as it is in this database. */
export interface EyelearnTable {
  readonly columns: ReadonlySet<string>;
  /** Values for columns that we do not know and that must not be left out. */
  readonly fillers: ReadonlyMap<string, SQL>;
}

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

/** First row set of a query that Drizzle runs as it stands. */
async function rowsOf(db: Executor, query: SQL): Promise<Record<string, unknown>[]> {
  const [rows] = (await db.execute(query)) as unknown as [Record<string, unknown>[]];
  return rows;
}

function fillerOf(dataType: string): SQL | null {
  if (/^(tiny|small|medium|big)?int$|^(decimal|float|double|bit|year)$/.test(dataType)) return sql`0`;
  if (/char$|text$|blob$|binary$/.test(dataType)) return sql`''`;
  if (/^(timestamp|datetime|date|time)$/.test(dataType)) return sql`CURRENT_TIMESTAMP`;
  return dataType === 'json' ? sql`'{}'` : null;
}

/**
 * Reads from information_schema what EyeLearn's table looks like here, and logs what it lacks. Null
 * when there is no such table or when it cannot be fed.
 */
export async function inspectEyelearn(db: Executor, logger: Logger): Promise<EyelearnTable | null> {
  const rows = await rowsOf(
    db,
    sql`SELECT COLUMN_NAME AS name, DATA_TYPE AS type, IS_NULLABLE AS nullable, COLUMN_DEFAULT AS defaultValue, EXTRA AS extra
      FROM information_schema.COLUMNS WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME = ${TABLE}`,
  );
  if (rows.length === 0) {
    logger.info({ table: TABLE }, 'no EyeLearn table in this database: only relay_ tables are written');
    return null;
  }
  const columns = new Set(rows.map(({ name }) => String(name)));
  const missing = [...NEEDED, ...OPTIONAL].filter((name) => !columns.has(name));
  const fillers = new Map<string, SQL>();
  const unknown: string[] = [];
  for (const { name, type, nullable, defaultValue, extra } of rows) {
    const column = String(name);
    const known = ([...NEEDED, ...OPTIONAL] as readonly string[]).includes(column);
    if (known || nullable === 'YES' || defaultValue !== null || /auto_increment|generated/i.test(String(extra)))
      continue;
    const filler = fillerOf(String(type).toLowerCase());
    if (filler === null) unknown.push(column);
    else fillers.set(column, filler);
  }
  if (NEEDED.some((name) => missing.includes(name)) || unknown.length > 0) {
    logger.error(
      { code: 'eyelearn_unusable', table: TABLE, missing, unknown },
      'the EyeLearn table lacks columns, or has some that we cannot fill: it is not written to',
    );
    return null;
  }
  if (missing.length > 0) {
    logger.warn({ code: 'eyelearn_columns_missing', table: TABLE, missing }, 'the EyeLearn table lacks columns');
  }
  return { columns, fillers };
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

function groupsOf(given: readonly PlacedWindow[], days: ReadonlyMap<number, string>): Map<string, Group> {
  const groups = new Map<string, Group>();
  for (const { sessionId, window } of given) {
    const sectionKey = sectionKeyOf(window.sectionId);
    const day = days.get(quarterOf(window)) ?? '';
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

async function insertRow(
  db: Executor,
  table: EyelearnTable,
  group: Group,
  step: RowStep,
  isToday: boolean,
): Promise<number> {
  const [window] = group.windows;
  if (window === undefined) throw new Error('a group has a window');
  const { addFocusedS, addUnfocusedS } = step;
  const values: Record<Exclude<ColumnName, 'id'>, SQL> = {
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
  const present = [...Object.entries(values), ...table.fillers].filter(([name]) => table.columns.has(name));
  const [result] = (await db.execute(
    sql`INSERT INTO ${sql.identifier(TABLE)} (${sql.join(
      present.map(([name]) => sql.identifier(name)),
      sql`, `,
    )}) VALUES (${sql.join(
      present.map(([, value]) => value),
      sql`, `,
    )})`,
  )) as unknown as [{ insertId: number }];
  return result.insertId;
}

async function updateRow(db: Executor, table: EyelearnTable, rowId: number, step: RowStep): Promise<void> {
  const additions: Partial<Record<ColumnName, number>> = {
    total_time_seconds: step.addFocusedS + step.addUnfocusedS,
    focused_time_seconds: step.addFocusedS,
    unfocused_time_seconds: step.addUnfocusedS,
  };
  const sets = Object.entries(additions)
    .filter(([name]) => table.columns.has(name))
    .map(([name, seconds]) => sql`${sql.identifier(name)} = COALESCE(${sql.identifier(name)}, 0) + ${seconds}`);
  await db.execute(sql`UPDATE ${sql.identifier(TABLE)} SET ${sql.join(sets, sql`, `)} WHERE id = ${rowId}`);
}

async function writeStep(
  db: Executor,
  table: EyelearnTable,
  group: Group,
  step: RowStep,
  current: MappedRow | undefined,
  isToday: boolean,
): Promise<void> {
  const { rollNo, focusedMs, unfocusedMs, focusedWrittenS, unfocusedWrittenS } = step.state;
  const known = current?.rollNo === rollNo ? current : undefined;
  let eyelearnRowId = known?.eyelearnRowId ?? null;
  if (step.addFocusedS + step.addUnfocusedS > 0) {
    if (eyelearnRowId === null) eyelearnRowId = await insertRow(db, table, group, step, isToday);
    else await updateRow(db, table, eyelearnRowId, step);
  }
  const progress = { eyelearnRowId, focusedMs, unfocusedMs, focusedWrittenS, unfocusedWrittenS };
  if (known !== undefined) {
    await db.update(eyelearnRows).set(progress).where(eq(eyelearnRows.id, known.id));
    return;
  }
  const { sessionId, sectionKey, day } = group;
  await db.insert(eyelearnRows).values({ sessionId, sectionKey, day, rollNo, ...progress });
}

/**
 * Adds the time of new windows to EyeLearn's rows, within the caller's transaction: one row per tracking
 * session, lesson section and day of the database's time zone. The sessions' own rows must be locked, so that nobody
 * else writes for them. Rejects with the driver's error.
 */
export async function feedEyelearn(db: Executor, table: EyelearnTable, given: readonly PlacedWindow[]): Promise<void> {
  const counted = given.filter(({ window }) => window.focusedMs + window.unfocusedMs > 0);
  if (counted.length === 0) return;
  const { today, days } = await daysOf(db, [...new Set(counted.map(({ window }) => quarterOf(window)))]);
  const groups = groupsOf(counted, days);
  const current = await currentRows(db, groups);
  for (const [key, group] of groups) {
    const row = current.get(key);
    const slices = [...group.windows].sort((a, b) => a.startedAtMs - b.startedAtMs);
    for (const step of planRows(row ?? null, slices)) {
      await writeStep(db, table, group, step, row, group.day >= today);
    }
  }
}
