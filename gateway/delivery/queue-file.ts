import { openSoundFile } from '../lib/damaged-file.ts';
import type { Logger } from '../lib/logger.ts';
import { type Connection, fileError, numberOf, numberOrNull, textOf, transaction } from '../lib/sqlite-file.ts';
import type { Outcome } from './deliver.ts';
import { checksumOf, type QueueRow } from './queue-row.ts';

const SCHEMA = `
  PRAGMA synchronous = FULL;
  PRAGMA fullfsync = ON;
  CREATE TABLE IF NOT EXISTS spool_windows (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    session_id TEXT NOT NULL,
    body TEXT NOT NULL,
    appended_at_ms INTEGER NOT NULL,
    status TEXT NOT NULL DEFAULT 'waiting' CHECK (status IN ('waiting', 'set_aside')),
    error TEXT,
    is_with_php INTEGER NOT NULL DEFAULT 0,
    published_seq INTEGER,
    published_at_ms INTEGER,
    is_repeated INTEGER NOT NULL DEFAULT 0,
    body_crc32 INTEGER
  );
  CREATE INDEX IF NOT EXISTS spool_windows_status ON spool_windows (status, id);
  CREATE INDEX IF NOT EXISTS spool_windows_session ON spool_windows (session_id, id);
`;
/** The column's name is older than the idea that a second way need not be PHP. */
const MOVED = 'is_with_php';

export interface QueueStats {
  readonly waiting: number;
  readonly setAside: number;
  /** When the first waiting entry was appended, UTC ms; null if none waits. */
  readonly oldestAppendedAtMs: number | null;
}

/** The queue's file. The caller makes sure that there is one call at a time. Everything that writes rejects with `spool_failed`. */
export interface QueueFile {
  readonly connection: Connection;
  /** Resolves when the entries are on the disk, all or none. */
  append(
    entries: readonly { readonly sessionId: string; readonly body: string }[],
    appendedAtMs: number,
  ): Promise<void>;
  /** The first waiting entries, in the order they were appended. */
  waiting(limit: number): Promise<QueueRow[]>;
  waitingOfSession(sessionId: string): Promise<QueueRow[]>;
  waitingOfStudent(userId: number): Promise<QueueRow[]>;
  setAside(): Promise<(QueueRow & { readonly error: string })[]>;
  /** Deletes a student's entries that were set aside. */
  forgetStudent(userId: number): Promise<void>;
  /** Writes an outcome, and runs `changes` in the same transaction. Resolves with the number of entries that were there. */
  resolve(outcome: Outcome, changes: () => void): Promise<{ readonly removed: number; readonly putAside: number }>;
  /** Marks entries as moved to the second way, and runs `changes` in the same transaction. */
  markMoved(ids: readonly number[], changes: () => void): Promise<void>;
  /** Waiting entries behind `afterId` that are not moved yet, in order. */
  notMoved(afterId: number, limit: number): Promise<QueueRow[]>;
  /** Waiting entries that were moved to the second way, in order. */
  moved(limit: number): Promise<QueueRow[]>;
  /** Number of waiting entries that were moved to the second way. */
  countMoved(): Promise<number>;
  /** Waiting entries that are not in the stream and not moved, in order. */
  unpublished(limit: number): Promise<(QueueRow & { readonly isRepeated: boolean })[]>;
  /** Waiting entries that were in the stream when that was last known, before `beforeMs`; those known longest ago first. */
  published(beforeMs: number, limit: number): Promise<(QueueRow & { readonly seq: number })[]>;
  /** Notes where entries are in the stream; `seq` null: not any more, so they are published again. */
  markPublished(entries: readonly { readonly id: number; readonly seq: number | null }[], nowMs: number): Promise<void>;
  /** Marks waiting entries that are not in the stream: an earlier run may have brought them to the store. */
  markRepeated(): Promise<void>;
  /** 0 if there is none. */
  newestId(): Promise<number>;
  /** Counts everything: for the start, not for every delivery. */
  stats(): Promise<QueueStats>;
  /** When the first waiting entry was appended, UTC ms; null if none waits. */
  oldestAppendedAtMs(): Promise<number | null>;
  close(): void;
}

