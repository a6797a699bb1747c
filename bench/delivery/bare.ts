import mysql, { type Connection, type RowDataPacket } from 'mysql2/promise';

/** What a window leads to, in our tables and in EyeLearn's. */
const TABLES = [
  'relay_sessions',
  'relay_windows',
  'relay_bouts',
  'relay_hours',
  'eye_tracking_sessions',
  'eye_tracking_analytics',
  'daily_analytics',
  'user_study_sessions',
  'focus_events',
] as const;

interface TableRows {
  readonly table: string;
  readonly columns: readonly string[];
  readonly rows: readonly unknown[][];
}

/** The rows of the tables that are there, without columns that the database computes. */
async function rowsOf(connection: Connection): Promise<TableRows[]> {
  const found: TableRows[] = [];
  for (const table of TABLES) {
    const [columns] = await connection.query<RowDataPacket[]>(
      `SELECT COLUMN_NAME AS name FROM information_schema.COLUMNS
       WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME = ? AND EXTRA NOT LIKE '%GENERATED%' ORDER BY ORDINAL_POSITION`,
      [table],
    );
    const names = columns.map(({ name }) => String(name));
    if (names.length === 0) continue;
    const list = names.map((name) => mysql.escapeId(name)).join(', ');
    const [rows] = await connection.query<RowDataPacket[][]>({
      sql: `SELECT ${list} FROM ${mysql.escapeId(table)}`,
      rowsAsArray: true,
    });
    if (rows.length > 0) found.push({ table, columns: names, rows });
  }
  return found;
}

/**
 * Writes the rows that a delivery has made once more, into empty tables of the same form: one multi-row INSERT for each table
 * and transaction, in as many transactions as the delivery had.
 */
export async function insertBare(url: string, transactions: number): Promise<{ rows: number; ms: number }> {
  const connection = await mysql.createConnection({ uri: url, dateStrings: true });
  try {
    const tables = await rowsOf(connection);
    await connection.query('SET FOREIGN_KEY_CHECKS = 0');
    for (const { table } of tables) {
      await connection.query(`CREATE TABLE ${mysql.escapeId(`bare_${table}`)} LIKE ${mysql.escapeId(table)}`);
    }
    const startedMs = performance.now();
    for (let turn = 0; turn < transactions; turn += 1) {
      await connection.beginTransaction();
      for (const { table, columns, rows } of tables) {
        const from = Math.floor((rows.length * turn) / transactions);
        const part = rows.slice(from, Math.floor((rows.length * (turn + 1)) / transactions));
        if (part.length === 0) continue;
        const list = columns.map((name) => mysql.escapeId(name)).join(', ');
        await connection.query(`INSERT INTO ${mysql.escapeId(`bare_${table}`)} (${list}) VALUES ?`, [part]);
      }
      await connection.commit();
    }
    const ms = performance.now() - startedMs;
    return { rows: tables.reduce((sum, { rows }) => sum + rows.length, 0), ms };
  } finally {
    await connection.end();
  }
}
