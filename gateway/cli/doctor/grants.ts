import { type Connection, escapeId } from 'mysql2/promise';
import type { MysqlConfig } from '../../store/mysql/url.ts';
import { type Finding, findingsOf } from './finding.ts';

const { ok, fault } = findingsOf('grants');
const TABLE = 'relay_doctor_probe';
const VIEW = 'relay_doctor_probe_view';
/** Text that latin1 cannot hold. */
const TEXT = 'ñ ✓ 😀';

/** Access denied: to a database, a table, a column, a command, a routine. */
const DENIED_ERRNOS = new Set([1044, 1142, 1143, 1227, 1370]);

/** True for the server's "you may not". */
export function isDenied(error: unknown): boolean {
  return error instanceof Error && 'errno' in error && DENIED_ERRNOS.has(Number(error.errno));
}

/** In this order, so that a table we cannot drop again is never made. */
const TRIALS: readonly (readonly [right: string, statement: string])[] = [
  ['DROP', `DROP TABLE IF EXISTS ${TABLE}`],
  ['CREATE', `CREATE TABLE ${TABLE} (id INT PRIMARY KEY, text VARCHAR(20)) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4`],
  ['ALTER', `ALTER TABLE ${TABLE} ADD COLUMN more INT NULL`],
  ['INDEX', `CREATE INDEX ${TABLE}_text ON ${TABLE} (text)`],
  ['INSERT', `INSERT INTO ${TABLE} (id, text) VALUES (1, '${TEXT}')`],
  ['SELECT', `SELECT text FROM ${TABLE}`],
  ['UPDATE', `UPDATE ${TABLE} SET text = 'x' WHERE id = 1`],
  ['DELETE', `DELETE FROM ${TABLE} WHERE id = 1`],
  ['CREATE VIEW', `CREATE OR REPLACE VIEW ${VIEW} AS SELECT id FROM ${TABLE}`],
];

/** Tries every right that migrations and metrics need on a table of its own, which it takes away again. */
export async function examineGrants(
  connection: Connection,
  { user, database }: Pick<MysqlConfig, 'user' | 'database'>,
): Promise<Finding[]> {
  const missing: string[] = [];
  let text: unknown = TEXT;
  try {
    for (const [right, statement] of TRIALS) {
      try {
        const [rows] = await connection.query(statement);
        if (right === 'SELECT' && Array.isArray(rows) && rows.length > 0) text = (rows[0] as { text?: unknown }).text;
      } catch (error) {
        if (!isDenied(error)) throw error;
        missing.push(right);
        if (right === 'DROP' || right === 'CREATE') break;
      }
    }
  } finally {
    if (!missing.includes('DROP')) {
      await connection.query(`DROP VIEW IF EXISTS ${VIEW}`);
      await connection.query(`DROP TABLE IF EXISTS ${TABLE}`);
    }
  }
  if (missing.length > 0) {
    const all = TRIALS.map(([right]) => right).join(', ');
    return [
      fault(
        'grants_missing',
        `${user} may not ${missing.join(', ')} in ${database}${missing.includes('DROP') || missing.includes('CREATE') ? ' (the others could not be tried)' : ''}`,
        `GRANT ${all}, SHOW VIEW, REFERENCES ON ${escapeId(database)}.* TO ${user}`,
      ),
    ];
  }
  if (text !== TEXT) {
    return [
      fault('charset_spoils_text', `text comes back as ${String(text)}`, 'use utf8mb4 all the way to the server'),
    ];
  }
  return [ok(`${user} has every right that is needed in ${database}`)];
}
