import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import * as z from 'zod';
import { RelayError } from '../../shared/errors.ts';

const journalSchema = z.object({ entries: z.array(z.object({ tag: z.string().regex(/^[\w-]+$/) })) });

/** One migration: its name and its statements in order. */
export interface Migration {
  readonly tag: string;
  readonly statements: readonly string[];
}

/** The database's side of migrating. */
export interface MigrationTarget {
  /** Names of the migrations that are in already. */
  applied(): Promise<ReadonlySet<string>>;
  /** Runs a migration's statements and notes its name. */
  apply(migration: Migration): Promise<void>;
}

/**
 * Folder of a dialect's migrations: the nearest `migrations/<dialect>` above this module, which is
 * the project's root when run from source and `dist` when run from a bundle. Throws RelayError
 * `migrations_missing`.
 */
export function migrationsFolder(dialect: 'mysql' | 'libsql', moduleUrl: string = import.meta.url): string {
  let folder = path.dirname(fileURLToPath(moduleUrl));
  for (;;) {
    const candidate = path.join(folder, 'migrations', dialect);
    if (existsSync(path.join(candidate, 'meta', '_journal.json'))) return candidate;
    const parent = path.dirname(folder);
    if (parent === folder) break;
    folder = parent;
  }
  throw new RelayError('migrations_missing', `no folder migrations/${dialect} above ${fileURLToPath(moduleUrl)}`, {
    hint: 'copy the migrations folder next to the bundle, or run from the project folder',
  });
}

/** Reads the migrations that drizzle-kit's journal lists, in its order. */
export async function readMigrations(folder: string): Promise<Migration[]> {
  const journal = journalSchema.parse(JSON.parse(await readFile(path.join(folder, 'meta', '_journal.json'), 'utf8')));
  return Promise.all(
    journal.entries.map(async ({ tag }) => {
      const text = await readFile(path.join(folder, `${tag}.sql`), 'utf8');
      const statements = text.split('--> statement-breakpoint').map((statement) => statement.trim());
      return { tag, statements: statements.filter((statement) => statement.replace(/^--.*$/gm, '').trim() !== '') };
    }),
  );
}

/**
 * Applies what is missing, in order, and returns the names of what it applied. Judged by name, not by
 * date: a migration merged late is not skipped.
 */
export async function migrateTo(target: MigrationTarget, migrations: readonly Migration[]): Promise<string[]> {
  const applied = await target.applied();
  const missing = migrations.filter(({ tag }) => !applied.has(tag));
  for (const migration of missing) await target.apply(migration);
  return missing.map(({ tag }) => tag);
}
