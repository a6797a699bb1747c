/** A row as the driver gives it. */
export type Row = Readonly<Record<string, unknown>>;

/** Which of the platform's tables and columns are there to take names from. */
export interface Directory {
  /** users.first_name and users.last_name. */
  readonly users: boolean;
  /** users.section. */
  readonly classes: boolean;
  /** modules.title. */
  readonly modules: boolean;
  /** The column of module_sections that holds a lesson section's title. */
  readonly sectionTitle: 'subtitle' | 'title' | null;
}

export const NO_DIRECTORY: Directory = { users: false, classes: false, modules: false, sectionTitle: null };

/** The part of a database that reports need. Both reject with RelayError `store_unreachable`. */
export interface ReportDatabase {
  readonly kind: 'libsql' | 'mysql';
  /** Whole-number division of this database's SQL. */
  readonly div: 'DIV' | '/';
  directory(): Promise<Directory>;
  /** Rows of a SELECT; values go in by `?`. */
  rows(sql: string, values: readonly (string | number)[]): Promise<readonly Row[]>;
  close(): Promise<void>;
}
