import { execFile } from 'node:child_process';
import { cp, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { migrationsFolder, readMigrations } from '../../../gateway/store/migrations.ts';
import { parseMysqlUrl } from '../../../gateway/store/mysql/url.ts';
import { openStore } from '../../../gateway/store/open.ts';
import { captureLog } from '../../support/log-capture.ts';

const run = promisify(execFile);
const ROOT = fileURLToPath(new URL('../../..', import.meta.url));

describe('the MySQL address', () => {
  it('names everything, percent-encoded where need be', () => {
    expect(parseMysqlUrl('mysql://re%40lay:p%3A%2F%25w@db.school.example:3307/eye%20learn?ssl-mode=verify_ca')).toEqual(
      {
        host: 'db.school.example',
        port: 3307,
        user: 're@lay',
        password: 'p:/%w',
        database: 'eye learn',
        tls: 'verify',
      },
    );
    expect(parseMysqlUrl('mariadb://root@[::1]/railway')).toEqual({
      host: '::1',
      port: 3306,
      user: 'root',
      password: '',
      database: 'railway',
      tls: 'off',
    });
  });

  it.each([
    ['no URL', 'hunter2'],
    ['another protocol', 'postgres://u:hunter2@h/d'],
    ['no database', 'mysql://u:hunter2@h'],
    ['no user', 'mysql://:hunter2@h/d'],
    ['two databases', 'mysql://u:hunter2@h/d/e'],
    ['a stray percent sign', 'mysql://u:hunter2%@h/d'],
    ['an unknown option', 'mysql://u:hunter2@h/d?multipleStatements=true'],
    ['an unknown ssl-mode', 'mysql://u:hunter2@h/d?ssl-mode=maybe'],
  ])('with %s is refused, and the password stays out of the words', (_what, url) => {
    let error: unknown;
    try {
      parseMysqlUrl(url);
    } catch (caught) {
      error = caught;
    }
    expect(error).toMatchObject({ code: 'mysql_url_invalid', hint: expect.stringContaining('mysql://user') });
    expect(String(error)).not.toContain('hunter2');
  });
});

describe('migrations', () => {
  let folder: string;

  beforeEach(async () => {
    folder = await mkdtemp(path.join(os.tmpdir(), 'relay-migrations-'));
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  it.each(['mysql', 'libsql'] as const)('of %s are found from the sources and from a bundle', async (dialect) => {
    expect(migrationsFolder(dialect)).toBe(path.join(ROOT, 'migrations', dialect));
    await cp(path.join(ROOT, 'migrations'), path.join(folder, 'dist/migrations'), { recursive: true });
    const bundle = pathToFileURL(path.join(folder, 'dist/gateway/main.mjs')).href;
    expect(migrationsFolder(dialect, bundle)).toBe(path.join(folder, 'dist/migrations', dialect));
  });

  it('that are nowhere are missed by name', () => {
    expect(() => migrationsFolder('mysql', pathToFileURL(path.join(folder, 'main.mjs')).href)).toThrowError(
      expect.objectContaining({ code: 'migrations_missing' }),
    );
  });

  it.each([
    // The platform's tables in the same database have a schema of their own.
    ['mysql', 'mysql', './gateway/{store/mysql,eyelearn}/schema.ts'],
    ['libsql', 'sqlite', './gateway/store/libsql/schema.ts'],
  ] as const)('of %s say what its schema says: drizzle-kit finds nothing to add', async (name, dialect, schema) => {
    const copy = path.join(folder, name);
    await cp(path.join(ROOT, 'migrations', name), copy, { recursive: true });
    const before = await readMigrations(copy);
    const kit = path.join(ROOT, 'node_modules/drizzle-kit/bin.cjs');
    // drizzle-kit takes the output folder relative to where it runs.
    const out = path.relative(ROOT, copy);
    await run(process.execPath, [kit, 'generate', `--dialect=${dialect}`, `--schema=${schema}`, `--out=${out}`], {
      cwd: ROOT,
    });
    expect(await readMigrations(copy)).toEqual(before);
    expect((await readdir(copy)).filter((file) => file.endsWith('.sql'))).toHaveLength(before.length);
  });

  it('count the same columns in both stores', async () => {
    const columnsOf = async (dialect: 'mysql' | 'libsql') => {
      const text = await readFile(path.join(migrationsFolder(dialect), '0000_tables.sql'), 'utf8');
      const tables = [...text.matchAll(/CREATE TABLE `(\w+)` \(([\s\S]*?)\n\);/g)];
      return new Map(
        tables.map(([, table = '', body = '']) => [
          table,
          [...body.matchAll(/^\t`(\w+)`/gm)].map(([, column]) => column),
        ]),
      );
    };
    const [libsql, mysql] = [await columnsOf('libsql'), await columnsOf('mysql')];
    expect(libsql.size).toBe(3);
    for (const [table, columns] of libsql) expect(mysql.get(table)).toEqual(columns);
  });
});

describe('opening a store', () => {
  it('in a folder that cannot be one says so', async () => {
    const folder = await mkdtemp(path.join(os.tmpdir(), 'relay-open-'));
    await mkdir(path.join(folder, 'data'));
    await writeFile(path.join(folder, 'file'), '');
    const { logger } = captureLog();
    await expect(
      openStore({ mysqlUrl: null, dataDir: path.join(folder, 'file', 'data') }, logger),
    ).rejects.toMatchObject({ code: 'data_dir_unusable' });
    await writeFile(path.join(folder, 'data', 'gaze-relay.db'), 'this is a letter, and not a database at all');
    await expect(openStore({ mysqlUrl: null, dataDir: path.join(folder, 'data') }, logger)).rejects.toMatchObject({
      code: expect.stringMatching(/^(data_dir_unusable|store_unreachable)$/),
    });
    await rm(folder, { recursive: true, force: true });
  });
});
