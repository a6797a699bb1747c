import type { PoolConnection, RowDataPacket } from 'mysql2/promise';
import { RelayError } from '../../../shared/errors.ts';
import type { Logger } from '../../lib/logger.ts';
import { type MigrationTarget, migrateTo, migrationsFolder, readMigrations } from '../migrations.ts';
import { installViews, type ViewTarget } from '../views/install.ts';
import type { StoreHooks } from './hooks.ts';
import { lockName } from './session.ts';

const LOCK_WAIT_S = 30;

/**
 * What a statement of a migration meets when an earlier run of the same migration was cut off: MySQL
 * cannot roll a change of tables back. Table, column, index there already; column or index gone already.
 */
const DONE_ALREADY_ERRNOS = new Set([1050, 1060, 1061, 1091]);

function isDoneAlready(error: unknown): boolean {
  return error instanceof Error && 'errno' in error && DONE_ALREADY_ERRNOS.has(Number(error.errno));
}

function migrationTarget(connection: PoolConnection): MigrationTarget {
  return {
    async applied() {
      await connection.query(
        'CREATE TABLE IF NOT EXISTS relay_migrations (tag VARCHAR(100) PRIMARY KEY NOT NULL, applied_at_ms BIGINT NOT NULL)',
      );
      const [rows] = await connection.query<RowDataPacket[]>('SELECT tag FROM relay_migrations');
      return new Set(rows.map(({ tag }) => String(tag)));
    },
    async apply({ tag, statements }) {
      for (const statement of statements) {
        try {
          await connection.query(statement);
        } catch (error) {
          if (!isDoneAlready(error)) throw error;
        }
      }
      await connection.query(
        'INSERT INTO relay_migrations (tag, applied_at_ms) VALUES (?, FLOOR(UNIX_TIMESTAMP(NOW(3)) * 1000))',
        [tag],
      );
    },
  };
}

function viewTarget(connection: PoolConnection): ViewTarget {
  return {
    async readSetting(name) {
      const [[row]] = await connection.query<RowDataPacket[]>('SELECT value FROM relay_settings WHERE name = ?', [
        name,
      ]);
      return row === undefined ? null : String(row.value);
    },
    async writeSetting(name, value) {
      await connection.query(
        'INSERT INTO relay_settings (name, value) VALUES (?, ?) ON DUPLICATE KEY UPDATE value = VALUES(value)',
        [name, value],
      );
    },
    async run(statement) {
      await connection.query(statement);
    },
  };
}

/**
 * Brings a database and its report views up to date, then calls the platform's hook, and returns the names of the migrations it
 * applied. Gateways that start together wait for each other on a named lock of the server. Rejects with `store_unreachable` when the lock
 * stays taken, else with mysql2's error.
 */
export async function migrateMysql(
  connection: PoolConnection,
  database: string,
  hooks: StoreHooks | null,
  logger: Logger,
): Promise<string[]> {
  const migrations = await readMigrations(migrationsFolder('mysql'));
  const lock = lockName('migrate', database);
  const [[taken]] = await connection.query<RowDataPacket[]>('SELECT GET_LOCK(?, ?) AS taken', [lock, LOCK_WAIT_S]);
  if (Number(taken?.taken) !== 1) {
    throw new RelayError('store_unreachable', 'another gateway is still migrating this database');
  }
  try {
    const applied = await migrateTo(migrationTarget(connection), migrations);
    if (await installViews(viewTarget(connection), 'mysql', applied.length > 0)) logger.info('report views made');
    await hooks?.afterMigrate(connection);
    return applied;
  } finally {
    await connection.query('DO RELEASE_LOCK(?)', [lock]);
  }
}
