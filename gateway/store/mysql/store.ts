import { setTimeout as delay } from 'node:timers/promises';
import { asc, eq } from 'drizzle-orm';
import { drizzle, type MySql2Database } from 'drizzle-orm/mysql2';
import type { PoolConnection } from 'mysql2/promise';
import { backoffMs } from '../../../shared/backoff.ts';
import { RelayError } from '../../../shared/errors.ts';
import type { Logger } from '../../lib/logger.ts';
import { createMutex } from '../../lib/mutex.ts';
import { sessionBatches } from '../batch.ts';
import { type MetricsStore, StoreUnreachableError } from '../port.ts';
import { sessionReport } from '../records.ts';
import { applyBatches } from './apply.ts';
import { createConnections } from './connections.ts';
import { isPassing, isSchemaChange, storeError } from './errors.ts';
import { executeOn } from './execute.ts';
import type { StoreHooks } from './hooks.ts';
import { migrateMysql } from './migrate.ts';
import { bouts, reportSessions, windows } from './schema.ts';
import { inTurn, type MysqlSession } from './session.ts';
import { parseMysqlUrl } from './url.ts';

const LIMITS: MysqlLimits = { transactionMs: 15_000, idleMs: 10_000 };
const MIGRATION_LIMIT_MS = 120_000;
const ATTEMPTS = 4;
const RETRY = { firstMs: 20, maxMs: 500 };

export interface MysqlLimits {
  /** Longest that one transaction may take, ms: past it the server counts as unreachable. */
  readonly transactionMs: number;
  /** A connection that is not used for this long is closed, ms: a quiet gateway keeps none. */
  readonly idleMs: number;
}

export interface MysqlStoreOptions {
  readonly url: string;
  readonly logger: Logger;
  /** Numbers in [0, 1), for the jitter of repeats. */
  readonly random?: () => number;
  readonly limits?: MysqlLimits;
  /** What a school's platform does with the same database. Default: nothing. */
  readonly hooks?: StoreHooks | null | undefined;
}

/**
 * The MySQL or MariaDB store. Opens no connection until it is used, and keeps none when it is idle; brings the
 * schema up to date before its first use. Throws RelayError `mysql_url_invalid`; its methods reject as the port says.
 */
export function createMysqlStore(options: MysqlStoreOptions): MetricsStore {
  const { url, logger, random = Math.random, limits = LIMITS, hooks = null } = options;
  const config = parseMysqlUrl(url);
  const connections = createConnections(config, limits.idleMs);
  const migrating = createMutex();
  let isReady = false;

  async function use<T>(
    limitMs: number,
    task: (db: MySql2Database, connection: PoolConnection, session: MysqlSession) => Promise<T>,
  ): Promise<T> {
    for (let failures = 0; ; failures += 1) {
      try {
        return await connections.use(limitMs, (connection, session) =>
          task(drizzle({ client: connection }), connection, session),
        );
      } catch (error) {
        if (isSchemaChange(error)) isReady = false;
        if (failures + 1 >= ATTEMPTS || !isPassing(error)) throw storeError(error);
        await delay(backoffMs(RETRY, failures, random));
      }
    }
  }

  function prepare(): Promise<void> {
    if (isReady) return Promise.resolve();
    return migrating.run(async () => {
      if (isReady) return;
      try {
        await connections.use(MIGRATION_LIMIT_MS, async (connection) => {
          const applied = await migrateMysql(connection, config.database, hooks, logger);
          if (applied.length > 0) logger.info({ applied, database: config.database }, 'database migrated');
        });
        isReady = true;
      } catch (error) {
        throw storeError(error);
      }
    });
  }

  return {
    kind: 'mysql',
    async migrate() {
      isReady = false;
      await prepare();
    },
    ready: prepare,
    async applyWindows(given, viaSecondWay = new Map()) {
      const batches = sessionBatches(given);
      if (batches.length === 0) return { applied: 0, repeated: given.length };
      // Before the commit is sent, whatever breaks is rolled back.
      let isUntouched = true;
      try {
        await prepare();
        const applied = await use(limits.transactionMs, (db, connection, session) =>
          inTurn(connection, session, config.database, () =>
            db.transaction(async (tx) => {
              const fresh = await applyBatches(tx, batches);
              if (fresh.length > 0) await hooks?.afterApply(tx, fresh, viaSecondWay);
              isUntouched = false;
              return fresh.length;
            }),
          ),
        );
        return { applied, repeated: given.length - applied };
      } catch (error) {
        if (!(error instanceof RelayError) || error.code === 'store_rejected') throw error;
        throw new StoreUnreachableError(error, isUntouched);
      }
    },
    async execute(statements) {
      await prepare();
      try {
        return await connections.use(MIGRATION_LIMIT_MS, (connection) => executeOn(connection, statements));
      } catch (error) {
        if (isSchemaChange(error)) isReady = false;
        throw storeError(error);
      }
    },
    async sessionReport(sessionId) {
      await prepare();
      return use(limits.transactionMs, (db) =>
        db.transaction(
          async (tx) => {
            const [session] = await tx
              .select()
              .from(reportSessions)
              .where(eq(reportSessions.sessionUuid, sessionId.toLowerCase()));
            if (session === undefined) return null;
            const windowRecords = await tx
              .select()
              .from(windows)
              .where(eq(windows.sessionId, session.sessionId))
              .orderBy(asc(windows.epoch), asc(windows.seq));
            const boutRecords = await tx
              .select()
              .from(bouts)
              .where(eq(bouts.sessionId, session.sessionId))
              .orderBy(asc(bouts.epoch), asc(bouts.seq), asc(bouts.boutNo));
            return sessionReport(session, windowRecords, boutRecords);
          },
          // One picture of all three tables, whatever is stored meanwhile.
          { isolationLevel: 'repeatable read', accessMode: 'read only' },
        ),
      );
    },
    ping: () => use(limits.transactionMs, async (db) => void (await db.execute('SELECT 1'))),
    close: () => connections.close(),
  };
}
