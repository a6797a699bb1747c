import { pathToFileURL } from 'node:url';
import { type Client, createClient } from '@libsql/client/sqlite3';
import { retryWhileBusy } from '../store/libsql/busy.ts';
import { DIALECTS } from '../store/views/measures.ts';
import type { ReportDatabase } from './database.ts';

/**
 * Reports from the embedded store's file, over a connection of their own: readers do not hold up its writer.
 * `prepare` brings the schema up to date and is called before the first use.
 */
export function openLibsqlReports(options: {
  readonly path: string;
  readonly prepare: () => Promise<void>;
}): ReportDatabase {
  let client: Client | null = null;
  let prepared: Promise<void> | null = null;

  return {
    dialect: DIALECTS.libsql,
    async rows(sql, values) {
      prepared ??= options.prepare();
      await prepared.catch((error: unknown) => {
        prepared = null;
        throw error;
      });
      return retryWhileBusy(async () => {
        client ??= createClient({ url: pathToFileURL(options.path).href, concurrency: 1, timeout: 0 });
        const { rows } = await client.execute({ sql, args: [...values] });
        return rows.map((row) => ({ ...row }));
      });
    },
    async close() {
      client?.close();
      client = null;
    },
  };
}
