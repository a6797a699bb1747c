import type { MetricsStore, Statement } from '../store/port.ts';

/** What a school's platform has of a student from this gateway, and what the gateway notes about it. */
export interface PlatformRecords {
  /**
   * Statements that delete all of it, with their tables, in this order and before the gateway's own rows, which they refer to.
   * Rejects with `store_unreachable`.
   */
  deletionsOf(
    store: Pick<MetricsStore, 'ready' | 'kind'>,
    userId: number,
  ): Promise<readonly (readonly [table: string, statement: Statement])[]>;
  /** Tables of notes with a column `session_id`: they are deleted together with the sessions. */
  sessionTables(store: Pick<MetricsStore, 'kind'>): readonly string[];
}

/** Without a platform there is nothing besides the gateway's own tables. */
export const NO_PLATFORM_RECORDS: PlatformRecords = { deletionsOf: async () => [], sessionTables: () => [] };