/** Number of rows that a statement has changed. */
const changedBy = (result: unknown): number => numberOf(result, 'changes');

const rowOf = (row: unknown): QueueRow => ({
  id: numberOf(row, 'id'),
  body: textOf(row, 'body'),
  checksum: numberOrNull(row, 'body_crc32'),
  isMoved: numberOf(row, MOVED) === 1,
});

/** Columns that a file of an earlier version lacks. */
const ADDED_COLUMNS = {
  [MOVED]: 'INTEGER NOT NULL DEFAULT 0',
  /** Place in the stream that several gateways share; null: not published, or not any more. */
  published_seq: 'INTEGER',
  /** When it was published, or was last found in the stream, UTC ms. */
  published_at_ms: 'INTEGER',
  is_repeated: 'INTEGER NOT NULL DEFAULT 0',
  body_crc32: 'INTEGER',
};

async function addMissingColumns(connection: Connection): Promise<void> {
  const info = await connection.prepare('PRAGMA table_info(spool_windows)');
  const columns = (await info.all([])).map((row) => textOf(row, 'name'));
  for (const [name, type] of Object.entries(ADDED_COLUMNS)) {
    if (!columns.includes(name)) await connection.exec(`ALTER TABLE spool_windows ADD COLUMN ${name} ${type}`);
  }
}

/**
 * Opens the queue's libsql file, making it and its folder if need be. Every commit is on the disk
 * when it returns (write-ahead log, synchronous FULL). A damaged file is set aside at `nowMs`, UTC. Throws RelayError `spool_failed`.
 */
