import { createHash } from 'node:crypto';
import { reportViews } from './definitions.ts';
import type { Dialect } from './measures.ts';

/** Name under which relay_settings keeps the hash of the SQL that the views were last made from. */
const SETTING = 'report_views';

/** The database's side of making views, under the lock of its migrations. */
export interface ViewTarget {
  /** Rows of relay_settings: the value of a name, null where there is none. */
  readSetting(name: string): Promise<string | null>;
  writeSetting(name: string, value: string): Promise<void>;
  run(statement: string): Promise<void>;
}

/** Statements that make a database's report views, in place of those that are there. */
export function viewStatements(kind: Dialect['kind']): string[] {
  return reportViews(kind).flatMap(({ name, select }) =>
    kind === 'mysql'
      ? [`CREATE OR REPLACE VIEW ${name} AS\n${select}`]
      : [`DROP VIEW IF EXISTS ${name}`, `CREATE VIEW ${name} AS\n${select}`],
  );
}

/**
 * Makes the report views again if migrations have just run or their SQL has changed since they were last made in this database; returns whether it did.
 * The hash is stored last, so that what was interrupted is repeated.
 */
export async function installViews(target: ViewTarget, kind: Dialect['kind'], isMigrated: boolean): Promise<boolean> {
  const statements = viewStatements(kind);
  const hash = createHash('sha256').update(statements.join(';\n')).digest('hex');
  if (!isMigrated && (await target.readSetting(SETTING)) === hash) return false;
  for (const statement of statements) await target.run(statement);
  await target.writeSetting(SETTING, hash);
  return true;
}
