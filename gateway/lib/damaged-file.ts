import { existsSync } from 'node:fs';
import { copyFile, open, readFile, rename, rm, writeFile } from 'node:fs/promises';
import type { Logger } from './logger.ts';
import {
  type BlockingConnection,
  type Connection,
  connect,
  connectBlocking,
  fileError,
  numberOf,
  openFile,
  textOf,
} from './sqlite-file.ts';
import { damagedFrames } from './write-ahead-log.ts';

/** Reads that may fail while rows are saved: about 12 for each damaged row, so that a broken tree cannot hold up the start. */
const MAX_FAILED_READS = 20_000;
/** Where neither the table nor its counter tells the last id. */
const UNKNOWN_LAST_ID = 2 ** 32;
/** SQLite's default, and what the first page has where (https://www.sqlite.org/fileformat.html, 1.3). */
const PAGE_BYTES = 4096;
const HEADER = {
  writeVersion: 18,
  readVersion: 19,
  changes: 24,
  pages: 28,
  freePages: 32,
  freeCount: 36,
  validFor: 92,
};
const VERSION_WAL = 2;
/** First bytes of a table's pages: within its tree, and with rows. */
const TABLE_PAGES = [0x05, 0x0d];

/** Errors that say that the content of a file is wrong. Others (locked, disk full, no permission) say nothing about it. */
const DAMAGE = /^SQLITE_(CORRUPT|NOTADB|CONSTRAINT)/;
/** What a damaged list of tables says may be no statement at all. */
const UNREADABLE = /^SQLITE_(CORRUPT|NOTADB|CONSTRAINT|ERROR)/;

function hasCode(error: unknown, codes: RegExp): boolean {
  return error instanceof Error && 'code' in error && codes.test(String(error.code));
}

/**
 * True where SQLite finds the file sound, or there is none. Throws `spool_failed` where it cannot be opened.
 *
 * A file that may be moved afterwards has a blocking connection and no prepared statement: these keep a connection alive
 * until they are garbage-collected, and SQLite then deletes the write-ahead log by name, which would be the new file's.
 */
export function isSound(file: string): boolean {
  if (!existsSync(file)) return true;
  let connection: BlockingConnection | null = null;
  try {
    connection = connectBlocking(file);
    connection.exec(`PRAGMA temp_store = MEMORY;
      CREATE TEMP TABLE verdict (line TEXT CHECK (line = 'ok'));
      INSERT INTO verdict SELECT quick_check FROM pragma_quick_check;`);
    return true;
  } catch (error) {
    if (hasCode(error, DAMAGE)) return false;
    throw fileError(file, 'open', error);
  } finally {
    connection?.close();
  }
}

