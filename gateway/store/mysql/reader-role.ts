import type { Connection, RowDataPacket } from 'mysql2/promise';
import mysql from 'mysql2/promise';

export const READER_ROLE = 'relay_reader';

/**
 * Makes the role that reads the report views and nothing else, or brings its rights up to date after a
 * migration: it may read the views that exist now, not the tables under them. Needs an account that may create roles and
 * grant SELECT. Returns the names of the views. Rejects with mysql2's error.
 */
export async function grantReaderRole(connection: Connection): Promise<string[]> {
  const [rows] = await connection.query<RowDataPacket[]>(
    `SELECT TABLE_SCHEMA AS db, TABLE_NAME AS name FROM information_schema.VIEWS
     WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME LIKE 'relay\\_report\\_%' ORDER BY TABLE_NAME`,
  );
  await connection.query(`CREATE ROLE IF NOT EXISTS ${READER_ROLE}`);
  for (const { db, name } of rows) {
    await connection.query(
      `GRANT SELECT ON ${mysql.escapeId(String(db))}.${mysql.escapeId(String(name))} TO ${READER_ROLE}`,
    );
  }
  return rows.map(({ name }) => String(name));
}
