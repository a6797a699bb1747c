import type { Connection, RowDataPacket } from 'mysql2/promise';

/** EyeLearn's tables that the gateway writes to or reads names, consent and quiz results from. */
const TABLE_NAMES = [
  'eye_tracking_sessions',
  'eye_tracking_analytics',
  'daily_analytics',
  'user_study_sessions',
  'focus_events',
  'users',
  'modules',
  'module_sections',
  'final_quizzes',
  'quiz_results',
  'retake_results',
  'checkpoint_quiz_results',
] as const;

export interface CatalogColumn {
  /** Such as `int`, in lower case. */
  readonly dataType: string;
  /** Such as `enum('a','b')`. */
  readonly fullType: string;
  /** Such as `utf8mb4`; null where it holds no text. */
  readonly charset: string | null;
  /** False where an INSERT must give a value: not null, without a default, not filled by the database. */
  readonly isOptional: boolean;
}

export interface CatalogTable {
  readonly name: string;
  /** Such as `InnoDB`; null for a view. */
  readonly engine: string | null;
  /** By name in lower case: MySQL does not distinguish the case of columns. */
  readonly columns: ReadonlyMap<string, CatalogColumn>;
}

/** EyeLearn's tables as they are in one database, by name; those that are missing there are not in it. */
export type Tables = ReadonlyMap<string, CatalogTable>;

/** Reads EyeLearn's tables from information_schema with one query. Rejects with mysql2's error. */
export async function readTables(connection: Pick<Connection, 'query'>): Promise<Tables> {
  const [rows] = await connection.query<RowDataPacket[]>(
    `SELECT c.TABLE_NAME AS tableName, t.ENGINE AS engine, c.COLUMN_NAME AS name, c.DATA_TYPE AS dataType,
       c.COLUMN_TYPE AS fullType, c.CHARACTER_SET_NAME AS charset, c.IS_NULLABLE AS nullable, c.COLUMN_DEFAULT AS defaultValue, c.EXTRA AS extra
     FROM information_schema.COLUMNS c JOIN information_schema.TABLES t
       ON t.TABLE_SCHEMA = c.TABLE_SCHEMA AND t.TABLE_NAME = c.TABLE_NAME
     WHERE c.TABLE_SCHEMA = DATABASE() AND t.TABLE_SCHEMA = DATABASE() AND c.TABLE_NAME IN (?)
     ORDER BY c.TABLE_NAME, c.ORDINAL_POSITION`,
    [[...TABLE_NAMES]],
  );
  const tables = new Map<string, CatalogTable & { readonly columns: Map<string, CatalogColumn> }>();
  for (const row of rows) {
    const name = String(row.tableName);
    const engine = row.engine === null ? null : String(row.engine);
    const table = tables.get(name) ?? { name, engine, columns: new Map<string, CatalogColumn>() };
    tables.set(name, table);
    table.columns.set(String(row.name).toLowerCase(), {
      dataType: String(row.dataType).toLowerCase(),
      fullType: String(row.fullType),
      charset: row.charset === null ? null : String(row.charset),
      isOptional:
        row.nullable === 'YES' || row.defaultValue !== null || /auto_increment|generated/i.test(String(row.extra)),
    });
  }
  return tables;
}

/** What is known of EyeLearn's tables, for everybody who asks: read again after each migration and each change of the schema. */
export class Catalog {
  #tables: Tables = new Map();

  /** The tables as they were at the last refresh; none before the first. */
  get tables(): Tables {
    return this.#tables;
  }

  /** Rejects with mysql2's error; what was known stays then. */
  async refresh(connection: Pick<Connection, 'query'>): Promise<Tables> {
    this.#tables = await readTables(connection);
    return this.#tables;
  }

  has(table: string, ...columns: readonly string[]): boolean {
    const known = this.#tables.get(table)?.columns;
    return known !== undefined && columns.every((column) => known.has(column));
  }
}
