import mysql, { type Connection, type RowDataPacket } from 'mysql2/promise';
import { describeError, RelayError } from '../../../shared/errors.ts';
import type { ConfiguredRetention } from '../../privacy/retention-choice.ts';
import { tryReports } from '../../reports/trial.ts';
import { MAX_SKEW_MS } from '../../store/clock-watch.ts';
import { migrationsFolder, readMigrations } from '../../store/migrations.ts';
import { storeError } from '../../store/mysql/errors.ts';
import { executeOn } from '../../store/mysql/execute.ts';
import { prepareSession } from '../../store/mysql/session.ts';
import { tryStoring } from '../../store/mysql/trial.ts';
import { type MysqlConfig, parseMysqlUrl } from '../../store/mysql/url.ts';
import { DIALECTS } from '../../store/views/measures.ts';
import { type Finding, findingsOf, type PlatformChecks } from './finding.ts';
import { examineGrants } from './grants.ts';
import { networkCode, networkFault } from './network.ts';
import { examineRetention } from './retention.ts';

const { ok, note, warning, fault } = findingsOf('mysql');
const CONNECT_TIMEOUT_MS = 5000;
const QUERY_TIMEOUT_MS = 10_000;
/** Window functions and common table expressions, which the report views use; of MariaDB the oldest one that is kept up. */
const OLDEST = { mysql: [8, 0], mariadb: [10, 5] } as const;

/** What a server's VERSION() says: which of the two it is, and whether it is older than what the gateway needs. */
export function serverVersion(version: string): { readonly product: 'MySQL' | 'MariaDB'; readonly isTooOld: boolean } {
  const isMariaDb = /mariadb/i.test(version);
  const [major = 0, minor = 0] = version.split('.').map((part) => Number.parseInt(part, 10));
  const [oldestMajor, oldestMinor] = isMariaDb ? OLDEST.mariadb : OLDEST.mysql;
  const isTooOld = major < oldestMajor || (major === oldestMajor && minor < oldestMinor);
  return { product: isMariaDb ? 'MariaDB' : 'MySQL', isTooOld };
}

function connectFault(error: unknown, { host, port, user, database }: MysqlConfig): Finding {
  const code = networkCode(error) ?? '';
  const detail = error instanceof Error ? error.message : String(error);
  const where = `${host} port ${port}`;
  switch (code) {
    case 'ER_ACCESS_DENIED_ERROR':
      return fault('mysql_access_denied', detail, `correct user or password of ${user} in MYSQL_URL (percent-encoded)`);
    case 'ER_DBACCESS_DENIED_ERROR':
      return fault('mysql_database_denied', detail, `GRANT ALL PRIVILEGES ON \`${database}\`.* TO the user ${user}`);
    case 'ER_BAD_DB_ERROR':
      return fault(
        'mysql_database_missing',
        detail,
        `create the database ${database} or correct its name in MYSQL_URL`,
      );
    case 'HANDSHAKE_SSL_ERROR':
    case 'HANDSHAKE_NO_SSL_SUPPORT':
      return fault('mysql_tls', `${where}: ${detail}`, 'change ssl-mode in MYSQL_URL to what the server offers');
    default:
      return fault(
        'mysql_unreachable',
        `${where} cannot be reached: ${networkFault(error)}`,
        'check that the database runs and that host and port of MYSQL_URL lead to it from here',
      );
  }
}

async function one(connection: Connection, query: string): Promise<RowDataPacket> {
  const [[row]] = await connection.query<RowDataPacket[]>({ sql: query, timeout: QUERY_TIMEOUT_MS });
  if (row === undefined) throw new Error(`no row from: ${query}`);
  return row;
}

async function examineServer(connection: Connection): Promise<Finding[]> {
  const row = await one(
    connection,
    `SELECT VERSION() AS version, @@global.read_only AS readOnly, @@character_set_database AS charset,
      TIME_FORMAT(TIMEDIFF(NOW(), UTC_TIMESTAMP()), '%H:%i') AS zone, DATABASE() AS name`,
  );
  const version = String(row.version);
  const { product, isTooOld } = serverVersion(version);
  const findings = [ok(`${product} ${version} answers; its days are those of UTC ${row.zone}`)];
  if (isTooOld) {
    const oldest = product === 'MariaDB' ? 'MariaDB 10.5' : 'MySQL 8';
    findings.push(
      fault('mysql_old', `${product} ${version} is too old for the report views`, `upgrade to ${oldest} or later`),
    );
  }
  if (Number(row.readOnly) !== 0) {
    findings.push(
      fault('mysql_read_only', 'the server takes no writes', 'point MYSQL_URL at the primary, not at a replica'),
    );
  }
  if (row.charset !== 'utf8mb4') {
    findings.push(
      warning(
        'mysql_charset',
        `the database's default character set is ${row.charset}: names that it cannot hold are spoilt in new tables`,
        `ALTER DATABASE \`${row.name}\` CHARACTER SET utf8mb4; tables that are there: ALTER TABLE … CONVERT TO CHARACTER SET utf8mb4`,
      ),
    );
  }
  return findings;
}

