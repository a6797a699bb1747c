import { type SQL, sql } from 'drizzle-orm';
import type { MySql2Database } from 'drizzle-orm/mysql2';
import type { Logger } from '../lib/logger.ts';

export type Executor = Pick<MySql2Database, 'execute' | 'select' | 'insert' | 'update'>;

/** EyeLearn's tables that are fed, with the columns a row cannot do without and those we write where they are there. */
const TABLES = {
  eye_tracking_sessions: {
    needed: ['id', 'user_id', 'module_id', 'total_time_seconds'],
    optional: [
      'section_id',
      'session_type',
      'created_at',
      'focused_time_seconds',
      'unfocused_time_seconds',
      'session_data',
    ],
  },
  eye_tracking_analytics: {
    needed: ['id', 'user_id', 'module_id', 'date'],
    optional: [
      'section_id',
      'total_focus_time',
      'session_count',
      'average_session_time',
      'max_continuous_time',
      'total_focused_time',
      'total_unfocused_time',
      'focus_percentage',
    ],
  },
  daily_analytics: {
    needed: ['user_id', 'date'],
    optional: [
      'total_study_time_seconds',
      'total_focused_time_seconds',
      'total_unfocused_time_seconds',
      'session_count',
      'average_focus_percentage',
      'longest_session_seconds',
      'modules_studied',
    ],
  },
  user_study_sessions: { needed: ['id', 'user_id', 'date'], optional: ['focus_score', 'duration'] },
  focus_events: {
    needed: ['session_id', 'event_type'],
    optional: ['timestamp', 'duration_seconds'],
  },
} as const;

export type EyelearnName = keyof typeof TABLES;

/** One of EyeLearn's tables as it is in this database. */
export interface EyelearnTable {
  readonly name: EyelearnName;
  readonly columns: ReadonlySet<string>;
  /** Values for columns that we do not know and that must not be left out. */
  readonly fillers: ReadonlyMap<string, SQL>;
}

export type EyelearnTables = Readonly<Partial<Record<EyelearnName, EyelearnTable>>>;

/** First row set of a query that Drizzle runs as it stands. */
export async function rowsOf(db: Pick<Executor, 'execute'>, query: SQL): Promise<Record<string, unknown>[]> {
  const [rows] = (await db.execute(query)) as unknown as [Record<string, unknown>[]];
  return rows;
}

function fillerOf(dataType: string): SQL | null {
  if (/^(tiny|small|medium|big)?int$|^(decimal|float|double|bit|year)$/.test(dataType)) return sql`0`;
  if (/char$|text$|blob$|binary$/.test(dataType)) return sql`''`;
  if (/^(timestamp|datetime|date|time)$/.test(dataType)) return sql`CURRENT_TIMESTAMP`;
  return dataType === 'json' ? sql`'{}'` : null;
}

function inspectTable(
  name: EyelearnName,
  rows: readonly Record<string, unknown>[],
  logger: Logger,
): EyelearnTable | null {
  const { needed, optional } = TABLES[name];
  const known: readonly string[] = [...needed, ...optional];
  const columns = new Set(rows.map((row) => String(row.name)));
  const missing = known.filter((column) => !columns.has(column));
  const fillers = new Map<string, SQL>();
  const unknown: string[] = [];
  for (const { name: column, type, nullable, defaultValue, extra } of rows) {
    const isOurs = known.includes(String(column));
    if (isOurs || nullable === 'YES' || defaultValue !== null || /auto_increment|generated/i.test(String(extra)))
      continue;
    const filler = fillerOf(String(type).toLowerCase());
    if (filler === null) unknown.push(String(column));
    else fillers.set(String(column), filler);
  }
  if (needed.some((column) => missing.includes(column)) || unknown.length > 0) {
    logger.error(
      { code: 'eyelearn_unusable', table: name, missing, unknown },
      'an EyeLearn table lacks columns, or has some that we cannot fill: it is not written to',
    );
    return null;
  }
  if (missing.length > 0) {
    logger.warn({ code: 'eyelearn_columns_missing', table: name, missing }, 'an EyeLearn table lacks columns');
  }
  return { name, columns, fillers };
}

/** Reads from information_schema what EyeLearn's tables look like here, and logs which are not there and what they lack. */
export async function inspectEyelearn(db: Pick<Executor, 'execute'>, logger: Logger): Promise<EyelearnTables> {
  const names = Object.keys(TABLES) as EyelearnName[];
  const rows = await rowsOf(
    db,
    sql`SELECT TABLE_NAME AS tableName, COLUMN_NAME AS name, DATA_TYPE AS type, IS_NULLABLE AS nullable,
        COLUMN_DEFAULT AS defaultValue, EXTRA AS extra
      FROM information_schema.COLUMNS WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME IN ${names}`,
  );
  const absent = names.filter((name) => !rows.some(({ tableName }) => tableName === name));
  if (absent.length > 0) logger.info({ absent }, 'EyeLearn tables that are not in this database are not written to');
  return Object.fromEntries(
    names.flatMap((name) => {
      const ofTable = rows.filter(({ tableName }) => tableName === name);
      const table = ofTable.length === 0 ? null : inspectTable(name, ofTable, logger);
      return table === null ? [] : [[name, table] as const];
    }),
  );
}

/** Inserts a row with those of the values whose columns are there, and returns its id. */
export async function insertInto(
  db: Executor,
  table: EyelearnTable,
  values: Readonly<Record<string, SQL>>,
): Promise<number> {
  const present = [...Object.entries(values), ...table.fillers].filter(([name]) => table.columns.has(name));
  const names = present.map(([name]) => sql.identifier(name));
  const given = present.map(([, value]) => value);
  const [result] = (await db.execute(
    sql`INSERT INTO ${sql.identifier(table.name)} (${sql.join(names, sql`, `)}) VALUES (${sql.join(given, sql`, `)})`,
  )) as unknown as [{ insertId: number }];
  return result.insertId;
}

/** Sets those of the columns that are there, in the order given: MySQL evaluates them one after another. False if the row is gone. */
export async function updateRow(
  db: Executor,
  table: EyelearnTable,
  where: SQL,
  sets: Readonly<Record<string, SQL>>,
): Promise<boolean> {
  const present = Object.entries(sets).filter(([name]) => table.columns.has(name));
  if (present.length === 0) return true;
  const assignments = present.map(([name, value]) => sql`${sql.identifier(name)} = ${value}`);
  const [result] = (await db.execute(
    sql`UPDATE ${sql.identifier(table.name)} SET ${sql.join(assignments, sql`, `)} WHERE ${where}`,
  )) as unknown as [{ affectedRows: number }];
  return result.affectedRows > 0;
}
