import type { Connection, ResultSetHeader, RowDataPacket } from 'mysql2/promise';
import type { Statement, StatementResult } from '../port.ts';

/**
 * Runs statements on a connection, several in one transaction, and resolves with the rows or the number of changes of each.
 * Rejects with mysql2's error; the transaction is open then.
 */
export async function executeOn(connection: Connection, statements: readonly Statement[]): Promise<StatementResult[]> {
  const isTransaction = statements.length > 1;
  if (isTransaction) await connection.beginTransaction();
  const results: StatementResult[] = [];
  for (const { sql, values } of statements) {
    const [result] = await connection.query<RowDataPacket[] | ResultSetHeader>({
      sql,
      values: [...values],
      // A day is a day, in whatever time zone this process runs.
      dateStrings: true,
    });
    results.push(
      Array.isArray(result)
        ? { rows: result.map((row) => ({ ...row })), changed: 0 }
        : { rows: [], changed: result.affectedRows },
    );
  }
  if (isTransaction) await connection.commit();
  return results;
}
