import type { MySql2Database } from 'drizzle-orm/mysql2';
import { type Connection, escapeId, type RowDataPacket } from 'mysql2/promise';
import { type Finding, findingsOf } from '../cli/doctor/finding.ts';
import { isDenied } from '../cli/doctor/grants.ts';
import type { Logger } from '../lib/logger.ts';
import { inspectEyelearn } from './tables.ts';

const { ok, note, warning, fault } = findingsOf('eyelearn');
const TRACKING = 'eye_tracking_sessions';
const SESSION_TYPE = 'viewing';

interface Column {
  readonly table: string;
  readonly column: string;
  readonly type: string;
}

async function columnsOf(connection: Connection): Promise<Column[]> {
  const [rows] = await connection.query<RowDataPacket[]>(
    `SELECT TABLE_NAME AS tableName, COLUMN_NAME AS columnName, COLUMN_TYPE AS columnType FROM information_schema.COLUMNS
     WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME IN ('${TRACKING}', 'users', 'modules', 'module_sections')`,
  );
  return rows.map(({ tableName, columnName, columnType }) => ({
    table: String(tableName),
    column: String(columnName),
    type: String(columnType),
  }));
}

/** What the store itself will say of the tables when it starts, as findings. */
async function storeView(db: MySql2Database): Promise<Finding[]> {
  const findings: Finding[] = [];
  const describe = (fields: unknown, message: unknown): string => {
    const { table, missing, unknown } = fields as { table?: string; missing?: string[]; unknown?: string[] };
    const parts = [
      String(message ?? ''),
      `table ${table ?? '?'}`,
      ...(missing === undefined || missing.length === 0 ? [] : [`missing: ${missing.join(', ')}`]),
      ...(unknown === undefined || unknown.length === 0 ? [] : [`cannot be filled: ${unknown.join(', ')}`]),
    ];
    return parts.join('; ');
  };
  const codeOf = (fields: unknown): string => (fields as { code?: string }).code ?? 'eyelearn_differs';
  const logger = {
    debug: () => {},
    info: () => {},
    warn: (fields: unknown, message: unknown) =>
      findings.push(
        warning(
          codeOf(fields),
          describe(fields, message),
          "add the columns from EyeLearn's own schema to see them filled",
        ),
      ),
    error: (fields: unknown, message: unknown) =>
      findings.push(
        fault(
          codeOf(fields),
          describe(fields, message),
          'add the missing columns, give the others a default or let them be NULL',
        ),
      ),
  } as unknown as Logger;
  await inspectEyelearn(db, logger);
  return findings;
}

async function engineFault(connection: Connection): Promise<Finding[]> {
  const [[row]] = await connection.query<RowDataPacket[]>(
    `SELECT ENGINE AS engine FROM information_schema.TABLES WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME = '${TRACKING}'`,
  );
  if (row === undefined || String(row.engine).toLowerCase() === 'innodb') return [];
  return [
    fault(
      'eyelearn_engine',
      `${TRACKING} is kept by ${row.engine}, which has no transactions: time could be counted twice`,
      `ALTER TABLE ${TRACKING} ENGINE=InnoDB`,
    ),
  ];
}

/** Statements that change no row, to see whether the user may. */
async function writeFault(connection: Connection): Promise<Finding[]> {
  const table = escapeId(TRACKING);
  const trials = [
    `INSERT INTO ${table} (user_id, module_id) SELECT 1, 1 FROM DUAL WHERE 1 = 0`,
    `UPDATE ${table} SET total_time_seconds = total_time_seconds WHERE 1 = 0`,
    `SELECT 1 FROM ${table} WHERE 1 = 0 FOR UPDATE`,
  ];
  for (const trial of trials) {
    try {
      await connection.query(trial);
    } catch (error) {
      // Columns of theirs without a default are filled when a row is written.
      if (!isDenied(error)) continue;
      const detail = error instanceof Error ? error.message : String(error);
      return [
        fault(
          'eyelearn_denied',
          `${TRACKING} cannot be written: ${detail}`,
          `GRANT SELECT, INSERT, UPDATE ON ${table} to this user`,
        ),
      ];
    }
  }
  return [];
}

function columnFindings(columns: readonly Column[]): Finding[] {
  const has = (table: string, column?: string) =>
    columns.some((known) => known.table === table && (column === undefined || known.column === column));
  const findings: Finding[] = [];
  const type = columns.find(({ table, column }) => table === TRACKING && column === 'session_type')?.type;
  if (type?.startsWith('enum(') === true && !type.includes(`'${SESSION_TYPE}'`)) {
    findings.push(
      fault(
        'eyelearn_session_type',
        `${TRACKING}.session_type is ${type}: it cannot take '${SESSION_TYPE}', which the dashboards count`,
        `add '${SESSION_TYPE}' to the enum`,
      ),
    );
  }
  const nameless = ['users', 'modules', 'module_sections'].filter((table) => !has(table));
  if (nameless.length > 0) {
    findings.push(
      warning(
        'eyelearn_names_missing',
        `no ${nameless.join(', ')} in this database: reports show ids in place of names`,
        'point MYSQL_URL at the database that EyeLearn itself uses',
      ),
    );
  }
  if (has('users') && !has('users', 'camera_agreement_accepted')) {
    findings.push(
      warning(
        'eyelearn_agreement_missing',
        'users has no camera_agreement_accepted: PHP cannot tell who agreed to the camera, and mints no ticket',
        'ALTER TABLE users ADD camera_agreement_accepted TINYINT NOT NULL DEFAULT 0, ADD camera_agreement_date DATETIME NULL',
      ),
    );
  }
  return findings;
}

/** EyeLearn's tables in the variant that is here. */
export async function examineEyelearn(connection: Connection, db: MySql2Database): Promise<Finding[]> {
  const columns = await columnsOf(connection);
  if (columns.length === 0)
    return [note('eyelearn_absent', 'none of EyeLearn is here: only relay_ tables are written')];
  if (!columns.some(({ table }) => table === TRACKING)) {
    return [
      warning(
        'eyelearn_table_missing',
        `${TRACKING} is not here: EyeLearn's dashboards will show nothing new`,
        "create it from EyeLearn's own schema, or point MYSQL_URL at the database that EyeLearn uses",
      ),
      ...columnFindings(columns),
    ];
  }
  const findings = [
    ...(await storeView(db)),
    ...columnFindings(columns),
    ...(await engineFault(connection)),
    ...(await writeFault(connection)),
  ];
  return findings.length > 0 ? findings : [ok("EyeLearn's tables are as they should be")];
}
