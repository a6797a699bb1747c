import { sql as drizzleSql, getTableColumns, getTableName } from 'drizzle-orm';
import type { MySqlColumn, MySqlTable } from 'drizzle-orm/mysql-core';
import type { MySql2Database } from 'drizzle-orm/mysql2';
import mysql from 'mysql2/promise';

/**
 * SQL text with its values in it. Drizzle builds a statement of hundreds of rows from one object for each value, and that took
 * two fifths of a gateway's CPU time for a delivery; here each value becomes text at once.
 */
export class SqlText {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

/** A value of a statement; a list stands for `(a, b, …)`. */
export type SqlValue = string | number | null | SqlText | readonly (string | number)[];

function textOf(value: SqlValue): string {
  if (typeof value === 'number') return String(value);
  if (value instanceof SqlText) return value.text;
  if (typeof value === 'object' && value !== null) return `(${value.map(textOf).join(', ')})`;
  return mysql.escape(value);
}

/** A statement or a part of one; values are escaped, for connections of prepareSession (session.ts), whose strings know backslashes. */
export function sql(parts: TemplateStringsArray, ...values: readonly SqlValue[]): SqlText {
  const [first = '', ...others] = parts;
  return new SqlText(others.reduce((text, part, index) => text + textOf(values[index] ?? null) + part, first));
}

/** Parts behind each other. */
export function joined(parts: readonly SqlText[], separator: string): SqlText {
  return new SqlText(parts.map(({ text }) => text).join(separator));
}

/** A name of a table or column. */
export function identifier(name: string): SqlText {
  return new SqlText(mysql.escapeId(name, true));
}

/** What an upsert gave for a column of the row that is there already. */
export function given(column: { readonly name: string }): SqlText {
  return sql`VALUES(${identifier(column.name)})`;
}

/** `(name, …) VALUES (value, …), …`; a value that is undefined is its column's default. */
export function valuesOf(names: readonly string[], rows: readonly (readonly (SqlValue | undefined)[])[]): SqlText {
  const lists = rows.map(
    (row) => `(${row.map((value) => (value === undefined ? 'DEFAULT' : textOf(value))).join(', ')})`,
  );
  return new SqlText(`(${names.map((name) => identifier(name).text).join(', ')}) VALUES ${lists.join(', ')}`);
}

type Rows<Table extends MySqlTable> = readonly {
  readonly [Key in keyof Table['_']['columns']]?: string | number | null | SqlText;
}[];

/** INSERT of rows of a table of ours; a row that is there already changes as `changes` says. */
export function insertInto<Table extends MySqlTable>(
  table: Table,
  rows: Rows<Table>,
  changes: { readonly [Key in keyof Table['_']['columns']]?: SqlText } = {},
): SqlText {
  const columns: Record<string, MySqlColumn> = getTableColumns(table);
  const keys = Object.keys(columns);
  const names = Object.values(columns).map(({ name }) => name);
  const values = valuesOf(
    names,
    rows.map((row) => keys.map((key) => row[key])),
  );
  const sets = Object.entries<SqlText | undefined>(changes).flatMap(([key, change]) =>
    change === undefined ? [] : [sql`${identifier(columns[key]?.name ?? key)} = ${change}`],
  );
  const insert = sql`INSERT INTO ${identifier(getTableName(table))} ${values}`;
  return sets.length === 0 ? insert : sql`${insert} ON DUPLICATE KEY UPDATE ${joined(sets, ', ')}`;
}

/** What a statement runs in: a transaction, or a savepoint of one. */
export type Executor = Pick<MySql2Database, 'execute'>;

/** Runs a statement that changes rows. Rejects with the driver's error. */
export async function run(
  db: Executor,
  { text }: SqlText,
): Promise<{ readonly insertId: number; readonly affectedRows: number }> {
  const [result] = await db.execute(drizzleSql.raw(text));
  return result;
}

/** Rows of a query. Rejects with the driver's error. */
export async function rowsOf(db: Executor, { text }: SqlText): Promise<Record<string, unknown>[]> {
  const [rows] = (await db.execute(drizzleSql.raw(text))) as unknown as [Record<string, unknown>[]];
  return rows;
}
