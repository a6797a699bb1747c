import { existsSync } from 'node:fs';
import { readdir, rm, stat } from 'node:fs/promises';
import path from 'node:path';
import type { Connection } from '../lib/sqlite-file.ts';

/** Loaded when first needed: the port opens before it is. */
const sqliteFile = () => import('../lib/sqlite-file.ts');

const QUEUE = 'spool.db';
/** An entry that was set aside may be anything. */
const IN_BODY = (userId: number) => `json_valid(body) AND json_extract(body, '$.userId') = ${userId}`;
const BY_COLUMN = (userId: number) => `user_id = ${userId}`;

interface Place {
  readonly file: string;
  readonly table: string;
  /** Rows of a student. */
  readonly of: (userId: number) => string;
  /** Rows from before a moment that nothing else will take away; null where the delivery does. */
  readonly olderThan: ((beforeMs: number) => string) | null;
  /** Rows that are in the store before a student's data is deleted there, where a gateway runs. */
  readonly isDelivered: boolean;
}

/** Everything that the gateway keeps of students in DATA_DIR, beside the embedded store. */
const PLACES: readonly Place[] = [
  {
    file: QUEUE,
    table: 'spool_windows',
    of: (userId) => `status = 'waiting' AND ${IN_BODY(userId)}`,
    olderThan: null,
    isDelivered: true,
  },
  {
    file: QUEUE,
    table: 'spool_windows',
    of: (userId) => `status = 'set_aside' AND ${IN_BODY(userId)}`,
    olderThan: (beforeMs) => `status = 'set_aside' AND appended_at_ms < ${beforeMs}`,
    isDelivered: false,
  },
  { file: QUEUE, table: 'php_accounts', of: BY_COLUMN, olderThan: null, isDelivered: false },
  {
    file: QUEUE,
    table: 'php_posts',
    of: BY_COLUMN,
    olderThan: (beforeMs) => `posted_at_ms < ${beforeMs}`,
    isDelivered: false,
  },
  { file: 'open-windows.db', table: 'open_windows', of: IN_BODY, olderThan: null, isDelivered: false },
  {
    file: 'calibrations.db',
    table: 'waiting_calibrations',
    of: BY_COLUMN,
    olderThan: (beforeMs) => `error IS NOT NULL AND COALESCE(json_extract(body, '$.createdAtMs'), 0) < ${beforeMs}`,
    isDelivered: false,
  },
];

const nameOf = ({ file, table }: Place): string => `${file}/${table}`;
const DAMAGED = 'damaged_files';

type Cell = string | number | null;
type Counts = Readonly<Record<string, number>>;

/** What the gateway keeps of students in files beside the store, place by place (`file/table`). All reject with `spool_failed`. */
export interface FolderRecords {
  /** Rows of a student, with their columns as they are. */
  exportOf(userId: number): Promise<Readonly<Record<string, readonly Readonly<Record<string, Cell>>[]>>>;
  /** Number of rows of a student. Those that wait for the store are left out: they are counted there. */
  countOf(userId: number): Promise<Counts>;
  /** Deletes all of a student, and every damaged file, which may hold anything; resolves with the number of rows and files. */
  forgetStudent(userId: number): Promise<Counts>;
  /** Deletes what is from before `beforeMs`, UTC, and that no delivery will take away. */
  forgetOlder(beforeMs: number): Promise<Counts>;
}

/** Reads the files with connections of its own, while the gateway may be using them. A file that is not there is empty. */
export function folderRecords(dataDir: string): FolderRecords {
  async function inPlaces(work: (connection: Connection, place: Place) => Promise<void>): Promise<void> {
    const { connect, fileError } = await sqliteFile();
    for (const place of PLACES) {
      const file = path.join(dataDir, place.file);
      if (!existsSync(file)) continue;
      const connection = connect(file);
      try {
        const table = await connection.prepare("SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = ?");
        if ((await table.all([place.table])).length > 0) await work(connection, place);
      } catch (error) {
        throw fileError(file, 'read', error);
      } finally {
        connection.close();
      }
    }
  }

  async function count(connection: Connection, { table }: Place, condition: string): Promise<number> {
    const { numberOf } = await sqliteFile();
    const counting = await connection.prepare(`SELECT COUNT(*) AS n FROM ${table} WHERE ${condition}`);
    return numberOf((await counting.all([]))[0], 'n');
  }

  /** A statement that runs off this thread, for the gateway's own transaction may have to end first. */
  async function remove(
    conditionOf: (place: Place) => string | null,
    isGone: (file: string) => Promise<boolean>,
  ): Promise<Counts> {
    const counts: Record<string, number> = {};
    const add = (name: string, n: number) => {
      if (n > 0) counts[name] = (counts[name] ?? 0) + n;
    };
    await inPlaces(async (connection, place) => {
      const condition = conditionOf(place);
      if (condition === null) return;
      const n = await count(connection, place, condition);
      if (n > 0) await connection.exec(`DELETE FROM ${place.table} WHERE ${condition}`);
      add(nameOf(place), n);
    });
    const { isSetAside } = await sqliteFile();
    const names = existsSync(dataDir) ? await readdir(dataDir) : [];
    for (const name of names.filter(isSetAside)) {
      const file = path.join(dataDir, name);
      if (!(await isGone(file))) continue;
      await rm(file, { force: true });
      add(DAMAGED, 1);
    }
    return counts;
  }

  return {
    async exportOf(userId) {
      const tables: Record<string, Readonly<Record<string, Cell>>[]> = {};
      await inPlaces(async (connection, place) => {
        const rows = await connection.prepare(`SELECT * FROM ${place.table} WHERE ${place.of(userId)}`);
        const found = (await rows.all([])) as Record<string, Cell>[];
        tables[nameOf(place)] = [...(tables[nameOf(place)] ?? []), ...found.map((row) => ({ ...row }))];
      });
      return tables;
    },
    async countOf(userId) {
      const counts: Record<string, number> = {};
      await inPlaces(async (connection, place) => {
        const n = place.isDelivered ? 0 : await count(connection, place, place.of(userId));
        if (n > 0) counts[nameOf(place)] = (counts[nameOf(place)] ?? 0) + n;
      });
      return counts;
    },
    forgetStudent: (userId) =>
      remove(
        (place) => place.of(userId),
        async () => true,
      ),
    forgetOlder: (beforeMs) =>
      remove(
        (place) => place.olderThan?.(beforeMs) ?? null,
        async (file) => (await stat(file)).mtimeMs < beforeMs,
      ),
  };
}
