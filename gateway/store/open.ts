import path from 'node:path';
import { describeError, RelayError } from '../../shared/errors.ts';
import type { Logger } from '../lib/logger.ts';
import type { StoreHooks } from './mysql/hooks.ts';
import type { MetricsStore } from './port.ts';

/** Loads what a school's platform does with the MySQL store, together with its driver. */
export type LoadStoreHooks = () => Promise<StoreHooks>;

/** File of the embedded store in the data folder. */
export const STORE_FILE = 'gaze-relay.db';

/**
 * Opens the configured store and brings its schema up to date: MySQL with a URL, else the embedded
 * file in `dataDir`. A MySQL that cannot be reached, or that refuses our statements, is logged (`store_unreachable`, `store_query_failed`) and tried again by
 * the first use; meanwhile windows wait in the delivery queue. Throws RelayError `mysql_url_invalid`, `data_dir_unusable`
 * or `migrations_missing`.
 */
export async function openStore(
  config: { readonly mysqlUrl: string | null; readonly dataDir: string },
  logger: Logger,
  loadHooks: LoadStoreHooks | null = null,
): Promise<MetricsStore> {
  const store = await loadStore(config, logger, loadHooks);
  try {
    await store.migrate();
  } catch (error) {
    const mayPass =
      error instanceof RelayError &&
      ['store_unreachable', 'store_query_failed'].includes(error.code) &&
      store.kind === 'mysql';
    if (!mayPass) {
      await store.close();
      throw error;
    }
    const isAway = error.code === 'store_unreachable';
    const message = isAway ? 'the store cannot be reached; metrics wait' : 'the store refuses statements; metrics wait';
    logger.warn({ code: error.code, error: describeError(error) }, message);
  }
  return store;
}

/**
 * Sets the embedded store's file aside where it is damaged, and saves what can be read (`file_damaged` in the log). To be called
 * by the process that has the data folder for itself, before `openStore`. Throws RelayError `spool_failed`.
 */
export async function repairStore(dataDir: string, logger: Logger, nowMs: number): Promise<void> {
  const { repairMigrated } = await import('../lib/damaged-file.ts');
  await repairMigrated(path.join(dataDir, STORE_FILE), 'relay_migrations', logger, nowMs);
}

/** A store that each of these methods opens, if need be, before it does its work. */
export function onFirstUse(
  { mysqlUrl }: { readonly mysqlUrl: string | null },
  open: () => Promise<MetricsStore>,
): Pick<MetricsStore, 'kind' | 'execute' | 'migrate' | 'ready'> {
  return {
    kind: mysqlUrl === null ? 'libsql' : 'mysql',
    execute: async (statements) => (await open()).execute(statements),
    migrate: async () => (await open()).migrate(),
    ready: async () => (await open()).ready(),
  };
}

/** The configured store, not opened yet. Only its driver is loaded: the other would take longer than everything else at the start. */
export async function loadStore(
  { mysqlUrl, dataDir }: { readonly mysqlUrl: string | null; readonly dataDir: string },
  logger: Logger,
  loadHooks: LoadStoreHooks | null,
): Promise<MetricsStore> {
  if (mysqlUrl !== null) {
    const [{ createMysqlStore }, hooks] = await Promise.all([import('./mysql/store.ts'), loadHooks?.() ?? null]);
    return createMysqlStore({ url: mysqlUrl, logger, hooks });
  }
  const { createLibsqlStore } = await import('./libsql/store.ts');
  return createLibsqlStore({ path: path.join(dataDir, STORE_FILE), logger });
}
