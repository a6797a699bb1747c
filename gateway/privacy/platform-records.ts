import type { MetricsStore, Statement } from '../store/port.ts';

/** A statement and the table that it reads or changes. */
export type TableStatement = readonly [table: string, statement: Statement];

type Store = Pick<MetricsStore, 'ready' | 'kind'>;

/**
 * What a school's platform has of students from this gateway, and what the gateway notes about it. Statements are for one
 * transaction, in this order, and before those that delete the gateway's own rows, by way of which the platform's are found.
 * All reject with `store_unreachable`.
 */
export interface PlatformRecords {
  /** Statements that delete all of one student. */
  deletionsOf(store: Store, userId: number): Promise<readonly TableStatement[]>;
  /** Statements that read the rows that `deletionsOf` would delete. */
  exportsOf(store: Store, userId: number): Promise<readonly TableStatement[]>;
  /** Statements that delete what belongs to sessions, given by their row ids. */
  deletionsOfSessions(store: Store, sessionIds: readonly number[]): Promise<readonly TableStatement[]>;
  /** Statements that delete what sums up days until one, `YYYY-MM-DD`, where nothing but our time is in it. */
  deletionsOfDay(store: Store, day: string): Promise<readonly TableStatement[]>;
}

/** Without a platform there is nothing besides the gateway's own tables. */
export const NO_PLATFORM_RECORDS: PlatformRecords = {
  deletionsOf: async () => [],
  exportsOf: async () => [],
  deletionsOfSessions: async () => [],
  deletionsOfDay: async () => [],
};
