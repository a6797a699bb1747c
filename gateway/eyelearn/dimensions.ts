import type { PoolConnection, RowDataPacket } from 'mysql2/promise';
import type { Logger } from '../lib/logger.ts';
import type { Catalog } from './catalog.ts';

/** Name under which relay_settings keeps what the views were last made from. */
const SETTING = 'dimension_views';
type Known = Pick<Catalog, 'has' | 'tables'>;

/** One that MySQL 8 and 9 and MariaDB all have; letters compare without regard to case and accents. */
const COLLATION = 'utf8mb4_unicode_ci';

/** EyeLearn's text in one collation, whatever each column has: else it cannot be put together, nor compared with every letter. */
const inOneCollation = (column: string) => `CONVERT(${column} USING utf8mb4) COLLATE ${COLLATION}`;

const NO_TEXT = 'CAST(NULL AS CHAR(200))';

/** EyeLearn's tables of quiz results: kind of quiz, and the column that names the quiz. */
const QUIZ_TABLES = [
  { kind: 'final', table: 'quiz_results', quiz: 'quiz_id' },
  { kind: 'retake', table: 'retake_results', quiz: 'quiz_id' },
  { kind: 'checkpoint', table: 'checkpoint_quiz_results', quiz: 'checkpoint_quiz_id' },
] as const;

/**
 * The results of one kind of quiz; null where the table is missing or says too little. A retake without its module has the one
 * of its quiz. A DATETIME is in the database's time zone, as PHP's NOW() wrote it.
 */
function quizResults(catalog: Known, { kind, table, quiz }: (typeof QUIZ_TABLES)[number]): string | null {
  const has = (...names: string[]) => catalog.has(table, ...names);
  if (!has('id', 'user_id', 'score', 'completion_date', quiz)) return null;
  const isJoined = !has('module_id');
  if (isJoined && (kind === 'checkpoint' || !catalog.has('final_quizzes', 'id', 'module_id'))) return null;
  return `SELECT CAST('${kind}' AS CHAR(16)) AS quiz_kind, t.id AS result_id, t.${quiz} AS quiz_id, t.user_id, ${isJoined ? 'f' : 't'}.module_id,
    CAST(t.score AS DECIMAL(10, 2)) AS score, CAST(${has('percentage') ? 't.percentage' : 'NULL'} AS DECIMAL(5, 2)) AS score_percent,
    CAST(UNIX_TIMESTAMP(t.completion_date) * 1000 AS SIGNED) AS taken_at_ms
    FROM ${table} t${isJoined ? ` JOIN final_quizzes f ON f.id = t.${quiz}` : ''}`;
}

const NO_QUIZZES = `SELECT ${NO_TEXT} AS quiz_kind, id AS result_id, id AS quiz_id, user_id, module_id, CAST(NULL AS DECIMAL(10, 2)) AS score,
  CAST(NULL AS DECIMAL(5, 2)) AS score_percent, started_at_ms AS taken_at_ms FROM relay_sessions WHERE 1 = 0`;

/** Statements that make the four views for what this database has of EyeLearn's tables. */
export function dimensionViews(catalog: Known): string[] {
  const hasId = (table: string) => catalog.has(table, 'id');
  const text = (table: string, column: string) => {
    if (!hasId(table) || !catalog.has(table, column)) return NO_TEXT;
    // As it is where it compares with any text, so that an index on it is of use.
    return catalog.tables.get(table)?.columns.get(column)?.charset === 'utf8mb4' ? column : inOneCollation(column);
  };
  const source = (table: string) => (hasId(table) ? table : 'relay_sessions WHERE 1 = 0');
  const names = ['first_name', 'last_name'].filter((name) => hasId('users') && catalog.has('users', name));
  const studentName = names.length === 0 ? NO_TEXT : `TRIM(CONCAT_WS(' ', ${names.map(inOneCollation).join(', ')}))`;
  const quizzes = QUIZ_TABLES.flatMap((table) => quizResults(catalog, table) ?? []);
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
export async function installDimensions(connection: PoolConnection, catalog: Catalog, logger: Logger): Promise<void> {
  const statements = dimensionViews(catalog);
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
  logger.info({ tables: [...catalog.tables.keys()] }, 'report views take names from these EyeLearn tables');
}
