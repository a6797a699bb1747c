import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import mysql from 'mysql2/promise';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ensureProgram, PHP_MYSQL } from '../../../harness/debian-packages.ts';
import { createEyelearnTables } from '../../../harness/eyelearn-schema.ts';
import { ORIGIN, SECRET, startTestGateway, type TestGateway } from '../../../harness/gateway.ts';
import { type MariaDb, startMariaDb } from '../../../harness/mariadb.ts';
import { Peer } from '../../../harness/peer.ts';
import { type PhpPages, startPhp } from '../../../harness/php-pages.ts';

const page = (name: string) =>
  readFileSync(fileURLToPath(new URL(`../../../gateway/eyelearn/pages/${name}`, import.meta.url)), 'utf8');
const PAGES = {
  'user/relay_common.php': page('relay_common.php'),
  'user/relay_ticket.php': page('relay_ticket.php'),
  'user/relay_reports.php': page('relay_reports.php'),
};
/** What EyeLearn's own login leaves in the session. */
const LOGIN = { 'login.php': "<?php session_start(); $_SESSION['user_id'] = (int) $_GET['id'];" };
const ANA = 7;
const BEN = 8;

let database: MariaDb;
let gateway: TestGateway;
let php: PhpPages;
let phpEnv: Record<string, string>;

beforeAll(async () => {
  ensureProgram(PHP_MYSQL);
  database = await startMariaDb();
  const connection = await mysql.createConnection(await database.createDatabase('school'));
  await createEyelearnTables(connection, 'full');
  await connection.query('UPDATE users SET camera_agreement_accepted = 0 WHERE id = ?', [BEN]);
  await connection.end();
  gateway = await startTestGateway();
  phpEnv = {
    RELAY_JWT_SECRET: SECRET,
    DB_HOST: database.host,
    DB_PORT: String(database.port),
    DB_USER: database.user,
    DB_PASS: database.password,
    DB_NAME: 'school',
  };
  php = await startPhp({ ...PAGES, ...LOGIN }, phpEnv);
});

afterAll(async () => {
  await php?.stop();
  await gateway?.dispose();
  await database?.stop();
});

async function login(userId: number, pages = php): Promise<string> {
  const response = await fetch(`${pages.url}login.php?id=${userId}`);
  return response.headers.get('set-cookie')?.split(';')[0] ?? '';
}

interface Answer {
  readonly status: number;
  readonly ticket?: string;
  readonly error?: string;
  readonly message?: string;
}

/** Status and code; the sentence that comes with each code is for people. */
async function codeOf(answer: Promise<Answer>): Promise<{ status: number; error: string | undefined }> {
  const { status, error, message } = await answer;
  if (status !== 200) expect(message).toMatch(/\w+ \w+.*[.:]/);
  return { status, error };
}

/** Asks as the client does: the module's id in the query, the session in the cookie. */
async function ask(cookie: string, moduleId: number | string = 3, pages = php): Promise<Answer> {
  const response = await fetch(`${pages.url}user/relay_ticket.php?moduleId=${moduleId}`, { headers: { cookie } });
  return { status: response.status, ...((await response.json()) as object) };
}

