import { createHash } from 'node:crypto';
import type { Connection, RowDataPacket } from 'mysql2/promise';
import { RelayError } from '../../../shared/errors.ts';

const LOCK_WAIT_S = 5;
/** Well below the time limit of a delivery. */
const TURN_WAIT_S = 10;

/** What a connection's session came to be. */
export interface MysqlSession {
  /**
   * The server's binary log takes statements (binlog_format=STATEMENT), for which InnoDB refuses READ COMMITTED (error 1665).
   * The session has REPEATABLE READ then, and a transaction that adds to what others have added needs `inTurn`.
   */
  readonly isLoggedByStatement: boolean;
}

/**
 * Gives a new connection the same rules whatever the server's defaults are: bad data is an error and never cut to fit, and a
 * transaction sees what others have committed, as far as the server takes that. The time zone stays the server's: its days count.
 * Rejects with mysql2's error.
 */
export async function prepareSession(connection: Pick<Connection, 'query'>): Promise<MysqlSession> {
  await connection.query(
    `SET SESSION sql_mode = 'STRICT_TRANS_TABLES,NO_ENGINE_SUBSTITUTION', SESSION innodb_lock_wait_timeout = ${LOCK_WAIT_S}, SESSION autocommit = 1`,
  );
  const [rows] = await connection.query<RowDataPacket[]>(
    "SHOW VARIABLES WHERE Variable_name IN ('log_bin', 'binlog_format')",
  );
  const variable = (name: string) => String(rows.find((row) => row.Variable_name === name)?.Value).toUpperCase();
  const isLoggedByStatement = variable('log_bin') === 'ON' && variable('binlog_format') === 'STATEMENT';
  await connection.query(
    `SET SESSION TRANSACTION ISOLATION LEVEL ${isLoggedByStatement ? 'REPEATABLE READ' : 'READ COMMITTED'}`,
  );
  return { isLoggedByStatement };
}

/** Name of a lock of ours. Lock names are the server's, not the database's, and have at most 64 characters. */
export function lockName(purpose: string, database: string): string {
  return `gaze_relay_${purpose}_${createHash('sha256').update(database).digest('hex').slice(0, 16)}`;
}

/**
 * Runs a transaction while no other gateway runs one in this database, where the session's REPEATABLE READ would hide what another
 * one has committed meanwhile; else at once. Rejects with `store_unreachable` when its turn does not come, else as `work` does,
 * after which the connection must be closed: the lock goes with it.
 */
export async function inTurn<T>(
  connection: Pick<Connection, 'query'>,
  { isLoggedByStatement }: MysqlSession,
  database: string,
  work: () => Promise<T>,
): Promise<T> {
  if (!isLoggedByStatement) return work();
  const lock = lockName('store', database);
  const [[taken]] = await connection.query<RowDataPacket[]>('SELECT GET_LOCK(?, ?) AS taken', [lock, TURN_WAIT_S]);
  if (Number(taken?.taken) !== 1) {
    throw new RelayError('store_unreachable', 'other gateways are still storing in this database', {
      hint: "set the server's binlog_format to ROW: gateways store beside each other then",
    });
  }
  const result = await work();
  await connection.query('DO RELEASE_LOCK(?)', [lock]);
  return result;
}
