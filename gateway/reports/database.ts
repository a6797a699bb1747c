import type { Dialect } from '../store/views/measures.ts';

/** A row as the driver gives it. */
export type Row = Readonly<Record<string, unknown>>;

/** A piece of SQL with the values for its question marks. */
export interface Sql {
  readonly text: string;
  readonly values: readonly (string | number)[];
}

/** The part of a database that reports need. Rejects with RelayError `store_unreachable`. */
export interface ReportDatabase {
  readonly dialect: Dialect;
  /** Rows of a SELECT; values go in by `?`. */
  rows(sql: string, values: readonly (string | number)[]): Promise<readonly Row[]>;
  close(): Promise<void>;
}
