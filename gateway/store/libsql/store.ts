import { mkdirSync } from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { type Client, createClient, type Transaction as LibsqlTransaction } from '@libsql/client/sqlite3';
import { asc, eq } from 'drizzle-orm';
import { drizzle } from 'drizzle-orm/libsql/sqlite3';
import { RelayError } from '../../../shared/errors.ts';
import type { Logger } from '../../lib/logger.ts';
import { createMutex } from '../../lib/mutex.ts';
import { sessionBatches } from '../batch.ts';
import { type MigrationTarget, migrateTo, migrationsFolder, readMigrations } from '../migrations.ts';
import type { MetricsStore } from '../port.ts';
import { sessionReport } from '../records.ts';
import { installViews, type ViewTarget } from '../views/install.ts';
import { applyBatches } from './apply.ts';
import { retryWhileBusy } from './busy.ts';
import { dataDirError } from './errors.ts';
import { bouts, reportSessions, windows } from './schema.ts';

function migrationTarget(tx: LibsqlTransaction): MigrationTarget {
  return {
    async applied() {
      await tx.execute(
        'CREATE TABLE IF NOT EXISTS relay_migrations (tag TEXT PRIMARY KEY NOT NULL, applied_at_ms INTEGER NOT NULL)',
      );
      const { rows } = await tx.execute('SELECT tag FROM relay_migrations');
      return new Set(rows.map(({ tag }) => String(tag)));
    },
    async apply({ tag, statements }) {
      for (const statement of statements) await tx.execute(statement);
      await tx.execute({
        sql: "INSERT INTO relay_migrations (tag, applied_at_ms) VALUES (?, unixepoch('subsec') * 1000)",
        args: [tag],
      });
    },
  };
}

function viewTarget(tx: LibsqlTransaction): ViewTarget {
  return {
    async readSetting(name) {
      const { rows } = await tx.execute({ sql: 'SELECT value FROM relay_settings WHERE name = ?', args: [name] });
      return rows[0] === undefined ? null : String(rows[0].value);
    },
    async writeSetting(name, value) {
      await tx.execute({
        sql: 'INSERT OR REPLACE INTO relay_settings (name, value) VALUES (?, ?)',
        args: [name, value],
      });
    },
    async run(statement) {
      await tx.execute(statement);
    },
  };
}

/** All migrations and the report views in one transaction, which also keeps a second process out meanwhile. */
async function migrateClient(client: Client): Promise<string[]> {
  const migrations = await readMigrations(migrationsFolder('libsql'));
  const tx = await client.transaction('write');
  try {
    const applied = await migrateTo(migrationTarget(tx), migrations);
    await installViews(viewTarget(tx), 'libsql', applied.length > 0);
    await tx.commit();
    return applied;
  } finally {
    tx.close();
  }
}

/**
 * The embedded store: one libsql file, made with its folder if it is not there. Takes the path of the
 * file. Throws RelayError `data_dir_unusable` if it cannot be opened; its methods reject as the port says.
 */
export function createLibsqlStore(options: { path: string; logger: Logger }): MetricsStore {
  let client: Client;
  try {
    mkdirSync(path.dirname(options.path), { recursive: true, mode: 0o700 });
    // Calls block this thread: one connection, and no waiting for locks inside of it.
    client = createClient({ url: pathToFileURL(options.path).href, concurrency: 1, timeout: 0 });
  } catch (error) {
    throw dataDirError(options.path, error);
  }
  const db = drizzle(client);
  const mutex = createMutex();
  let opened = false;
  let closed = false;

  async function attempt<T>(task: () => Promise<T>): Promise<T> {
    if (closed) throw new RelayError('store_unreachable', 'the embedded store is closed');
    try {
      if (!opened) {
        await client.execute('PRAGMA journal_mode = WAL');
        // A power cut must not undo what the delivery queue knows as stored.
        await client.execute('PRAGMA synchronous = FULL');
        opened = true;
      }
      return await task();
    } catch (error) {
      if (error instanceof RelayError) throw error;
      // A statement that failed may stay under way in the driver, and then nothing can be committed.
      opened = false;
      await client.reconnect();
      throw error;
    }
  }

  function exclusive<T>(task: () => Promise<T>): Promise<T> {
    return mutex.run(() => retryWhileBusy(() => attempt(task)));
  }

  let isReady = false;
  const migrate = () =>
    exclusive(async () => {
      const applied = await migrateClient(client);
      if (applied.length > 0) options.logger.info({ applied }, 'embedded store migrated');
      isReady = true;
    });

  return {
    kind: 'libsql',
    migrate,
    ready: async () => {
      if (!isReady) await migrate();
    },
    applyWindows: (given) =>
      exclusive(async () => {
        const batches = sessionBatches(given);
        if (batches.length === 0) return { applied: 0, repeated: given.length };
        const applied = await db.transaction((tx) => applyBatches(tx, batches));
        return { applied, repeated: given.length - applied };
      }),
    execute: (statements) =>
      exclusive(async () => {
        const results = await client.batch(
          statements.map(({ sql, values }) => ({ sql, args: [...values] })),
          'write',
        );
        return results.map(({ rows, rowsAffected }) => ({
          rows: rows.map((row) => ({ ...row })),
          changed: rowsAffected,
        }));
      }),
    sessionReport: (sessionId) =>
      exclusive(async () => {
        const [session] = await db
          .select()
          .from(reportSessions)
          .where(eq(reportSessions.sessionUuid, sessionId.toLowerCase()));
        if (session === undefined) return null;
        const windowRecords = await db
          .select()
          .from(windows)
          .where(eq(windows.sessionId, session.sessionId))
          .orderBy(asc(windows.epoch), asc(windows.seq));
        const boutRecords = await db
          .select()
          .from(bouts)
          .where(eq(bouts.sessionId, session.sessionId))
          .orderBy(asc(bouts.epoch), asc(bouts.seq), asc(bouts.boutNo));
        return sessionReport(session, windowRecords, boutRecords);
      }),
    ping: () =>
      exclusive(async () => {
        await client.execute('SELECT 1');
      }),
    close: () =>
      mutex.run(async () => {
        closed = true;
        client.close();
      }),
  };
}
