import type { RowDataPacket } from 'mysql2/promise';
import { createConnections } from '../store/mysql/connections.ts';
import { isPassing, isSchemaChange, storeError } from '../store/mysql/errors.ts';
import { parseMysqlUrl } from '../store/mysql/url.ts';
import { DIALECTS } from '../store/views/measures.ts';
import type { ReportDatabase } from './database.ts';

/** Longest that one query of a report may take, ms. */
const QUERY_MS = 30_000;
/** A connection that is not used for this long is closed, ms: a quiet gateway keeps none. */
const IDLE_MS = 10_000;
const ATTEMPTS = 3;

/**
 * Reports from MySQL or MariaDB, over connections of their own: a heavy report does not hold up deliveries.
 * `prepare` brings the schema up to date and is called before the first use, and again when the platform's tables have changed. Throws RelayError `mysql_url_invalid`.
 */
export function openMysqlReports(options: {
  readonly url: string;
  readonly prepare: () => Promise<void>;
}): ReportDatabase {
  const connections = createConnections(parseMysqlUrl(options.url), IDLE_MS);
  let prepared: Promise<void> | null = null;

  async function prepare(): Promise<void> {
    prepared ??= options.prepare();
    await prepared.catch((error: unknown) => {
      prepared = null;
      throw error;
    });
  }

  async function query(sql: string, values: readonly (string | number)[]): Promise<readonly RowDataPacket[]> {
    await prepare();
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await connections.use(QUERY_MS, async (connection) => {
          const [rows] = await connection.query<RowDataPacket[]>(sql, [...values]);
          return rows;
        });
      } catch (error) {
        // The platform has changed its tables: the views of its names are made again.
        if (isSchemaChange(error)) prepared = null;
        if (attempt === ATTEMPTS || !isPassing(error)) throw storeError(error);
      }
    }
  }

  return {
    dialect: DIALECTS.mysql,
    rows: query,
    close: () => connections.close(),
  };
}
