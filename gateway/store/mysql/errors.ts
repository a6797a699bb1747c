import { describeError, RelayError } from '../../../shared/errors.ts';

/** What mysql2 says of a failed query or connection. */
interface MysqlError extends Error {
  readonly code: string;
  readonly errno?: number;
  readonly sqlState?: string;
  readonly fatal?: boolean;
}

/** Server errors that a repeat of the whole transaction usually cures. */
const PASSING_ERRNOS = new Set([
  1205, // lock wait timeout
  1213, // deadlock
  1020, // MariaDB: row changed since the snapshot
  1062, // two gateways wrote the same new row at once; the repeat finds it
]);

/** Data errors whose SQLSTATE is the unspecific HY000. */
const DATA_ERRNOS = new Set([1264, 1265, 1292, 1366, 1406]);

/** The server says this of us and not of a statement: SQLSTATE 42 all the same. No such database, no access to it, too many connections. */
const ACCESS_ERRNOS = new Set([1040, 1044, 1045, 1049, 1203, 1226]);

/** The server answers, and refuses the statement itself: mixed collations, text that a column cannot be compared with, the binary log's format, a broken view. */
const STATEMENT_ERRNOS = new Set([1253, 1267, 1270, 1271, 1277, 1356, 1665, 3988]);

const HINT_BY_ERRNO: Readonly<Record<number, string>> = {
  1044: 'grant this user rights on the database',
  1045: 'check user and password',
  1049: 'create the database or correct its name',
  1665: 'set binlog_format of the database server to ROW or MIXED, then restart the gateway',
  1267: "the collations of the platform's tables do not go together: run `doctor`, and report what it says",
  1142: 'grant this user CREATE, CREATE VIEW, ALTER, INDEX, SELECT, INSERT, UPDATE and DELETE on the database',
};

function mysqlErrorOf(error: unknown): MysqlError | null {
  for (let at: unknown = error; at instanceof Error; at = at.cause) {
    if ('code' in at && typeof at.code === 'string' && !(at instanceof RelayError)) return at as MysqlError;
  }
  return null;
}

/** True when the connection broke under a query: another one may work at once. */
function isLostConnection({ code, fatal }: MysqlError): boolean {
  return fatal === true && ['PROTOCOL_CONNECTION_LOST', 'ECONNRESET', 'EPIPE'].includes(code);
}

/** True for what a repeat of the same transaction, right now, may cure. */
export function isPassing(error: unknown): boolean {
  const mysqlError = mysqlErrorOf(error);
  if (mysqlError === null) return false;
  return PASSING_ERRNOS.has(mysqlError.errno ?? 0) || isLostConnection(mysqlError);
}

/**
 * True when a table or column that was there is not any more, maybe under a view: what is known of the schema is out of
 * date.
 */
export function isSchemaChange(error: unknown): boolean {
  return [1054, 1146, 1356].includes(mysqlErrorOf(error)?.errno ?? 0);
}

/** True when the server, or a trigger of its owner (SQLSTATE 45), says that it will never take this data. */
export function isDataError(error: unknown): boolean {
  const mysqlError = mysqlErrorOf(error);
  if (mysqlError === null || mysqlError.errno === undefined || PASSING_ERRNOS.has(mysqlError.errno)) return false;
  return DATA_ERRNOS.has(mysqlError.errno) || /^(2[23]|45)/.test(mysqlError.sqlState ?? '');
}

/** True when the server answers and refuses the statement itself: no outage, and asking again does not help. */
function isStatementFault({ errno, sqlState }: MysqlError): boolean {
  if (errno === undefined || ACCESS_ERRNOS.has(errno)) return false;
  return STATEMENT_ERRNOS.has(errno) || (sqlState ?? '').startsWith('42');
}

/**
 * The port's error for whatever went wrong. Only what the server says of the data is `store_rejected`; a statement that it
 * refuses (no rights, no table, collations that do not go together) is `store_query_failed`, and what keeps it from answering
 * `store_unreachable`. Both may be put right, so data waits.
 */
export function storeError(error: unknown): RelayError {
  if (error instanceof RelayError) return error;
  const mysqlError = mysqlErrorOf(error);
  const detail = mysqlError === null ? describeError(error) : `${mysqlError.message} (${mysqlError.code})`;
  if (isDataError(error)) {
    return new RelayError('store_rejected', `MySQL refuses this data: ${detail}`, { cause: error });
  }
  if (mysqlError !== null && isStatementFault(mysqlError)) {
    return new RelayError('store_query_failed', `MySQL answers and refuses a statement: ${detail}`, {
      hint: HINT_BY_ERRNO[mysqlError.errno ?? 0] ?? 'run `doctor`, and report what it says',
      cause: error,
    });
  }
  return new RelayError('store_unreachable', `MySQL does not take the data now: ${detail}`, {
    hint: HINT_BY_ERRNO[mysqlError?.errno ?? 0] ?? 'check that the database runs and that MYSQL_URL leads to it',
    cause: error,
  });
}