async function examineClock(connection: Connection, now: () => number): Promise<Finding> {
  const beforeMs = now();
  const row = await one(connection, 'SELECT UNIX_TIMESTAMP(NOW(3)) * 1000 AS nowMs');
  const skewMs = Math.round(Number(row.nowMs) - (beforeMs + now()) / 2);
  if (Math.abs(skewMs) <= MAX_SKEW_MS) return findingsOf('clock').ok(`the database's clock is ${skewMs} ms from ours`);
  return findingsOf('clock').fault(
    'clock_skew',
    `the database's clock is ${Math.abs(skewMs) / 1000} s ${skewMs > 0 ? 'ahead of' : 'behind'} ours`,
    'let both machines keep time by NTP: days would be wrong, and tickets refused',
  );
}

async function examineMigrations(
  connection: Connection,
  whenMigrated: () => Promise<readonly Finding[]>,
): Promise<Finding[]> {
  const [tables] = await connection.query<RowDataPacket[]>("SHOW TABLES LIKE 'relay\\_migrations'");
  const [rows] =
    tables.length === 0 ? [[]] : await connection.query<RowDataPacket[]>('SELECT tag FROM relay_migrations');
  const applied = new Set(rows.map(({ tag }) => String(tag)));
  const migrations = await readMigrations(migrationsFolder('mysql'));
  const missing = migrations.map(({ tag }) => tag).filter((tag) => !applied.has(tag));
  if (missing.length === 0) return [ok('the tables are up to date'), ...(await whenMigrated())];
  const pending = warning(
    'migrations_pending',
    `${missing.length} of ${migrations.length} migrations are not in: ${missing.join(', ')}`,
    'run `node dist/gateway/cli.mjs migrate` before the release (the gateway does it when it starts)',
  );
  return [pending];
}

/** Stores, and asks, as the gateway does, in a session like its own. */
async function examineUse(connection: Connection, now: () => number): Promise<Finding[]> {
  const findings: Finding[] = [];
  const { isLoggedByStatement } = await prepareSession(connection);
  if (isLoggedByStatement) {
    findings.push(
      warning(
        'mysql_binlog_statement',
        "the server's binlog_format is STATEMENT: gateways store one after another, under REPEATABLE READ",
        "set binlog_format=ROW in the server's configuration and restart it",
      ),
    );
  }
  try {
    await tryStoring(connection, now());
  } catch (error) {
    const { message, hint } = storeError(error);
    findings.push(fault('mysql_write_fails', `a window cannot be stored: ${message}`, hint ?? "see the server's log"));
  }
  const refused = await tryReports(
    {
      dialect: DIALECTS.mysql,
      rows: async (sql, values) => (await connection.query<RowDataPacket[]>(sql, [...values]))[0],
      close: async () => undefined,
    },
    now(),
  );
  for (const { question, reason } of refused) {
    findings.push(
      fault(
        'mysql_query_fails',
        `the report "${question}" fails: ${reason}`,
        'run `migrate`; if that does not help, report this',
      ),
    );
  }
  return findings.length > 0 ? findings : [ok('a window is taken, and every kind of report is answered')];
}

async function attempt(check: () => Promise<Finding[]>): Promise<Finding[]> {
  try {
    return await check();
  } catch (error) {
    return [fault('mysql_fails', `a question to the database failed: ${describeError(error)}`, "see the server's log")];
  }
}

/** The database: reached, allowed in, fit to be written, with the platform's tables as they must be, and on time. */
export async function examineMysql(
  url: string | null,
  now: () => number,
  platform: Pick<PlatformChecks, 'examineTables'>,
  retention: ConfiguredRetention,
): Promise<Finding[]> {
  if (url === null) return [note('embedded', 'no database is configured: an embedded file in DATA_DIR is used')];
  let config: MysqlConfig;
  try {
    config = parseMysqlUrl(url);
  } catch (error) {
    if (!(error instanceof RelayError)) throw error;
    return [fault(error.code, error.message, error.hint ?? 'correct MYSQL_URL')];
  }
  const { tls, ...address } = config;
  let connection: Connection;
  try {
    connection = await mysql.createConnection({
      ...address,
      charset: 'utf8mb4',
      connectTimeout: CONNECT_TIMEOUT_MS,
      ...(tls === 'off' ? {} : { ssl: { rejectUnauthorized: tls === 'verify' } }),
    });
  } catch (error) {
    return [connectFault(error, config)];
  }
  try {
    const server = await attempt(() => examineServer(connection));
    // What would be tried next is refused for this one reason.
    if (server.some(({ code }) => code === 'mysql_read_only')) return server;
    return [
      ...server,
      ...(await attempt(() =>
        examineMigrations(connection, async () => [
          ...(await examineUse(connection, now)),
          await examineRetention({ execute: (statements) => executeOn(connection, statements) }, retention, now()),
        ]),
      )),
      ...(await attempt(() => examineGrants(connection, config))),
      ...(await attempt(() => platform.examineTables(connection))),
      ...(await attempt(async () => [await examineClock(connection, now)])),
    ];
  } finally {
    await connection.end().catch(() => connection.destroy());
  }
}
