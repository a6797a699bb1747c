import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import mysql from 'mysql2/promise';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { serverVersion } from '../../../gateway/cli/doctor/mysql.ts';
import { createEyelearnTables, EYELEARN_VARIANTS, type EyelearnVariant } from '../../../harness/eyelearn-schema.ts';
import { type MariaDb, startMariaDb } from '../../../harness/mariadb.ts';
import { cli, doctor, GOOD_SECRET } from '../../support/cli.ts';

const LIMITED = { user: 'limited', password: 'limited' };

let database: MariaDb;
let dataDir: string;
let base: Record<string, string>;

beforeAll(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'relay-doctor-'));
  // Users without SUPER get a clock of their own where their name says so.
  database = await startMariaDb({
    serverOptions: [
      "--init-connect=SET SESSION timestamp = IF(CURRENT_USER() LIKE 'late@%', UNIX_TIMESTAMP() - 60, 0)",
    ],
  });
  base = { RELAY_JWT_SECRET: GOOD_SECRET, ALLOWED_ORIGINS: 'https://school.example', DATA_DIR: dataDir };
});

afterAll(async () => {
  await database?.stop();
  await rm(dataDir, { recursive: true, force: true });
});

async function run(url: string, ...statements: readonly string[]): Promise<void> {
  const connection = await mysql.createConnection(url);
  try {
    for (const statement of statements) await connection.query(statement);
  } finally {
    await connection.end();
  }
}

/** A database that the gateway has migrated, with EyeLearn's tables of a variant in it. */
async function school(name: string, variant: EyelearnVariant | null = 'full'): Promise<string> {
  const url = await database.createDatabase(name);
  if (variant !== null) {
    const connection = await mysql.createConnection(url);
    await createEyelearnTables(connection, variant);
    await connection.end();
  }
  expect(await cli(['migrate'], { ...base, MYSQL_URL: url })).toMatchObject({ status: 0 });
  return url;
}

/** Faults and warnings of the database's checks. */
async function codes(url: string): Promise<string[]> {
  const { findings } = await doctor({ ...base, MYSQL_URL: url });
  return findings
    .filter(({ check, level }) => ['warning', 'fault'].includes(level) && !['inference', 'php'].includes(check))
    .map(({ code }) => code);
}

async function limitedUser(url: string, rights: string, user = LIMITED.user): Promise<string> {
  const limited = new URL(url);
  limited.username = user;
  limited.password = LIMITED.password;
  const name = mysql.escapeId(decodeURIComponent(limited.pathname.slice(1)));
  await run(
    url,
    `CREATE OR REPLACE USER '${user}'@'${database.host}' IDENTIFIED BY '${LIMITED.password}'`,
    `GRANT ${rights} ON ${name}.* TO '${user}'@'${database.host}'`,
  );
  return limited.href;
}

describe('doctor: a database as it should be', () => {
  it('has nothing to report, and is left as it was', async () => {
    const url = await school('well');
    expect(await codes(url)).toEqual([]);
    const connection = await mysql.createConnection(url);
    const [tables] = await connection.query<mysql.RowDataPacket[]>("SHOW TABLES LIKE '%doctor%'");
    const [rows] = await connection.query<mysql.RowDataPacket[]>('SELECT * FROM eye_tracking_sessions');
    await connection.end();
    expect([tables, rows]).toEqual([[], []]);
  });

  it('one that was never migrated is a warning that names what is missing', async () => {
    const url = await database.createDatabase('fresh');
    const examined = await doctor({ ...base, MYSQL_URL: url });
    expect(examined.find('migrations_pending').message).toContain('0000_tables');
    expect(examined.find('migrations_pending').mend).toContain('migrate');
    expect(examined.codes('mysql')).toEqual(['migrations_pending']);
  });
});

