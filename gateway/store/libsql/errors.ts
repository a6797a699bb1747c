import { LibsqlError } from '@libsql/client/sqlite3';
import { describeError, RelayError } from '../../../shared/errors.ts';

/** Codes that speak of the data and not of the file: trying again cannot help. */
const DATA_CODES = /^SQLITE_(CONSTRAINT|MISMATCH|TOOBIG|RANGE)/;
/** Codes that say that the file is no longer a database. */
const DAMAGE_CODES = /^SQLITE_(CORRUPT|NOTADB)/;

function libsqlErrorOf(error: unknown): LibsqlError | null {
  for (let at: unknown = error; at instanceof Error; at = at.cause) {
    if (at instanceof LibsqlError) return at;
  }
  return null;
}

/** True when another connection holds the file. */
export function isBusy(error: unknown): boolean {
  return libsqlErrorOf(error)?.code === 'SQLITE_BUSY';
}

/** The port's error for whatever went wrong: `store_rejected` for data, `store_query_failed` for a statement that the file does not take, else `store_unreachable`. */
export function storeError(error: unknown): RelayError {
  if (error instanceof RelayError) return error;
  const libsqlError = libsqlErrorOf(error);
  const detail = libsqlError?.message ?? describeError(error);
  if (libsqlError !== null && DATA_CODES.test(libsqlError.code)) {
    return new RelayError('store_rejected', `the embedded store refuses this data: ${detail}`, { cause: error });
  }
  // The driver's code for a statement that makes no sense in this file.
  if (libsqlError?.code === 'SQLITE_ERROR') {
    return new RelayError('store_query_failed', `the embedded store refuses a statement: ${detail}`, {
      hint: 'run `doctor`, and report what it says',
      cause: error,
    });
  }
  const isDamaged = libsqlError !== null && DAMAGE_CODES.test(libsqlError.code);
  return new RelayError('store_unreachable', `the embedded store does not answer: ${detail}`, {
    hint: isDamaged
      ? 'its file is damaged: examine the disk and restart the gateway, which sets the file aside and saves what can be read'
      : 'check that the data folder is there, writable and not full, and that one gateway alone uses it',
    cause: error,
  });
}

/** Error for a data folder or file that cannot be made or opened. */
export function dataDirError(file: string, cause: unknown): RelayError {
  return new RelayError('data_dir_unusable', `cannot open ${file}: ${describeError(cause)}`, {
    hint: 'set DATA_DIR to a folder that this user may write to',
    cause,
  });
}