describe('relay_ticket.php', () => {
  it('a student who is logged in and has agreed gets a ticket that the gateway takes, as that student', async () => {
    const { status, ticket = '' } = await ask(await login(ANA));
    expect(status).toBe(200);
    const peer = await Peer.open(gateway.url, { origin: ORIGIN });
    const { sessionId } = await peer.hello(ticket);
    await peer.start();
    await peer.stop(1000);
    await peer.close();
    expect(await gateway.report(sessionId, ANA)).toMatchObject({ userId: ANA, moduleId: 3 });
  });

  it('each ticket is another one, good for 300 s, and says no more than it must', async () => {
    const cookie = await login(ANA);
    const claims = [await ask(cookie), await ask(cookie)].map(({ ticket = '' }) =>
      JSON.parse(Buffer.from(ticket.split('.')[1] ?? '', 'base64url').toString()),
    );
    expect(claims[0]).toMatchObject({ aud: 'edge-relay', sub: '7', role: 'student', mid: 3 });
    expect(Object.keys(claims[0]).sort()).toEqual(['aud', 'exp', 'iat', 'jti', 'mid', 'role', 'sub']);
    expect(claims[0].exp - claims[0].iat).toBe(300);
    expect(claims[0].jti).not.toBe(claims[1].jti);
  });

  it('without a login: 401, which ends tracking', async () => {
    expect(await codeOf(ask(''))).toEqual({ status: 401, error: 'not_logged_in' });
    expect(await codeOf(ask('PHPSESSID=invented'))).toEqual({ status: 401, error: 'not_logged_in' });
  });

  it('a login whose user was deleted since: 401', async () => {
    expect(await codeOf(ask(await login(999)))).toEqual({ status: 401, error: 'not_logged_in' });
  });

  it('no agreement to the camera: 403', async () => {
    expect(await codeOf(ask(await login(BEN)))).toEqual({ status: 403, error: 'camera_not_agreed' });
  });

  it.each(['0', '-3', 'x', ''])('module %j: 400', async (moduleId) => {
    expect(await codeOf(ask(await login(ANA), moduleId))).toEqual({ status: 400, error: 'module_id_invalid' });
  });

  it('a missing secret and an unreachable database are named without a ticket or a password', async () => {
    const broken = await startPhp({ ...PAGES, ...LOGIN }, { ...phpEnv, RELAY_JWT_SECRET: 'short' });
    const away = await startPhp({ ...PAGES, ...LOGIN }, { ...phpEnv, DB_PORT: '1' });
    try {
      expect(await codeOf(ask(await login(ANA, broken), 3, broken))).toEqual({ status: 500, error: 'secret_missing' });
      expect(await codeOf(ask(await login(ANA, away), 3, away))).toEqual({
        status: 503,
        error: 'database_unreachable',
      });
    } finally {
      await broken.stop();
      await away.stop();
    }
  });

  it('another secret on the two sides: the gateway refuses the ticket', async () => {
    const other = await startPhp(
      { ...PAGES, ...LOGIN },
      { ...phpEnv, RELAY_JWT_SECRET: 'another secret that is long enough, too' },
    );
    const { ticket = '' } = await ask(await login(ANA, other), 3, other);
    await other.stop();
    const peer = await Peer.open(gateway.url, { origin: ORIGIN });
    peer.sendControl({ type: 'hello', protocol: 'gaze-relay.v1', ticket, resume: null, client: 'test' });
    expect(await peer.closed).toBeGreaterThanOrEqual(4400);
    expect(peer.controls).toContainEqual(expect.objectContaining({ type: 'error', code: 'ticket_invalid' }));
  });
});

/** Another state of the school, and PHP started for it alone. */
async function withPages(
  options: { readonly env: Record<string, string>; readonly files?: Record<string, string> },
  body: (pages: PhpPages) => Promise<void>,
): Promise<void> {
  const pages = await startPhp({ ...PAGES, ...LOGIN, ...options.files }, { RELAY_JWT_SECRET: SECRET, ...options.env });
  try {
    await body(pages);
  } finally {
    await pages.stop();
  }
}