describe('doctor: the way to the database', () => {
  it.each([
    ['a wrong port', 'mysql://u:p@127.0.0.1:1/d', 'mysql_unreachable', /nothing listens/],
    ['a wrong host', 'mysql://u:p@mysql.invalid:3306/d', 'mysql_unreachable', /no host of that name|looked up/],
    ['no database in the address', 'mysql://u:p@127.0.0.1:3306', 'mysql_url_invalid', /names no database/],
  ])('%s', async (_name, url, code, message) => {
    const examined = await doctor({ ...base, MYSQL_URL: url });
    expect(examined.status).toBe(1);
    expect(examined.find(code).message).toMatch(message);
  });

  it('a wrong password, and the right one is not shown', async () => {
    const url = new URL(await database.createDatabase('closed'));
    url.password = 'wrong-password';
    const examined = await doctor({ ...base, MYSQL_URL: url.href });
    expect(examined.codes('mysql')).toEqual(['mysql_access_denied']);
    expect(JSON.stringify(examined.findings)).not.toContain('wrong-password');
  });

  it('a database that is not there', async () => {
    expect(await codes(database.url('nobody_made_it'))).toEqual(['mysql_database_missing']);
  });

  it("somebody else's database", async () => {
    const own = await database.createDatabase('own');
    await database.createDatabase('foreign');
    const url = new URL(await limitedUser(own, 'ALL PRIVILEGES'));
    url.pathname = '/foreign';
    expect(await codes(url.href)).toEqual(['mysql_database_denied']);
  });

  it('TLS wanted of a server that has none', async () => {
    const url = `${await database.createDatabase('plain')}?ssl-mode=REQUIRED`;
    expect(await codes(url)).toEqual(['mysql_tls']);
  });
});

describe('doctor: rights', () => {
  it.each([
    ['SELECT', ['DROP'], true],
    ['SELECT, INSERT, UPDATE, DELETE, CREATE, DROP, INDEX', ['ALTER', 'CREATE VIEW'], false],
    ['SELECT, UPDATE, DELETE, CREATE, DROP, ALTER, INDEX, CREATE VIEW', ['INSERT'], false],
  ])('with %s alone it misses %j', async (rights, missing, cut) => {
    const url = await limitedUser(await database.createDatabase('rights'), rights);
    const examined = await doctor({ ...base, MYSQL_URL: url });
    expect(examined.status).toBe(1);
    const { message, mend } = examined.find('grants_missing');
    expect(message).toContain(`may not ${missing.join(', ')} in rights`);
    expect(message.includes('could not be tried')).toBe(cut);
    expect(mend).toMatch(/^GRANT .*CREATE VIEW.* ON `rights`\.\* TO limited$/);
  });

  it('the rights that it says to grant are enough, for the gateway too', async () => {
    const url = await database.createDatabase('granted');
    const { mend } = (await doctor({ ...base, MYSQL_URL: await limitedUser(url, 'SELECT') })).find('grants_missing');
    const rights = /^GRANT (.*) ON /.exec(mend ?? '')?.[1] ?? '';
    const limited = await limitedUser(url, rights);
    expect(await cli(['migrate'], { ...base, MYSQL_URL: limited })).toMatchObject({ status: 0 });
    expect(await codes(limited)).toEqual([]);
  });
});

describe('doctor: the server', () => {
  it('a default character set that spoils names', async () => {
    const url = await database.createDatabase('latin', 'latin1');
    expect((await doctor({ ...base, MYSQL_URL: url })).find('mysql_charset').mend).toContain(
      '`latin` CHARACTER SET utf8mb4',
    );
  });

  it.each([
    ['5.7.44-log', 'MySQL', true],
    ['8.0.11', 'MySQL', false],
    ['9.4.0', 'MySQL', false],
    ['10.1.48-MariaDB', 'MariaDB', true],
    ['10.4.34-MariaDB-log', 'MariaDB', true],
    ['10.5.0-MariaDB', 'MariaDB', false],
    ['10.11.6-MariaDB-0+deb12u1', 'MariaDB', false],
    ['11.8.2-MariaDB', 'MariaDB', false],
  ])('version %s is %s, too old: %s', (version, product, isTooOld) => {
    expect(serverVersion(version)).toEqual({ product, isTooOld });
  });

  it('one that is too old for the views', async () => {
    const old = await startMariaDb({ serverOptions: ['--version=10.3.39-MariaDB'] });
    try {
      const examined = await doctor({ ...base, MYSQL_URL: await old.createDatabase('old') });
      expect(examined.status).toBe(1);
      expect(examined.find('mysql_old')).toMatchObject({
        message: expect.stringContaining('MariaDB 10.3.39'),
        mend: 'upgrade to MariaDB 10.5 or later',
      });
    } finally {
      await old.stop();
    }
  });

  it('a replica that takes no writes', async () => {
    const url = await limitedUser(await school('replica'), 'ALL PRIVILEGES');
    await run(database.url('replica'), 'SET GLOBAL read_only = 1');
    const found = await codes(url);
    await run(database.url('replica'), 'SET GLOBAL read_only = 0');
    expect(found).toContain('mysql_read_only');
  });

  it('a clock a minute off', async () => {
    const url = await limitedUser(await school('clock'), 'ALL PRIVILEGES', 'late');
    const examined = await doctor({ ...base, MYSQL_URL: url });
    expect(examined.status).toBe(1);
    // On a busy machine time passes between the two clocks' readings.
    const [, secondsBehind] =
      /^the database's clock is ([\d.]+) s behind ours$/.exec(examined.find('clock_skew').message) ?? [];
    expect(Number(secondsBehind)).toBeGreaterThanOrEqual(59);
    expect(Number(secondsBehind)).toBeLessThan(120);
  });
});

