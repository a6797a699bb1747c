import type { PoolConnection, RowDataPacket } from 'mysql2/promise';
import type { Logger } from '../lib/logger.ts';

/** Name under which relay_settings keeps what the views were last made from. */
const SETTING = 'dimension_views';
const NO_TEXT = 'CAST(NULL AS CHAR(200))';

/** EyeLearn's tables of quiz results: kind of quiz, and the column that names the quiz. */
const QUIZ_TABLES = [
  { kind: 'final', table: 'quiz_results', quiz: 'quiz_id' },
  { kind: 'retake', table: 'retake_results', quiz: 'quiz_id' },
  { kind: 'checkpoint', table: 'checkpoint_quiz_results', quiz: 'checkpoint_quiz_id' },
] as const;

type Columns = ReadonlyMap<string, ReadonlySet<string>>;

/** EyeLearn's columns that the views name: table and column in lower case. */
async function eyelearnColumns(connection: PoolConnection): Promise<Columns> {
  const [rows] = await connection.query<RowDataPacket[]>(
    `SELECT TABLE_NAME AS tableName, COLUMN_NAME AS columnName FROM information_schema.COLUMNS
     WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME IN (?)`,
    [['users', 'modules', 'module_sections', 'final_quizzes', ...QUIZ_TABLES.map(({ table }) => table)]],
  );
  const columns = new Map<string, Set<string>>();
  for (const { tableName, columnName } of rows) {
    const table = columns.get(String(tableName)) ?? new Set<string>();
    columns.set(String(tableName), table.add(String(columnName)));
  }
  return columns;
}

/**
 * The results of one kind of quiz; null where the table is missing or says too little. A retake without its module has the one
 * of its quiz. A DATETIME is in the database's time zone, as PHP's NOW() wrote it.
 */
function quizResults(columns: Columns, { kind, table, quiz }: (typeof QUIZ_TABLES)[number]): string | null {
  const has = (name: string) => columns.get(table)?.has(name) ?? false;
  if (!['id', 'user_id', 'score', 'completion_date', quiz].every(has)) return null;
  const quizzes = columns.get('final_quizzes');
  const isJoined = !has('module_id');
  if (isJoined && !(kind !== 'checkpoint' && quizzes?.has('id') && quizzes.has('module_id'))) return null;
  return `SELECT CAST('${kind}' AS CHAR(16)) AS quiz_kind, t.id AS result_id, t.${quiz} AS quiz_id, t.user_id, ${isJoined ? 'f' : 't'}.module_id,
    CAST(t.score AS DECIMAL(10, 2)) AS score, CAST(${has('percentage') ? 't.percentage' : 'NULL'} AS DECIMAL(5, 2)) AS score_percent,
    CAST(UNIX_TIMESTAMP(t.completion_date) * 1000 AS SIGNED) AS taken_at_ms
    FROM ${table} t${isJoined ? ` JOIN final_quizzes f ON f.id = t.${quiz}` : ''}`;
}

const NO_QUIZZES = `SELECT ${NO_TEXT} AS quiz_kind, id AS result_id, id AS quiz_id, user_id, module_id, CAST(NULL AS DECIMAL(10, 2)) AS score,
  CAST(NULL AS DECIMAL(5, 2)) AS score_percent, started_at_ms AS taken_at_ms FROM relay_sessions WHERE 1 = 0`;

/** Statements that make the four views for what this database has of EyeLearn's tables. */
export function dimensionViews(columns: Columns): string[] {
  const text = (table: string, column: string) => (columns.get(table)?.has(column) ? column : NO_TEXT);
  const source = (table: string) => (columns.get(table)?.has('id') ? table : 'relay_sessions WHERE 1 = 0');
  const names = ['first_name', 'last_name'].filter((name) => columns.get('users')?.has(name));
  const studentName = names.length === 0 ? NO_TEXT : `TRIM(CONCAT_WS(' ', ${names.join(', ')}))`;
  const quizzes = QUIZ_TABLES.flatMap((table) => quizResults(columns, table) ?? []);
  return [
    `CREATE OR REPLACE VIEW relay_dim_students AS SELECT id AS user_id, ${studentName} AS student_name, ${text('users', 'section')} AS class_name FROM ${source('users')}`,
    `CREATE OR REPLACE VIEW relay_dim_modules AS SELECT id AS module_id, ${text('modules', 'title')} AS module_title FROM ${source('modules')}`,
    `CREATE OR REPLACE VIEW relay_dim_sections AS SELECT id AS section_id, ${text('module_sections', 'subtitle')} AS section_title FROM ${source('module_sections')}`,
    `CREATE OR REPLACE VIEW relay_dim_quizzes AS ${quizzes.length === 0 ? NO_QUIZZES : quizzes.join(' UNION ALL ')}`,
  ];
}

/**
 * Points the report views' names of students, classes, modules and lesson sections, and its quiz results, at EyeLearn's tables,
 * as far as this database has them; without them these columns are null and there are no results. Touches nothing when nothing has changed.
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
