import { readFile } from 'node:fs/promises';
import { gunzipSync } from 'node:zlib';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import * as z from 'zod';
import { migrationsFolder, readMigrations } from '../../../gateway/store/migrations.ts';
import type { MetricsStore } from '../../../gateway/store/port.ts';
import { reportViews } from '../../../gateway/store/views/definitions.ts';
import { schoolWindows } from '../../support/report-data.ts';
import { STORES, type StoreFixture } from './fixtures.ts';

/** The migrations of version 0.1, which made the report views too: `migrations/` at commit cfcc7bd. */
const OLD_MIGRATIONS = new URL('schema-0.1.json.gz', import.meta.url);

const migrationsSchema = z.array(z.object({ tag: z.string(), statements: z.array(z.string()) }));
type OldMigrations = z.output<typeof migrationsSchema>;

const WINDOWS = schoolWindows({ seed: 5, firstDayMs: Date.UTC(2026, 2, 2), days: 3, firstWeekday: 1, students: 6 });

type Rows = readonly Readonly<Record<string, unknown>>[];

/** Rows of a view by column, in an order that does not depend on the database's. */
const sorted = (rows: Rows, columns: readonly string[]) =>
  rows.map((row) => JSON.stringify(columns.map((column) => row[column]))).toSorted();

describe.each(STORES)('the report views of $kind', ({ kind, makeFixture }) => {
  let fixture: StoreFixture;
  let old: OldMigrations;

  beforeAll(async () => {
    fixture = await makeFixture();
    const all = JSON.parse(gunzipSync(await readFile(OLD_MIGRATIONS)).toString());
    old = migrationsSchema.parse(all[kind]);
  });
  afterAll(() => fixture.dispose());
  beforeEach(() => fixture.reset());

  const names = reportViews(kind).map(({ name }) => name);

  async function readAll(): Promise<Map<string, Rows>> {
    const found = new Map<string, Rows>();
    for (const name of names) found.set(name, await fixture.query(`SELECT * FROM ${name}`));
    return found;
  }

  /** A database as version 0.1 left it after that many of its migrations. */
  async function migrateAsBefore(count: number): Promise<void> {
    const tag = kind === 'mysql' ? 'VARCHAR(100)' : 'TEXT';
    await fixture.query(
      `CREATE TABLE relay_migrations (tag ${tag} PRIMARY KEY NOT NULL, applied_at_ms BIGINT NOT NULL)`,
    );
    for (const migration of old.slice(0, count)) {
      for (const statement of migration.statements) await fixture.query(statement);
      await fixture.query(`INSERT INTO relay_migrations VALUES ('${migration.tag}', 1)`);
    }
  }

  /** The columns of windows that are newer than version 0.1: today's gateway writes them. */
  async function addWindowColumns(): Promise<void> {
    const migrations = await readMigrations(migrationsFolder(kind));
    const newer = /_(late_and_suspect|late_totals|pauses_and_second_face)$/;
    for (const { tag, statements } of migrations.filter((migration) => newer.test(migration.tag))) {
      for (const statement of statements) await fixture.query(statement);
      await fixture.query(`INSERT INTO relay_migrations VALUES ('${tag}', 1)`);
    }
  }

  async function using(task: (store: MetricsStore) => Promise<unknown>): Promise<void> {
    const store = fixture.open();
    await task(store);
    await store.close();
  }

  const hash = async () =>
    (await fixture.query("SELECT value FROM relay_settings WHERE name = 'report_views'"))[0]?.value ?? null;

  it('say after an upgrade from version 0.1 what they said before it', async () => {
    // A new database tells the hash; with it the old views are left alone while the windows are stored.
    await using((store) => store.migrate());
    const current = String(await hash());
    await fixture.reset();
    await migrateAsBefore(old.length);
    await addWindowColumns();
    await fixture.query(`INSERT INTO relay_settings (name, value) VALUES ('report_views', '${current}')`);
    await using((store) => store.applyWindows(WINDOWS));
    const before = await readAll();
    await fixture.query("DELETE FROM relay_settings WHERE name = 'report_views'");

    await using((store) => store.migrate());
    const after = await readAll();
    for (const name of names) {
      const was = before.get(name) ?? [];
      // There are no quiz results and calibrations here; every other view has rows to compare.
      if (!['relay_report_quiz', 'relay_report_calibrations'].includes(name)) expect(was, name).not.toEqual([]);
      const columns = Object.keys(was[0] ?? {});
      expect(sorted(after.get(name) ?? [], columns), name).toEqual(sorted(was, columns));
    }
    expect(await hash()).toBe(current);
  });

  it('are there after an upgrade from every earlier migration', async () => {
    for (let count = 1; count <= old.length; count += 1) {
      await fixture.reset();
      await migrateAsBefore(count);
      await using(async (store) => {
        await store.migrate();
        await store.applyWindows(WINDOWS.slice(0, 20));
      });
      const [row] = await fixture.query('SELECT SUM(window_count) AS windows FROM relay_report_hours');
      expect(Number(row?.windows), `after ${count} migrations`).toBe(20);
    }
  });

  it('are made again when their SQL has changed, and only then', async () => {
    await using((store) => store.migrate());
    const made = await hash();
    await fixture.query('DROP VIEW relay_report_days');
    await fixture.query("CREATE VIEW relay_report_days AS SELECT 'by hand' AS day");
    await using((store) => store.migrate());
    expect(await fixture.query('SELECT day FROM relay_report_days')).toEqual([{ day: 'by hand' }]);

    await fixture.query("UPDATE relay_settings SET value = 'of an older version' WHERE name = 'report_views'");
    await using((store) => store.migrate());
    expect(await fixture.query('SELECT day FROM relay_report_days')).toEqual([]);
    expect(await hash()).toBe(made);
  });

  it('have the columns that docs/database.md promises', async () => {
    await using((store) => store.migrate());
    const docs = await readFile(new URL('../../../docs/database.md', import.meta.url), 'utf8');
    for (const name of names) {
      const line = docs.split('\n').find((text) => text.startsWith(`| \`${name}\` |`)) ?? '';
      const promised = (line.split('|').at(-2) ?? '').match(/[a-z][a-z_]+_[a-z]+/g) ?? [];
      expect(line, name).not.toBe('');
      const [row = {}] = await fixture.query(
        `SELECT * FROM (SELECT 1 AS one) o LEFT JOIN (SELECT * FROM ${name}) v ON 1 = 1 LIMIT 1`,
      );
      // The quiz's last columns are written as prefixes and endings.
      const columns = Object.keys(row).flatMap((column) => [column, column.replace(/^(before|after|module)_/, '')]);
      expect(columns, name).toEqual(expect.arrayContaining(promised));
    }
  });
});
