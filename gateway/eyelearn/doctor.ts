import { type Connection, escapeId } from 'mysql2/promise';
import { type Finding, findingsOf } from '../cli/doctor/finding.ts';
import { isDenied } from '../cli/doctor/grants.ts';
import { readTables, type Tables } from './catalog.ts';
import { writtenTables } from './tables.ts';

const { ok, note, warning, fault } = findingsOf('eyelearn');
const TRACKING = 'eye_tracking_sessions';
const SESSION_TYPE = 'viewing';

/** What the store itself will log about the tables when it starts. */
function tableFindings(tables: Tables): Finding[] {
  return writtenTables(tables).problems.map(({ code, table, missing, unknown }) => {
    const detail = [
      ...(missing.length === 0 ? [] : [`missing: ${missing.join(', ')}`]),
      ...(unknown.length === 0 ? [] : [`cannot be filled: ${unknown.join(', ')}`]),
    ].join('; ');
    return code === 'eyelearn_unusable'
      ? fault(
          code,
          `an EyeLearn table lacks columns, or has some that we cannot fill: it is not written to; table ${table}; ${detail}`,
          'add the missing columns, give the others a default or let them be NULL',
        )
      : warning(
          code,
          `an EyeLearn table lacks columns; table ${table}; ${detail}`,
          "add the columns from EyeLearn's own schema to see them filled",
        );
  });
}

function engineFault(tables: Tables): Finding[] {
  const engine = tables.get(TRACKING)?.engine ?? 'a view';
  if (engine.toLowerCase() === 'innodb') return [];
  return [
    fault(
      'eyelearn_engine',
      `${TRACKING} is kept by ${engine}, which has no transactions: time could be counted twice`,
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

function columnFindings(tables: Tables): Finding[] {
  const findings: Finding[] = [];
  const type = tables.get(TRACKING)?.columns.get('session_type')?.fullType;
  if (type?.startsWith('enum(') === true && !type.includes(`'${SESSION_TYPE}'`)) {
    findings.push(
      fault(
        'eyelearn_session_type',
        `${TRACKING}.session_type is ${type}: it cannot take '${SESSION_TYPE}', which the dashboards count`,
        `add '${SESSION_TYPE}' to the enum`,
      ),
    );
  }
  const nameless = ['users', 'modules', 'module_sections'].filter((table) => !tables.has(table));
  if (nameless.length > 0) {
    findings.push(
      warning(
        'eyelearn_names_missing',
        `no ${nameless.join(', ')} in this database: reports show ids in place of names`,
        'point MYSQL_URL at the database that EyeLearn itself uses',
      ),
    );
  }
  if (tables.get('users')?.columns.has('camera_agreement_accepted') === false) {
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

/** EyeLearn's tables in the variant that is in this database. */
export async function examineEyelearn(connection: Connection): Promise<Finding[]> {
  const tables = await readTables(connection);
  if (![TRACKING, 'users', 'modules', 'module_sections'].some((table) => tables.has(table))) {
    return [note('eyelearn_absent', 'none of EyeLearn is here: only relay_ tables are written')];
  }
  if (!tables.has(TRACKING)) {
    return [
      warning(
        'eyelearn_table_missing',
        `${TRACKING} is not here: EyeLearn's dashboards will show nothing new`,
        "create it from EyeLearn's own schema, or point MYSQL_URL at the database that EyeLearn uses",
      ),
      ...columnFindings(tables),
    ];
  }
  const findings = [
    ...tableFindings(tables),
    ...columnFindings(tables),
    ...engineFault(tables),
    ...(await writeFault(connection)),
  ];
  return findings.length > 0 ? findings : [ok("EyeLearn's tables are as they should be")];
}
