import type { PoolConnection, RowDataPacket } from 'mysql2/promise';
import type { Logger } from '../../logger.ts';

/** Name under which relay_settings keeps what the views were last made from. */
const SETTING = 'dimension_views';
const NO_TEXT = 'CAST(NULL AS CHAR(200))';

type Columns = ReadonlyMap<string, ReadonlySet<string>>;

/** EyeLearn's columns that the views name: table and column in lower case. */
async function eyelearnColumns(connection: PoolConnection): Promise<Columns> {
  const [rows] = await connection.query<RowDataPacket[]>(
    `SELECT TABLE_NAME AS tableName, COLUMN_NAME AS columnName FROM information_schema.COLUMNS
     WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME IN ('users', 'modules', 'module_sections')`,
  );
  const columns = new Map<string, Set<string>>();
  for (const { tableName, columnName } of rows) {
    const table = columns.get(String(tableName)) ?? new Set<string>();
    columns.set(String(tableName), table.add(String(columnName)));
  }
  return columns;
}

/** Statements that make the three views for what this database has of EyeLearn's tables. */
export function dimensionViews(columns: Columns): string[] {
  const text = (table: string, column: string) => (columns.get(table)?.has(column) ? column : NO_TEXT);
  const source = (table: string) => (columns.get(table)?.has('id') ? table : 'relay_sessions WHERE 1 = 0');
  const names = ['first_name', 'last_name'].filter((name) => columns.get('users')?.has(name));
  const studentName = names.length === 0 ? NO_TEXT : `TRIM(CONCAT_WS(' ', ${names.join(', ')}))`;
  return [
    `CREATE OR REPLACE VIEW relay_dim_students AS SELECT id AS user_id, ${studentName} AS student_name, ${text('users', 'section')} AS class_name FROM ${source('users')}`,
    `CREATE OR REPLACE VIEW relay_dim_modules AS SELECT id AS module_id, ${text('modules', 'title')} AS module_title FROM ${source('modules')}`,
    `CREATE OR REPLACE VIEW relay_dim_sections AS SELECT id AS section_id, ${text('module_sections', 'subtitle')} AS section_title FROM ${source('module_sections')}`,
  ];
}

/**
 * Points the report views' names of students, classes, modules and lesson sections at EyeLearn's tables, as
 * far as this database has them; without them these columns are null. Touches nothing when nothing has changed.
 * Rejects with mysql2's error.
 */
export async function installDimensions(connection: PoolConnection, logger: Logger): Promise<void> {
  const columns = await eyelearnColumns(connection);
  const statements = dimensionViews(columns);
  const wanted = statements.join(';\n');
  const [[known]] = await connection.query<RowDataPacket[]>('SELECT value FROM relay_settings WHERE name = ?', [
    SETTING,
  ]);
  if (known?.value === wanted) return;
  for (const statement of statements) await connection.query(statement);
  await connection.query(
    'INSERT INTO relay_settings (name, value) VALUES (?, ?) ON DUPLICATE KEY UPDATE value = VALUES(value)',
    [SETTING, wanted],
  );
  logger.info({ tables: [...columns.keys()] }, 'report views take names from these EyeLearn tables');
}