/** Number of frames of the file's write-ahead log that SQLite will not read; 0 if it is sound or there is none. */
export async function damagedLogFrames(file: string): Promise<number> {
  try {
    return damagedFrames(await readFile(`${file}-wal`));
  } catch (error) {
    if (error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ENOTDIR')) return 0;
    throw fileError(`${file}-wal`, 'read', error);
  }
}

/** Copies the rows of a table that can be read, halving the range of ids where a read fails. */
function saveTable(salvage: BlockingConnection, table: string, lastId: number): void {
  const ranges: [number, number][] = [[0, lastId]];
  let failedReads = 0;
  for (let range = ranges.pop(); range !== undefined && failedReads < MAX_FAILED_READS; range = ranges.pop()) {
    const [from, to] = range;
    try {
      salvage.exec(
        `INSERT OR IGNORE INTO main."${table}"
          SELECT * FROM damaged."${table}" NOT INDEXED WHERE rowid BETWEEN ${from} AND ${to}`,
      );
    } catch (error) {
      if (!hasCode(error, UNREADABLE)) throw error;
      failedReads += 1;
      const middle = Math.floor((from + to) / 2);
      if (from < to) ranges.push([middle + 1, to], [from, middle]);
    }
  }
}

/** Makes the file `repaired` of the rows, indexes and views of `file` that can be read. Resolves with their number; null where not even the list of tables can be read. */
async function save(file: string, repaired: string): Promise<number | null> {
  const salvage = connectBlocking(repaired);
  const reader = connect(repaired);
  const damaged = file.replaceAll("'", "''");
  /** Rows of the damaged file, by way of a table of the new one: see `isSound`. Empty where they cannot be read. */
  async function read(query: string): Promise<unknown[]> {
    try {
      salvage.exec(`CREATE TABLE main.reading AS ${query}`);
    } catch (error) {
      if (!hasCode(error, UNREADABLE)) throw error;
      salvage.exec('DROP TABLE IF EXISTS main.reading');
      return [];
    }
    const statement = await reader.prepare('SELECT * FROM reading');
    const rows = await statement.all([]);
    salvage.exec('DROP TABLE main.reading');
    return rows;
  }
  let rows: number | null = null;
  try {
    salvage.exec('PRAGMA journal_mode = DELETE; PRAGMA synchronous = FULL;');
    salvage.exec(`ATTACH '${damaged}' AS damaged`);
    const tables = await read(
      "SELECT name, sql FROM damaged.sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'",
    );
    for (const row of tables) {
      const table = textOf(row, 'name');
      salvage.exec(textOf(row, 'sql'));
      const [last] = [
        ...(await read(`SELECT MAX(rowid) AS id FROM damaged."${table}" HAVING id IS NOT NULL`)),
        ...(await read(`SELECT seq AS id FROM damaged.sqlite_sequence WHERE name = '${table}'`)),
      ];
      saveTable(salvage, table, last === undefined ? UNKNOWN_LAST_ID : numberOf(last, 'id'));
      const count = await reader.prepare(`SELECT COUNT(*) AS n FROM "${table}"`);
      rows = (rows ?? 0) + numberOf((await count.all([]))[0], 'n');
    }
    const others = await read("SELECT sql FROM damaged.sqlite_master WHERE type IN ('index', 'view') AND sql <> ''");
    for (const row of others) salvage.exec(textOf(row, 'sql'));
  } catch (error) {
    if (!hasCode(error, UNREADABLE)) throw error;
  } finally {
    salvage.close();
    reader.close();
  }
  return rows;
}

/**
 * As `save`, for a file whose first page is damaged: with the header and the list of tables of a new file with the same
 * `setup`. Both have the tables of the setup in the same places, for they are made first and in the same order.
 */
async function saveWithNewHeader(file: string, repaired: string, setup: string): Promise<number | null> {
  const [pattern, copy] = [`${file}.pattern`, `${file}.copy`];
  const remove = (names: readonly string[]) => Promise.all(names.map((name) => rm(name, { force: true })));
  const temporary = [pattern, copy].flatMap((name) => ['', '-wal', '-shm', '-journal'].map((part) => name + part));
  await remove(temporary);
  try {
    const made = connectBlocking(pattern);
    made.exec(setup);
    made.close();
    const page = (await readFile(pattern)).subarray(0, PAGE_BYTES);
    await copyFile(file, copy);
    // The log may have a newer first page: SQLite then takes that one.
    if (existsSync(`${file}-wal`)) await copyFile(`${file}-wal`, `${copy}-wal`);
    const handle = await open(copy, 'r+');
    try {
      const { size } = await handle.stat();
      // Without the root of its first table, nothing is found of a whole file of noise, but only after thousands of reads.
      const { buffer } = await handle.read(Buffer.alloc(1), 0, 1, PAGE_BYTES);
      if (!TABLE_PAGES.includes(buffer.readUInt8(0))) return null;
      page.writeUInt8(VERSION_WAL, HEADER.writeVersion);
      page.writeUInt8(VERSION_WAL, HEADER.readVersion);
      page.writeUInt32BE(Math.floor(size / PAGE_BYTES), HEADER.pages);
      page.writeUInt32BE(page.readUInt32BE(HEADER.changes), HEADER.validFor);
      page.writeUInt32BE(0, HEADER.freePages);
      page.writeUInt32BE(0, HEADER.freeCount);
      await handle.write(page, 0, PAGE_BYTES, 0);
    } finally {
      await handle.close();
    }
    await remove([repaired, `${repaired}-journal`]);
    return await save(copy, repaired);
  } finally {
    await remove(temporary);
  }
}

/** The damaged file leaves its name to the repaired one. The log goes too: SQLite would apply it to the new file. */
async function replace(file: string, repaired: string, aside: string): Promise<void> {
  for (const part of ['', '-wal']) if (existsSync(file + part)) await rename(file + part, aside + part);
  await rm(`${file}-shm`, { force: true });
  await rename(repaired, file);
}

/**
 * Sets a damaged file of the data folder aside under a dated name (`isSetAside`); `save` makes the new one, and resolves with the
 * number of rows in it, which the log has as `file_damaged`. A damaged write-ahead log, whose end SQLite passes over, is copied
 * under such a name. The folder has to be this process's own. Throws `spool_failed`.
 */
async function repair(
  file: string,
  save: (repaired: string) => Promise<number>,
  logger: Logger,
  nowMs: number,
): Promise<void> {
  const stamp = `damaged-${new Date(nowMs).toISOString().replace(/[-:]|\.\d+/g, '')}`;
  const aside = `${file}.${stamp}`;
  const repaired = `${file}.repaired`;
  try {
    // A process was killed between the two names.
    if (!existsSync(file) && existsSync(repaired)) await replace(file, repaired, aside);
    const lostFrames = await damagedLogFrames(file);
    if (lostFrames > 0) {
      const copy = `${file}-wal.${stamp}`;
      await copyFile(`${file}-wal`, copy);
      logger.error(
        { code: 'file_damaged', file, setAside: copy, lostFrames },
        'the write-ahead log is damaged: its last changes are lost, a copy of it is kept',
      );
    }
    if (isSound(file)) return;
    for (const part of ['', '-journal']) await rm(repaired + part, { force: true });
    const savedRows = await save(repaired);
    await replace(file, repaired, aside);
    logger.error(
      { code: 'file_damaged', file, setAside: aside, savedRows },
      'the file is damaged and set aside: rows that could be read are saved, others may be lost',
    );
  } catch (error) {
    throw fileError(file, 'repair', error);
  }
}

/** Opens a file of the data folder as `openFile` does, and repairs it before where it is damaged. Throws `spool_failed`. */
export async function openSoundFile(file: string, setup: string, logger: Logger, nowMs: number): Promise<Connection> {
  const saveRows = async (repaired: string) =>
    (await save(file, repaired)) ?? (await saveWithNewHeader(file, repaired, setup)) ?? 0;
  await repair(file, saveRows, logger, nowMs);
  return openFile(file, setup);
}

/**
 * Repairs a file whose tables are made by migrations, where it is damaged. Without the rows of `migrationsTable` it begins anew:
 * the migrations would meet tables that are there already. Throws `spool_failed`.
 */
export function repairMigrated(file: string, migrationsTable: string, logger: Logger, nowMs: number): Promise<void> {
  const saveRows = async (repaired: string) => {
    const rows = await save(file, repaired);
    if (rows !== null && hasRows(repaired, migrationsTable)) return rows;
    await writeFile(repaired, '');
    return 0;
  };
  return repair(file, saveRows, logger, nowMs);
}

function hasRows(file: string, table: string): boolean {
  const connection = connectBlocking(file);
  try {
    return connection.prepare(`SELECT 1 FROM "${table}" LIMIT 1`).all([]).length > 0;
  } catch (error) {
    if (hasCode(error, UNREADABLE)) return false;
    throw error;
  } finally {
    connection.close();
  }
}
