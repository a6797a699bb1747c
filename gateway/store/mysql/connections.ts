import mysql, { type PoolConnection } from 'mysql2/promise';
import { RelayError } from '../../../shared/errors.ts';
import { type MysqlSession, prepareSession } from './session.ts';
import type { MysqlConfig } from './url.ts';

const CONNECT_TIMEOUT_MS = 5000;
const CONNECTION_LIMIT = 4;
const CLOSE_TIMEOUT_MS = 2000;

/** Connections to one database, opened when needed and closed when idle. */
export interface MysqlConnections {
  /**
   * Runs a task on a connection of its own. A task that fails or takes longer than `limitMs` loses its
   * connection, and with it any transaction it left open. Rejects with the task's error, mysql2's, or
   * RelayError `store_unreachable` after `limitMs`.
   */
  use<T>(limitMs: number, task: (connection: PoolConnection, session: MysqlSession) => Promise<T>): Promise<T>;
  close(): Promise<void>;
}

function afterLimit(limitMs: number): { readonly expired: Promise<never>; readonly cancel: () => void } {
  let timer: NodeJS.Timeout | undefined;
  const expired = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => {
      reject(
        new RelayError('store_unreachable', `MySQL did not answer within ${limitMs} ms`, {
          hint: 'check that the database is not frozen or overloaded',
        }),
      );
    }, limitMs);
  });
  return { expired, cancel: () => clearTimeout(timer) };
}

/** Opens nothing yet; see MysqlConnections. A connection that is not used for `idleMs` is closed. */
export function createConnections(config: MysqlConfig, idleMs: number): MysqlConnections {
  const open = new Set<{ destroy(): void }>();
  const pool = mysql.createPool({
    host: config.host,
    port: config.port,
    user: config.user,
    password: config.password,
    database: config.database,
    charset: 'utf8mb4',
    timezone: 'Z',
    connectTimeout: CONNECT_TIMEOUT_MS,
    connectionLimit: CONNECTION_LIMIT,
    // One below the limit, for mysql2 looks for idle connections only then.
    maxIdle: CONNECTION_LIMIT - 1,
    idleTimeout: idleMs,
    gracefulEnd: true,
    ...(config.tls === 'off' ? {} : { ssl: { rejectUnauthorized: config.tls === 'verify' } }),
  });
  pool.pool.on('connection', (connection) => {
    open.add(connection);
    connection.on('end', () => open.delete(connection));
    // The query under way gets the error; the end of an idle connection needs no handling.
    connection.on('error', () => open.delete(connection));
  });

  /** What the sessions of open connections came to be, by the connection under the pool's wrapper. */
  const sessions = new WeakMap<object, MysqlSession>();
  async function sessionOf(connection: PoolConnection): Promise<MysqlSession> {
    const session = sessions.get(connection.connection) ?? (await prepareSession(connection));
    sessions.set(connection.connection, session);
    return session;
  }

  return {
    async use(limitMs, task) {
      const { expired, cancel } = afterLimit(limitMs);
      const acquired = pool.getConnection();
      let connection: PoolConnection | null = null;
      try {
        const own = await Promise.race([acquired, expired]);
        connection = own;
        const result = await Promise.race([sessionOf(own).then((session) => task(own, session)), expired]);
        connection.release();
        return result;
      } catch (error) {
        if (connection === null) acquired.then((late) => late.release()).catch(() => undefined);
        else connection.destroy();
        throw error;
      } finally {
        cancel();
      }
    },
    async close() {
      const { expired, cancel } = afterLimit(CLOSE_TIMEOUT_MS);
      try {
        await Promise.race([pool.end(), expired]);
      } catch {
        for (const connection of open) connection.destroy();
      } finally {
        cancel();
      }
    },
  };
}
