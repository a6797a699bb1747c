import type { RowDataPacket } from 'mysql2/promise';
import { createConnections } from '../store/mysql/connections.ts';
import { isPassing, isSchemaChange, storeError } from '../store/mysql/errors.ts';
import { parseMysqlUrl } from '../store/mysql/url.ts';
import type { Directory, ReportDatabase } from './database.ts';

/** Longest that one query of a report may take, ms. */
const QUERY_MS = 30_000;
/** A connection that is not used for this long is closed, ms: a quiet gateway keeps none. */
const IDLE_MS = 10_000;
const ATTEMPTS = 3;

const COLUMNS = `SELECT table_name AS table_name, column_name AS column_name FROM information_schema.columns
  WHERE table_schema = DATABASE() AND table_name IN ('users', 'modules', 'module_sections')`;

function directoryOf(rows: readonly RowDataPacket[]): Directory {
  const columns = new Set(rows.map((row) => `${row.table_name}.${row.column_name}`.toLowerCase()));
  const has = (table: string, ...names: string[]) => ['id', ...names].every((name) => columns.has(`${table}.${name}`));
  return {
    users: has('users', 'first_name', 'last_name'),
    classes: has('users', 'section'),
    modules: has('modules', 'title'),
    sectionTitle: has('module_sections', 'subtitle') ? 'subtitle' : has('module_sections', 'title') ? 'title' : null,
  };
}

/**
 * Reports from MySQL or MariaDB, over connections of their own: a heavy report does not hold up deliveries.
 * `prepare` brings the schema up to date and is called before the first use. Throws RelayError `mysql_url_invalid`.
 */
export function openMysqlReports(options: {
  readonly url: string;
  readonly prepare: () => Promise<void>;
}): ReportDatabase {
  const connections = createConnections(parseMysqlUrl(options.url), IDLE_MS);
  let prepared: Promise<void> | null = null;
  let directory: Promise<Directory> | null = null;

  async function query(sql: string, values: readonly (string | number)[]): Promise<readonly RowDataPacket[]> {
    prepared ??= options.prepare();
    await prepared.catch((error: unknown) => {
      prepared = null;
      throw error;
    });
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await connections.use(QUERY_MS, async (connection) => {
          const [rows] = await connection.query<RowDataPacket[]>(sql, [...values]);
          return rows;
        });
      } catch (error) {
        // The platform changed its tables: look again what there is.
        if (isSchemaChange(error)) directory = null;
        if (attempt === ATTEMPTS || !isPassing(error)) throw storeError(error);
      }
    }
  }

  return {
    kind: 'mysql',
    div: 'DIV',
    directory() {
      directory ??= query(COLUMNS, []).then(directoryOf);
      return directory.catch((error: unknown) => {
        directory = null;
        throw error;
      });
    },
    rows: query,
    close: () => connections.close(),
  };
}