describe("doctor: EyeLearn's tables", () => {
  const EXPECTED: Record<EyelearnVariant, { level: string; missing: string[] } | null> = {
    full: null,
    without_session_data: { level: 'warning', missing: ['session_data'] },
    without_focus_columns: { level: 'warning', missing: ['focused_time_seconds', 'unfocused_time_seconds'] },
    without_section: { level: 'warning', missing: ['section_id'] },
    more_session_types: null,
    extra_required_column: null,
  };

  it.each(EYELEARN_VARIANTS)('variant %s', async (variant) => {
    const examined = await doctor({ ...base, MYSQL_URL: await school(`variant_${variant}`, variant) });
    const expected = EXPECTED[variant];
    expect(examined.codes('eyelearn')).toEqual(expected === null ? [] : ['eyelearn_columns_missing']);
    if (expected !== null) {
      const finding = examined.find('eyelearn_columns_missing');
      expect(finding.level).toBe(expected.level);
      for (const column of expected.missing) expect(finding.message).toContain(column);
    }
  });

  it.each([
    ['a column that it cannot do without is gone', 'DROP COLUMN total_time_seconds', 'eyelearn_unusable'],
    ['a column that we cannot fill', 'ADD COLUMN place POINT NOT NULL', 'eyelearn_unusable'],
    ['an enum without viewing', "MODIFY session_type ENUM('pause','resume') NULL", 'eyelearn_session_type'],
    ['tables without transactions', 'ENGINE=MyISAM', 'eyelearn_engine'],
  ])('%s', async (name, change, code) => {
    const url = await school(`broken_${name.replace(/\W/g, '_')}`.slice(0, 60));
    await run(url, `ALTER TABLE eye_tracking_sessions ${change}`);
    const examined = await doctor({ ...base, MYSQL_URL: url });
    expect(examined.status).toBe(1);
    expect(examined.codes('eyelearn')).toContain(code);
  });

  it.each([
    ['the table of sessions is not there', 'DROP TABLE eye_tracking_sessions', 'eyelearn_table_missing'],
    ['nor the modules', 'DROP TABLE modules', 'eyelearn_names_missing'],
    [
      'nobody could agree to the camera',
      'ALTER TABLE users DROP COLUMN camera_agreement_accepted',
      'eyelearn_agreement_missing',
    ],
  ])('%s: a warning', async (name, change, code) => {
    const url = await school(`lacking_${name.replace(/\W/g, '_')}`.slice(0, 60));
    await run(url, change);
    const examined = await doctor({ ...base, MYSQL_URL: url });
    expect(examined.find(code).level).toBe('warning');
    expect(examined.codes('eyelearn')).toEqual([code]);
  });

  it('a table that this user may not write', async () => {
    const url = await school('guarded');
    const limited = new URL(url);
    limited.username = 'reader';
    limited.password = LIMITED.password;
    const to = `'reader'@'${database.host}'`;
    await run(
      url,
      `CREATE OR REPLACE USER ${to} IDENTIFIED BY '${LIMITED.password}'`,
      ...['relay_doctor_probe', 'relay_doctor_probe_view'].map((table) => `GRANT ALL ON guarded.${table} TO ${to}`),
      `GRANT SELECT ON guarded.* TO ${to}`,
    );
    const examined = await doctor({ ...base, MYSQL_URL: limited.href });
    expect(examined.status).toBe(1);
    expect(examined.codes('eyelearn')).toEqual(['eyelearn_denied']);
  });

  it('no EyeLearn at all is a note: the database may be ours alone', async () => {
    const examined = await doctor({ ...base, MYSQL_URL: await school('alone', null) });
    expect(examined.codes('eyelearn')).toEqual([]);
    expect(examined.find('eyelearn_absent').level).toBe('note');
  });
});
