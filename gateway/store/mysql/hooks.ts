import type { MySql2Database } from 'drizzle-orm/mysql2';
import type { PoolConnection } from 'mysql2/promise';
import type { PlacedWindow } from '../batch.ts';
import type { TimeByWindow } from '../port.ts';

export type Transaction = Parameters<Parameters<MySql2Database['transaction']>[0]>[0];

/** What a school's platform does with the database that the store shares with it. */
export interface StoreHooks {
  /**
   * The schema is up to date: before the store's first use, and again after the database has said that a table or column it
   * used has gone. Runs under the lock of migrations. A rejection fails the migration.
   */
  afterMigrate(connection: PoolConnection): Promise<void>;
  /**
   * Windows that are new in the ledger, within their transaction; their sessions' rows are locked. `viaSecondWay` is the
   * part of their time that the platform has already. A rejection undoes the whole transaction.
   */
  afterApply(tx: Transaction, fresh: readonly PlacedWindow[], viaSecondWay: TimeByWindow): Promise<void>;
}
