import { mkdirSync } from 'node:fs';
import path from 'node:path';
import Database from 'libsql/promise';
import { describeError, RelayError } from '../../shared/errors.ts';
import { openPhpTables, PHP_SCHEMA, type PhpTables, type PhpTime } from '../eyelearn/php/outbox-tables.ts';
import { type Connection, numberOf, textOf, transaction } from '../lib/sqlite-file.ts';

/** Another process may hold the file for this long before a write fails. */
const BUSY_TIMEOUT_MS = 5000;

const SCHEMA = `
  CREATE TABLE IF NOT EXISTS spool_windows (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    session_id TEXT NOT NULL,
    body TEXT NOT NULL,
    appended_at_ms INTEGER NOT NULL,
    status TEXT NOT NULL DEFAULT 'waiting' CHECK (status IN ('waiting', 'set_aside')),
    error TEXT,
    is_with_php INTEGER NOT NULL DEFAULT 0
  );
  CREATE INDEX IF NOT EXISTS spool_windows_status ON spool_windows (status, id);
  CREATE INDEX IF NOT EXISTS spool_windows_session ON spool_windows (session_id, id);
`;

/** One entry of the spool: a window as JSON text. */
export interface SpoolRow {
  readonly id: number;
  readonly body: string;
  /** Its time has been handed over to the PHP endpoint. */
  readonly isWithPhp: boolean;
}

/** What happened to entries that were tried. */
export interface SpoolOutcome {
  /** Stored: these entries go. */
  readonly deliveredIds: readonly number[];
  /** Never to be taken by the store: these stay, out of the way, with the reason. */
  readonly setAside: readonly { readonly id: number; readonly error: string }[];
}

/** What an outcome means for the time that goes through PHP. */
export interface PhpChange {
  /** Time of windows that leave the spool for PHP, which has to store it from now on. */
  readonly added: readonly PhpTime[];
  /** Time of windows that were with PHP and are settled otherwise, with what PHP has stored of it. */
  readonly removed: readonly (PhpTime & { readonly sentFocusedMs: number; readonly sentUnfocusedMs: number })[];
}

export interface SpoolStats {
  readonly waiting: number;
  readonly setAside: number;
  /** When the first waiting entry was appended, UTC ms; null if none waits. */
  readonly oldestAppendedAtMs: number | null;
}

/** The spool's file. One call at a time: the caller sees to that. */
export interface SpoolFile {
  /** Resolves when the entries are on the disk, all or none. */
  append(
    entries: readonly { readonly sessionId: string; readonly body: string }[],
    appendedAtMs: number,
  ): Promise<void>;
  /** The first waiting entries, in the order they were appended. */
  waiting(limit: number): Promise<SpoolRow[]>;
  waitingOf(sessionId: string): Promise<SpoolRow[]>;
  setAside(): Promise<(SpoolRow & { readonly error: string })[]>;
  /** Number of a student's waiting windows. */
  waitingOfStudent(userId: number): Promise<number>;
  /** Deletes what is kept of a student besides waiting windows: those set aside, and posts that PHP has stored. */
  forgetStudent(userId: number): Promise<void>;
  resolve(outcome: SpoolOutcome, php?: PhpChange): Promise<void>;
  /** Marks windows as handed over to PHP and adds their time there. */
  handOver(entries: readonly { readonly id: number; readonly time: PhpTime }[]): Promise<void>;
  /** Waiting windows that are not with PHP. */
  notWithPhp(): Promise<SpoolRow[]>;
  /** Accounts and posts of the PHP endpoint, in the same file. */
  readonly php: PhpTables;
  /** Counts everything: for the start, not for every delivery. */
  stats(): Promise<SpoolStats>;
  /** When the first waiting entry was appended, UTC ms; null if none waits. */
  oldestAppendedAtMs(): Promise<number | null>;
  close(): void;
}

function spoolError(action: string, cause: unknown): RelayError {
  return new RelayError('spool_failed', `the spool cannot ${action}: ${describeError(cause)}`, {
    hint: 'check that the data folder is there, writable and not full',
    cause,
  });
}

const spoolRow = (row: unknown): SpoolRow => ({
  id: numberOf(row, 'id'),
  body: textOf(row, 'body'),
  isWithPhp: numberOf(row, 'is_with_php') === 1,
});

/** A file of an earlier version lacks the mark of windows that are with PHP. */
async function addMissingColumn(connection: Connection): Promise<void> {
  const info = await connection.prepare('PRAGMA table_info(spool_windows)');
  const columns = (await info.all([])).map((row) => textOf(row, 'name'));
  if (columns.includes('is_with_php')) return;
  await connection.exec('ALTER TABLE spool_windows ADD COLUMN is_with_php INTEGER NOT NULL DEFAULT 0');
}

/**
 * Opens the spool's libsql file, making it and its folder if need be. Every commit is on the disk
 * when it returns (write-ahead log, synchronous FULL). Throws RelayError `spool_failed`.
 */
