import { execFile } from 'node:child_process';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import mysql from 'mysql2/promise';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { verifyTicket } from '../../../gateway/auth/ticket.ts';
import { type MariaDb, startMariaDb } from '../../../harness/mariadb.ts';
import { cli, GOOD_SECRET } from '../../support/cli.ts';

const BUNDLE = fileURLToPath(new URL('../../../dist/gateway/cli.mjs', import.meta.url));
const PRODUCTION = { RELAY_JWT_SECRET: GOOD_SECRET, ALLOWED_ORIGINS: 'https://school.example' };

const ALL = 'check-config doctor migrate mint-ticket retention export-student delete-student reader-role'.split(' ');

let dataDir: string;
let database: MariaDb;

beforeAll(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'relay-cli-'));
  database = await startMariaDb();
});

afterAll(async () => {
  await database?.stop();
  await rm(dataDir, { recursive: true, force: true });
});

describe('command line', () => {
  it('without a command, or with one that is not there, it says which there are and ends with 2', async () => {
    const nothing = await cli([]);
    expect(nothing).toMatchObject({ status: 2, out: '' });
    for (const name of ALL) expect(nothing.err).toContain(`  ${name} `);
    expect((await cli(['heal'])).err).toContain('command_unknown');
    expect(await cli(['--help'])).toMatchObject({ status: 0, err: '' });
    for (const name of ALL) {
      const help = await cli([name, '--help']);
      expect(help).toMatchObject({ status: 0, err: '' });
      expect(help.out).toContain(`usage: ${name}`);
    }
  });

  it('an option that is not there, or makes no sense, ends with 2 and the usage', async () => {
    for (const argv of [
      ['doctor', '--yaml'],
      ['migrate', '--wait-s', 'long'],
      ['mint-ticket', '--user', '7'],
      ['mint-ticket', '--user', '7', '--module', '3', '--role', 'headmaster'],
    ]) {
      const result = await cli(argv, { DATA_DIR: dataDir });
      expect(result).toMatchObject({ status: 2, out: '' });
      expect(result.err).toContain('option_invalid');
      expect(result.err).toContain(`usage: ${argv[0]} `);
    }
  });

  it('the bundle is the same: status and output reach the shell', async () => {
    const env = { PATH: process.env.PATH, ...PRODUCTION, DATA_DIR: dataDir };
    const { stdout } = await promisify(execFile)(process.execPath, [BUNDLE, 'check-config'], { env });
    expect(stdout).toContain('ok: production');
    await expect(
      promisify(execFile)(process.execPath, [BUNDLE, 'check-config'], { env: { ...env, PORT: 'x' } }),
    ).rejects.toMatchObject({ code: 1, stderr: expect.stringContaining('fault: PORT') });
  });
});

describe('check-config', () => {
  it('shows every value and where it comes from, and no secret', async () => {
    const { status, out } = await cli(['check-config', '--json'], {
      ...PRODUCTION,
      MYSQL_URL: 'mysql://u:hunter22@h/d',
      MAX_CLIENT_FPS: '5',
    });
    expect(status).toBe(0);
    expect(out).not.toContain('hunter22');
    expect(out).not.toContain(GOOD_SECRET);
    const { variables, mode } = JSON.parse(out);
    expect(mode).toBe('production');
    expect(variables).toContainEqual({ name: 'MAX_CLIENT_FPS', value: '5', source: 'set' });
    expect(variables).toContainEqual({ name: 'WINDOW_MS', value: '30000', source: 'default' });
    expect(variables).toContainEqual({ name: 'RELAY_JWT_SECRET', value: '(64 characters)', source: 'set' });
  });

  it('lists every fault and ends with 1', async () => {
    const { status, err } = await cli(['check-config'], { PORT: 'x', FOCUS_RULE: 'y' });
    expect(status).toBe(1);
    expect(err).toContain('fault: PORT');
    expect(err).toContain('fault: FOCUS_RULE');
  });

  it('says which variable was meant by a misspelt one', async () => {
    const { out } = await cli(['check-config', '--json'], { ALLOWED_ORIGIN: 'https://school.example', PATH: '/bin' });
    expect(JSON.parse(out).warnings).toEqual([expect.stringMatching(/^ALLOWED_ORIGIN .*ALLOWED_ORIGINS is/)]);
  });
});