describe('where the pages find the database', () => {
  /** Values under the names of one set. */
  const named = (host: string, port: string, user: string, password: string, name: string) => ({
    [host]: database.host,
    [port]: String(database.port),
    [user]: database.user,
    [password]: database.password,
    [name]: 'school',
  });
  const url = () => {
    const address = new URL('mysql://host/school');
    address.hostname = database.host;
    address.port = String(database.port);
    address.username = encodeURIComponent(database.user);
    address.password = encodeURIComponent(database.password);
    return address.href;
  };

  it.each([
    ['MYSQL_URL', () => ({ MYSQL_URL: url() })],
    ["Railway's names", () => named('MYSQLHOST', 'MYSQLPORT', 'MYSQLUSER', 'MYSQLPASSWORD', 'MYSQLDATABASE')],
    [
      'the same with underscores',
      () => named('MYSQL_HOST', 'MYSQL_PORT', 'MYSQL_USER', 'MYSQL_PASSWORD', 'MYSQL_DATABASE'),
    ],
    ['DB_…', () => named('DB_HOST', 'DB_PORT', 'DB_USER', 'DB_PASS', 'DB_NAME')],
    ['MYSQL_URL before any other set', () => ({ ...phpEnv, DB_PORT: '1', MYSQL_URL: url() })],
  ])('%s', async (_name, env) => {
    await withPages({ env: env() }, async (pages) => {
      expect((await ask(await login(ANA, pages), 3, pages)).status).toBe(200);
    });
  });

  it('a set is taken whole: a host of one set is not joined with the user of another', async () => {
    const { DB_HOST: _, ...withoutHost } = phpEnv;
    await withPages(
      { env: { ...withoutHost, MYSQLHOST: database.host, MYSQLPORT: String(database.port), MYSQLDATABASE: 'school' } },
      async (pages) => {
        expect(await codeOf(ask(await login(ANA, pages), 3, pages))).toEqual({
          status: 503,
          error: 'database_access_denied',
        });
      },
    );
  });

  it('a .env file beside the pages or above them', async () => {
    const lines = Object.entries({ ...phpEnv, RELAY_JWT_SECRET: SECRET }).map(([name, value]) => `${name}="${value}"`);
    const files = { '.env': ['# settings', ...lines, ''].join('\n') };
    await withPages({ env: { RELAY_JWT_SECRET: '' }, files }, async (pages) => {
      expect((await ask(await login(ANA, pages), 3, pages)).status).toBe(200);
    });
  });

  const connect = () =>
    `new PDO('mysql:host=${database.host};port=${database.port};dbname=school', '${database.user}', '${database.password}')`;
  const mysqli = () =>
    `new mysqli('${database.host}', '${database.user}', '${database.password}', 'school', ${database.port})`;

  it.each<[string, () => Record<string, string>]>([
    [
      'a variable of config.php that prints and starts the session again',
      () => ({ 'config.php': `connected\n<?php $pdo = ${connect()}; session_start();` }),
    ],
    [
      'a function of config.php that gives mysqli',
      () => ({ 'config.php': `<?php function getDBConnection() { return ${mysqli()}; }` }),
    ],
    [
      'a function of database/db_connection.php',
      () => ({ 'database/db_connection.php': `<?php function getPDOConnection() { return ${connect()}; }` }),
    ],
  ])("the platform's own connection: %s", async (_name, files) => {
    await withPages({ env: {}, files: files() }, async (pages) => {
      expect((await ask(await login(ANA, pages), 3, pages)).status).toBe(200);
    });
  });

  it("the platform's own file fails: the answer is JSON all the same", async () => {
    await withPages({ env: {}, files: { 'config.php': "<?php die('Connection failed: secret');" } }, async (pages) => {
      expect(await codeOf(ask(await login(ANA, pages), 3, pages))).toEqual({
        status: 503,
        error: 'database_unreachable',
      });
    });
  });

  it('nothing is configured: said as that', async () => {
    await withPages({ env: {} }, async (pages) => {
      expect(await codeOf(ask(await login(ANA, pages), 3, pages))).toEqual({
        status: 503,
        error: 'database_not_configured',
      });
    });
  });
});

