import path from 'node:path';
import { RelayError } from '../../shared/errors.ts';
import type { Logger } from './logger.ts';
import { openFile } from './sqlite-file.ts';

const LOCK_FILE = 'gateway.lock';
/** Releases overlap: the gateway before this one drains for some seconds. */
const WAIT_MS = 30_000;
const RETRY_MS = 250;

/** The data folder is this process's own until `close`. */
export interface DataDirLock {
  close(): Promise<void>;
}

/**
 * Locks the data folder against other gateways, by a transaction that is left open: the operating system ends it with the
 * process, however that ends. Rejects with RelayError `data_dir_in_use` where another has it for all of `waitMs` or
 * `signal` is aborted, with `spool_failed` where the folder cannot be written.
 */
export async function lockDataDir(
  dataDir: string,
  options: { readonly logger: Logger; readonly signal?: AbortSignal; readonly waitMs?: number },
): Promise<DataDirLock> {
  const { logger, signal, waitMs = WAIT_MS } = options;
  const connection = await openFile(path.join(dataDir, LOCK_FILE), 'PRAGMA busy_timeout = 0;');
  const untilMs = performance.now() + waitMs;
  for (let attempt = 1; ; attempt += 1) {
    try {
      await connection.exec('BEGIN IMMEDIATE');
      return {
        async close() {
          connection.close();
        },
      };
    } catch (cause) {
      if (signal?.aborted === true || performance.now() >= untilMs) {
        connection.close();
        throw new RelayError('data_dir_in_use', `another gateway works on DATA_DIR (${dataDir})`, {
          hint: 'stop that gateway, or give this one a folder of its own',
          cause,
        });
      }
      if (attempt === 1) logger.warn({ code: 'data_dir_in_use' }, 'waiting for another gateway to leave DATA_DIR');
      await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
    }
  }
}