describe('mint-ticket', () => {
  it('prints a ticket that the gateway takes', async () => {
    const { status, out } = await cli(['mint-ticket', '--user', '7', '--module', '3', '--role', 'teacher'], PRODUCTION);
    expect(status).toBe(0);
    expect(await verifyTicket(out, GOOD_SECRET, new Date())).toMatchObject({
      userId: 7,
      moduleId: 3,
      role: 'teacher',
      scope: null,
    });
    const reports = await cli(['mint-ticket', '--user', '7', '--module', '3', '--scope', 'reports'], PRODUCTION);
    expect((await verifyTicket(reports.out, GOOD_SECRET, new Date())).scope).toBe('reports');
  });

  it('says of whom a teacher may read, as the platform would', async () => {
    const mint = async (...more: string[]) => {
      const result = await cli(
        ['mint-ticket', '--user', '7', '--module', '3', '--role', 'teacher', ...more],
        PRODUCTION,
      );
      return result.status === 0 ? (await verifyTicket(result.out, GOOD_SECRET, new Date())).teaching : result.err;
    };
    expect(await mint('--classes', '7b, 8a', '--modules', '3,4')).toEqual({ classes: ['7b', '8a'], moduleIds: [3, 4] });
    expect(await mint('--classes', 'all')).toBe('all');
    expect(await mint()).toBeUndefined();
    expect(await mint('--modules', '3,x')).toMatch(/option_invalid.*--modules/);
  });

  it('without a secret it signs with the one of the development mode in DATA_DIR', async () => {
    const first = await cli(['mint-ticket', '--user', '7', '--module', '3'], { DATA_DIR: dataDir });
    expect(first.status).toBe(0);
    expect(await readdir(dataDir)).toContain('development.secret');
  });
});

describe('migrate', () => {
  it('brings a database up to date, and twice is once', async () => {
    const env = { MYSQL_URL: await database.createDatabase('cli_migrate'), DATA_DIR: dataDir };
    expect(await cli(['migrate'], env)).toMatchObject({ status: 0, out: 'ok: the mysql store is up to date' });
    const again = await cli(['migrate'], env);
    expect(again.status).toBe(0);
    const connection = await mysql.createConnection(env.MYSQL_URL);
    const [tables] = await connection.query<mysql.RowDataPacket[]>("SHOW TABLES LIKE 'relay\\_sessions'");
    await connection.end();
    expect(tables).toHaveLength(1);
  });

  it('brings the embedded file up to date', async () => {
    expect(await cli(['migrate'], { DATA_DIR: dataDir })).toMatchObject({ status: 0 });
    expect(await readdir(dataDir)).toContain('gaze-relay.db');
  });

  it('waits for a database that is still starting', async () => {
    const url = await database.createDatabase('cli_late');
    await database.kill('SIGTERM');
    const migrated = cli(['migrate', '--wait-s', '60'], { MYSQL_URL: url, DATA_DIR: dataDir });
    await database.restart();
    expect(await migrated).toMatchObject({ status: 0 });
  });

  it('a database that does not come is a failure, so that the release stops', async () => {
    const { status, err } = await cli(['migrate', '--wait-s', '0'], {
      MYSQL_URL: 'mysql://u:p@127.0.0.1:1/d',
      DATA_DIR: dataDir,
    });
    expect(status).toBe(1);
    expect(err).toContain('store_unreachable');
  });

  it('what it waits for is printed once, not every second', async () => {
    const { status, err } = await cli(['migrate', '--wait-s', '3'], {
      MYSQL_URL: 'mysql://u:p@127.0.0.1:1/d',
      DATA_DIR: dataDir,
    });
    expect(status).toBe(1);
    expect(err.match(/^waiting up to 3 s: store_unreachable/gm)).toHaveLength(1);
  });
});
