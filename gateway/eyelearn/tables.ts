import {
  type Executor,
  identifier,
  joined,
  run,
  type SqlText,
  type SqlValue,
  sql,
  valuesOf,
} from '../store/mysql/statement.ts';
import type { CatalogTable, Tables } from './catalog.ts';

/** EyeLearn's tables that are written, with the columns that a row needs and those that are written where they exist. */
const WRITTEN = {
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

export type WrittenName = keyof typeof WRITTEN;

/** One of the written tables as it is in this database. */
export interface WrittenTable {
  readonly name: WrittenName;
  readonly columns: ReadonlySet<string>;
  /** Values for unknown columns that an INSERT must give. */
  readonly fillers: ReadonlyMap<string, SqlText>;
}

export type WrittenTables = Readonly<Partial<Record<WrittenName, WrittenTable>>>;

/** What is wrong with a table: `eyelearn_unusable` (it is not written) or `eyelearn_columns_missing` (it is, without these). */
export interface TableProblem {
  readonly code: 'eyelearn_unusable' | 'eyelearn_columns_missing';
  readonly table: WrittenName;
  readonly missing: readonly string[];
  /** Columns that an INSERT must fill and that are of a type for which no neutral value is known. */
  readonly unknown: readonly string[];
}

function fillerOf(dataType: string): SqlText | null {
  if (/^(tiny|small|medium|big)?int$|^(decimal|float|double|bit|year)$/.test(dataType)) return sql`0`;
  if (/char$|text$|blob$|binary$/.test(dataType)) return sql`''`;
  if (/^(timestamp|datetime|date|time)$/.test(dataType)) return sql`CURRENT_TIMESTAMP`;
  return dataType === 'json' ? sql`'{}'` : null;
}

function inspect(name: WrittenName, { columns }: CatalogTable): { table: WrittenTable; problem: TableProblem | null } {
  const { needed, optional } = WRITTEN[name];
  const known: readonly string[] = [...needed, ...optional];
  const missing = known.filter((column) => !columns.has(column));
  const fillers = new Map<string, SqlText>();
  const unknown: string[] = [];
  for (const [column, { dataType, isOptional }] of columns) {
    if (isOptional || known.includes(column)) continue;
    const filler = fillerOf(dataType);
    if (filler === null) unknown.push(column);
    else fillers.set(column, filler);
  }
  const isUnusable = unknown.length > 0 || needed.some((column) => missing.includes(column));
  const code = isUnusable ? 'eyelearn_unusable' : 'eyelearn_columns_missing';
  return {
    table: { name, columns: new Set(columns.keys()), fillers },
    problem: isUnusable || missing.length > 0 ? { code, table: name, missing, unknown } : null,
  };
}

/** Which of EyeLearn's tables can be written here, which are missing, and what is wrong with the others. */
export function writtenTables(tables: Tables): {
  readonly written: WrittenTables;
  readonly absent: readonly WrittenName[];
  readonly problems: readonly TableProblem[];
} {
  const names = Object.keys(WRITTEN) as WrittenName[];
  const found = names.flatMap((name) => {
    const table = tables.get(name);
    return table === undefined ? [] : [inspect(name, table)];
  });
  const usable = found.filter(({ problem }) => problem?.code !== 'eyelearn_unusable');
  return {
    written: Object.fromEntries(usable.map(({ table }) => [table.name, table])),
    absent: names.filter((name) => !tables.has(name)),
    problems: found.flatMap(({ problem }) => problem ?? []),
  };
}

/**
 * Inserts rows with one statement, each with those of the values whose columns exist, and resolves with their ids in order.
 * The number of rows is known beforehand, so MySQL and MariaDB give them ids in steps of `idStep` (auto_increment_increment).
 * All rows must have the same columns.
 */
export async function insertRows(
  db: Executor,
  table: WrittenTable,
  rows: readonly Readonly<Record<string, SqlValue>>[],
  idStep: number,
): Promise<number[]> {
  const [first] = rows;
  if (first === undefined) return [];
  const names = [...Object.keys(first).filter((name) => table.columns.has(name)), ...table.fillers.keys()];
  const values = rows.map((row) => names.map((name) => row[name] ?? table.fillers.get(name) ?? null));
  const { insertId } = await run(db, sql`INSERT INTO ${identifier(table.name)} ${valuesOf(names, values)}`);
  return rows.map((_row, index) => insertId + index * idStep);
}

/** A row to update, and the numbers that its new columns are made of. */
export interface RowChange {
  readonly where: SqlText;
  readonly values: Readonly<Record<string, number>>;
}

/**
 * Updates rows with one statement. `sets` makes the new columns, in this order: MySQL evaluates them one after another;
 * `value` stands for a row's own number of that name. Columns that do not exist are left out. Resolves with the number of
 * rows that were found.
 */
export async function updateRows(
  db: Executor,
  table: WrittenTable,
  changes: readonly RowChange[],
  sets: (value: (name: string) => SqlText) => Readonly<Record<string, SqlText>>,
): Promise<number> {
  if (changes.length === 0) return 0;
  const value = (name: string): SqlText => {
    const cases = changes.map(({ where, values }) => sql`WHEN ${where} THEN ${values[name] ?? 0}`);
    return sql`CASE ${joined(cases, ' ')} END`;
  };
  const present = Object.entries(sets(value)).filter(([name]) => table.columns.has(name));
  if (present.length === 0) return changes.length;
  const assignments = present.map(([name, expression]) => sql`${identifier(name)} = ${expression}`);
  const some = changes.map(({ where }) => sql`(${where})`);
  const { affectedRows } = await run(
    db,
    sql`UPDATE ${identifier(table.name)} SET ${joined(assignments, ', ')} WHERE ${joined(some, ' OR ')}`,
  );
  return affectedRows;
}