describe('what relay_ticket.php asks of whom', () => {
  /** A copy of the school, changed by one statement. */
  async function changed(name: string, ...statements: string[]): Promise<Record<string, string>> {
    const connection = await mysql.createConnection(await database.createDatabase(name));
    await createEyelearnTables(connection, 'full');
    for (const statement of statements) await connection.query(statement);
    await connection.end();
    return { ...phpEnv, DB_NAME: name };
  }

  it('the agreement to the camera is asked of students alone', async () => {
    const env = await changed(
      'with_admin',
      `UPDATE users SET role = 'admin', camera_agreement_accepted = 0 WHERE id = 8`,
    );
    await withPages({ env }, async (pages) => {
      const { status, ticket = '' } = await ask(await login(BEN, pages), 3, pages);
      expect(status).toBe(200);
      expect(JSON.parse(Buffer.from(ticket.split('.')[1] ?? '', 'base64url').toString())).toMatchObject({
        role: 'admin',
      });
    });
  });

  it('a module that is not there: 404', async () => {
    expect(await codeOf(ask(await login(ANA), 999))).toEqual({ status: 404, error: 'module_not_found' });
  });

  it.each([
    ['a missing column', 'ALTER TABLE users DROP COLUMN camera_agreement_accepted', 'agreement_column_missing'],
    ['a missing table', 'DROP TABLE modules', 'table_missing'],
  ])('%s is named as that, not as an unreachable database', async (name, statement, error) => {
    const env = await changed(name.replaceAll(' ', '_'), statement);
    await withPages({ env }, async (pages) => {
      expect(await codeOf(ask(await login(ANA, pages), 3, pages))).toEqual({ status: 500, error });
    });
  });

  it('a database that does not exist, and a user that may not come in', async () => {
    await withPages({ env: { ...phpEnv, DB_NAME: 'nowhere' } }, async (pages) => {
      expect(await codeOf(ask(await login(ANA, pages), 3, pages))).toEqual({ status: 503, error: 'database_unknown' });
    });
    await withPages({ env: { ...phpEnv, DB_USER: 'stranger' } }, async (pages) => {
      expect((await codeOf(ask(await login(ANA, pages), 3, pages))).error).toMatch(/database_(access_denied|unknown)/);
    });
  });
});

describe('relay_reports.php', () => {
  const open = async (cookie: string, pages: PhpPages) =>
    fetch(`${pages.url}user/relay_reports.php`, { headers: { cookie }, redirect: 'manual' });

  it('opens the reports for an admin, with a ticket that the gateway takes', async () => {
    const name = 'with_door';
    const connection = await mysql.createConnection(await database.createDatabase(name));
    await createEyelearnTables(connection, 'full');
    await connection.query("UPDATE users SET role = 'admin' WHERE id = 8");
    await connection.end();
    await withPages({ env: { ...phpEnv, DB_NAME: name, RELAY_GATEWAY_URL: gateway.url } }, async (pages) => {
      const response = await open(await login(BEN, pages), pages);
      expect(response.status).toBe(303);
      const address = new URL(response.headers.get('location') ?? '');
      expect(address.pathname).toBe('/reports');
      const ticket = new URLSearchParams(address.hash.slice(1)).get('ticket');
      const exchanged = await fetch(new URL('/api/v1/reader-token', gateway.url), {
        method: 'POST',
        headers: { authorization: `Bearer ${ticket}` },
      });
      expect(exchanged.status).toBe(200);

      const student = await open(await login(ANA, pages), pages);
      expect(student.status).toBe(403);
      expect(await student.text()).toContain('staff_only');
      expect((await open('', pages)).status).toBe(401);
    });
  });

  it('without a gateway it says what to set; one that the installer wrote down is enough', async () => {
    const files = { 'user/relay_gateway.php': `<?php return '${gateway.url}';` };
    await withPages({ env: phpEnv }, async (pages) => {
      const response = await open(await login(ANA, pages), pages);
      expect(response.status).toBe(500);
      expect(await response.text()).toContain('RELAY_GATEWAY_URL');
    });
    await withPages({ env: phpEnv, files }, async (pages) => {
      expect((await open(await login(ANA, pages), pages)).status).toBe(403);
    });
  });
});