export async function openSpoolFile(file: string): Promise<SpoolFile> {
  let connection: Connection;
  try {
    mkdirSync(path.dirname(file), { recursive: true, mode: 0o700 });
    connection = new Database(file, { timeout: BUSY_TIMEOUT_MS }) as unknown as Connection;
    await connection.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA fullfsync = ON;');
    await connection.exec(SCHEMA + PHP_SCHEMA);
    await addMissingColumn(connection);
  } catch (error) {
    throw spoolError(`open ${file}`, error);
  }
  const insert = await connection.prepare(
    'INSERT INTO spool_windows (session_id, body, appended_at_ms) VALUES (?, ?, ?)',
  );
  const remove = await connection.prepare('DELETE FROM spool_windows WHERE id = ?');
  const putAside = await connection.prepare(
    "UPDATE spool_windows SET status = 'set_aside', error = ? WHERE id = ? AND status = 'waiting'",
  );
  const selectWaiting = await connection.prepare(
    "SELECT id, body, is_with_php FROM spool_windows WHERE status = 'waiting' ORDER BY id LIMIT ?",
  );
  const selectSession = await connection.prepare(
    "SELECT id, body, is_with_php FROM spool_windows WHERE session_id = ? AND status = 'waiting' ORDER BY id",
  );
  const selectAside = await connection.prepare(
    "SELECT id, body, error, is_with_php FROM spool_windows WHERE status = 'set_aside' ORDER BY id",
  );
  const selectNotWithPhp = await connection.prepare(
    "SELECT id, body, is_with_php FROM spool_windows WHERE status = 'waiting' AND is_with_php = 0 ORDER BY id",
  );
  const markWithPhp = await connection.prepare('UPDATE spool_windows SET is_with_php = 1 WHERE id = ?');
  // An entry that was set aside may be anything.
  const ofStudent = "json_valid(body) AND json_extract(body, '$.userId') = ?";
  const countOfStudent = await connection.prepare(
    `SELECT COUNT(*) AS n FROM spool_windows WHERE status = 'waiting' AND ${ofStudent}`,
  );
  const removeAside = await connection.prepare(`DELETE FROM spool_windows WHERE status = 'set_aside' AND ${ofStudent}`);
  const removePosts = await connection.prepare("DELETE FROM php_posts WHERE status = 'stored' AND user_id = ?");
  const php = await openPhpTables(connection);
  const selectOldest = await connection.prepare(
    "SELECT appended_at_ms FROM spool_windows WHERE status = 'waiting' ORDER BY id LIMIT 1",
  );
  const countByStatus = await connection.prepare(
    'SELECT status, COUNT(*) AS entries, MIN(appended_at_ms) AS oldest FROM spool_windows GROUP BY status',
  );

  return {
    async append(entries, appendedAtMs) {
      try {
        await transaction(connection, () => {
          for (const { sessionId, body } of entries) insert.run([sessionId, body, appendedAtMs]);
        });
      } catch (error) {
        throw spoolError('take a window', error);
      }
    },
    async resolve({ deliveredIds, setAside }, change) {
      try {
        await transaction(connection, () => {
          for (const time of change?.added ?? []) php.add(time);
          for (const time of change?.removed ?? []) php.remove(time);
          for (const id of deliveredIds) remove.run([id]);
          for (const { id, error } of setAside) putAside.run([error, id]);
        });
      } catch (error) {
        throw spoolError('let go of a delivered window', error);
      }
    },
    async handOver(entries) {
      try {
        await transaction(connection, () => {
          for (const { id, time } of entries) {
            markWithPhp.run([id]);
            php.add(time);
          }
        });
      } catch (error) {
        throw spoolError('hand windows over to PHP', error);
      }
    },
    notWithPhp: async () => (await selectNotWithPhp.all([])).map(spoolRow),
    php: php.tables,
    waiting: async (limit) => (await selectWaiting.all([limit])).map(spoolRow),
    waitingOf: async (sessionId) => (await selectSession.all([sessionId])).map(spoolRow),
    setAside: async () => (await selectAside.all([])).map((row) => ({ ...spoolRow(row), error: textOf(row, 'error') })),
    async waitingOfStudent(userId) {
      const [row] = await countOfStudent.all([userId]);
      return numberOf(row, 'n');
    },
    async forgetStudent(userId) {
      try {
        await transaction(connection, () => {
          removeAside.run([userId]);
          removePosts.run([userId]);
        });
      } catch (error) {
        throw spoolError('forget a student', error);
      }
    },
    async stats() {
      const rows = await countByStatus.all([]);
      const waiting = rows.find((row) => textOf(row, 'status') === 'waiting');
      const aside = rows.find((row) => textOf(row, 'status') === 'set_aside');
      return {
        waiting: waiting === undefined ? 0 : numberOf(waiting, 'entries'),
        setAside: aside === undefined ? 0 : numberOf(aside, 'entries'),
        oldestAppendedAtMs: waiting === undefined ? null : numberOf(waiting, 'oldest'),
      };
    },
    async oldestAppendedAtMs() {
      const [row] = await selectOldest.all([]);
      return row === undefined ? null : numberOf(row, 'appended_at_ms');
    },
    close: () => connection.close(),
  };
}