export async function openQueueFile(file: string, logger: Logger, nowMs: number): Promise<QueueFile> {
  const connection = await openSoundFile(file, SCHEMA, logger, nowMs);
  await addMissingColumns(connection);
  const columns = `SELECT id, body, body_crc32, ${MOVED} FROM spool_windows`;
  // An entry that was set aside may be anything.
  const ofStudent = "json_valid(body) AND json_extract(body, '$.userId') = ?";
  const insert = await connection.prepare(
    'INSERT INTO spool_windows (session_id, body, body_crc32, appended_at_ms) VALUES (?, ?, ?, ?)',
  );
  const remove = await connection.prepare("DELETE FROM spool_windows WHERE id = ? AND status = 'waiting'");
  const putAside = await connection.prepare(
    "UPDATE spool_windows SET status = 'set_aside', error = ? WHERE id = ? AND status = 'waiting'",
  );
  const selectWaiting = await connection.prepare(`${columns} WHERE status = 'waiting' ORDER BY id LIMIT ?`);
  const selectSession = await connection.prepare(`${columns} WHERE session_id = ? AND status = 'waiting' ORDER BY id`);
  const selectStudent = await connection.prepare(`${columns} WHERE status = 'waiting' AND ${ofStudent} ORDER BY id`);
  const selectNotMoved = await connection.prepare(
    `${columns} WHERE status = 'waiting' AND id > ? AND ${MOVED} = 0 ORDER BY id LIMIT ?`,
  );
  const selectAside = await connection.prepare(
    `SELECT id, body, body_crc32, error, ${MOVED} FROM spool_windows WHERE status = 'set_aside' ORDER BY id`,
  );
  const selectMoved = await connection.prepare(
    `${columns} WHERE status = 'waiting' AND ${MOVED} = 1 ORDER BY id LIMIT ?`,
  );
  const countMoved = await connection.prepare(
    `SELECT COUNT(*) AS entries FROM spool_windows WHERE status = 'waiting' AND ${MOVED} = 1`,
  );
  const selectUnpublished = await connection.prepare(
    `SELECT id, body, body_crc32, ${MOVED}, is_repeated FROM spool_windows
     WHERE status = 'waiting' AND published_seq IS NULL AND ${MOVED} = 0 ORDER BY id LIMIT ?`,
  );
  const selectPublished = await connection.prepare(
    `SELECT id, body, body_crc32, ${MOVED}, published_seq FROM spool_windows
     WHERE status = 'waiting' AND published_seq IS NOT NULL AND published_at_ms < ? ORDER BY published_at_ms, id LIMIT ?`,
  );
  const setPublished = await connection.prepare(
    'UPDATE spool_windows SET published_seq = ?, published_at_ms = ? WHERE id = ?',
  );
  const setLost = await connection.prepare(
    'UPDATE spool_windows SET published_seq = NULL, is_repeated = 1 WHERE id = ?',
  );
  const setRepeated = await connection.prepare(
    "UPDATE spool_windows SET is_repeated = 1 WHERE status = 'waiting' AND published_seq IS NULL",
  );
  const mark = await connection.prepare(`UPDATE spool_windows SET ${MOVED} = 1 WHERE id = ?`);
  const removeAside = await connection.prepare(`DELETE FROM spool_windows WHERE status = 'set_aside' AND ${ofStudent}`);
  const selectNewest = await connection.prepare('SELECT COALESCE(MAX(id), 0) AS id FROM spool_windows');
  const selectOldest = await connection.prepare(
    "SELECT appended_at_ms FROM spool_windows WHERE status = 'waiting' ORDER BY id LIMIT 1",
  );
  const countByStatus = await connection.prepare(
    'SELECT status, COUNT(*) AS entries, MIN(appended_at_ms) AS oldest FROM spool_windows GROUP BY status',
  );
  const write = async (work: () => void): Promise<void> => {
    try {
      await transaction(connection, work);
    } catch (error) {
      throw fileError(file, 'write', error);
    }
  };

  return {
    connection,
    append: (entries, appendedAtMs) =>
      write(() => {
        for (const { sessionId, body } of entries) insert.run([sessionId, body, checksumOf(body), appendedAtMs]);
      }),
    async resolve({ deliveredIds, setAside }, changes) {
      let removed = 0;
      let putAsideCount = 0;
      await write(() => {
        changes();
        for (const id of deliveredIds) removed += changedBy(remove.run([id]));
        for (const { id, error } of setAside) putAsideCount += changedBy(putAside.run([error, id]));
      });
      return { removed, putAside: putAsideCount };
    },
    markMoved: (ids, changes) =>
      write(() => {
        for (const id of ids) mark.run([id]);
        changes();
      }),
    forgetStudent: (userId) => write(() => void removeAside.run([userId])),
    waiting: async (limit) => (await selectWaiting.all([limit])).map(rowOf),
    waitingOfSession: async (sessionId) => (await selectSession.all([sessionId])).map(rowOf),
    waitingOfStudent: async (userId) => (await selectStudent.all([userId])).map(rowOf),
    notMoved: async (afterId, limit) => (await selectNotMoved.all([afterId, limit])).map(rowOf),
    moved: async (limit) => (await selectMoved.all([limit])).map(rowOf),
    countMoved: async () => numberOf((await countMoved.all([]))[0], 'entries'),
    unpublished: async (limit) =>
      (await selectUnpublished.all([limit])).map((row) => ({
        ...rowOf(row),
        isRepeated: numberOf(row, 'is_repeated') === 1,
      })),
    published: async (beforeMs, limit) =>
      (await selectPublished.all([beforeMs, limit])).map((row) => ({
        ...rowOf(row),
        seq: numberOf(row, 'published_seq'),
      })),
    markPublished: (entries, nowMs) =>
      write(() => {
        for (const { id, seq } of entries) {
          if (seq === null) setLost.run([id]);
          else setPublished.run([seq, nowMs, id]);
        }
      }),
    markRepeated: () => write(() => void setRepeated.run([])),
    setAside: async () => (await selectAside.all([])).map((row) => ({ ...rowOf(row), error: textOf(row, 'error') })),
    newestId: async () => numberOf((await selectNewest.all([]))[0], 'id'),
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
