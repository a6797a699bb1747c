import path from 'node:path';
import { describeError, RelayError } from '../../shared/errors.ts';
import type { Logger } from '../lib/logger.ts';
import type { MetricsStore } from './port.ts';

/** File of the embedded store in the data folder. */
export const STORE_FILE = 'gaze-relay.db';

/**
 * Opens the configured store and brings its schema up to date: MySQL with a URL, else the embedded
 * file in `dataDir`. A MySQL that is out of reach is logged (`store_unreachable`) and tried again by
 * the first use; meanwhile windows wait in the spool. Throws RelayError `mysql_url_invalid`, `data_dir_unusable`
 * or `migrations_missing`.
 */
export async function openStore(
  config: { readonly mysqlUrl: string | null; readonly dataDir: string },
  logger: Logger,
): Promise<MetricsStore> {
  const store = await loadStore(config, logger);
  try {
    await store.migrate();
  } catch (error) {
    if (!(error instanceof RelayError) || error.code !== 'store_unreachable' || store.kind === 'libsql') {
      await store.close();
      throw error;
    }
    logger.warn({ code: error.code, error: describeError(error) }, 'the store is out of reach; metrics wait');
  }
  return store;
}

/** Only the driver that is used is loaded: the other would take longer than everything else at the start. */
async function loadStore(
  { mysqlUrl, dataDir }: { readonly mysqlUrl: string | null; readonly dataDir: string },
  logger: Logger,
): Promise<MetricsStore> {
  if (mysqlUrl !== null) {
    const { createMysqlStore } = await import('./mysql/store.ts');
    return createMysqlStore({ url: mysqlUrl, logger });
  }
  const { createLibsqlStore } = await import('./libsql/store.ts');
  return createLibsqlStore({ path: path.join(dataDir, STORE_FILE), logger });
}
