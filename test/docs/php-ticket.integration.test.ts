import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import mysql from 'mysql2/promise';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { verifyTicket } from '../../gateway/auth/ticket.ts';
import { ensureProgram, PHP, PHP_MYSQL } from '../../harness/debian-packages.ts';
import { createEyelearnTables } from '../../harness/eyelearn-schema.ts';
import { ORIGIN, SECRET, startTestGateway, type TestGateway } from '../../harness/gateway.ts';
import { type MariaDb, startMariaDb } from '../../harness/mariadb.ts';
import { Peer } from '../../harness/peer.ts';
import { type PhpPages, startPhp } from '../support/php-pages.ts';

const SNIPPET = readFileSync(fileURLToPath(new URL('../../docs/php/relay_ticket.php', import.meta.url)), 'utf8');
/** What EyeLearn's own login leaves in the session. */
const LOGIN = "<?php session_start(); $_SESSION['user_id'] = (int) $_GET['id'];";
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
  php = await startPhp({ 'relay_ticket.php': SNIPPET, 'login.php': LOGIN }, phpEnv);
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
}

/** Asks as the client does: the module's id in the query, the session in the cookie. */
async function ask(cookie: string, moduleId: number | string = 3, pages = php): Promise<Answer> {
  const response = await fetch(`${pages.url}relay_ticket.php?moduleId=${moduleId}`, { headers: { cookie } });
  return { status: response.status, ...((await response.json()) as object) };
}

describe('the five lines in docs/railway.md', () => {
  it('mint a ticket that the gateway trusts', async () => {
    const guide = readFileSync(fileURLToPath(new URL('../../docs/railway.md', import.meta.url)), 'utf8');
    const lines = /```php\n([\s\S]*?)```/.exec(guide)?.[1] ?? '';
    const given = `$userId = ${ANA}; $moduleId = 3; putenv('RELAY_JWT_SECRET=${SECRET}');`;
    const encode = /function base64url[\s\S]*?\n}/.exec(SNIPPET)?.[0] ?? '';
    const { stdout } = await promisify(execFile)(ensureProgram(PHP), ['-r', `${encode}\n${given}\n${lines}`]);
    const { ticket } = JSON.parse(stdout) as { ticket: string };
    expect(await verifyTicket(ticket, SECRET, new Date())).toEqual({ userId: ANA, moduleId: 3, role: 'student' });
  });
});

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

  it('nobody is logged in: 401, which ends tracking', async () => {
    expect(await ask('')).toEqual({ status: 401, error: 'not_logged_in' });
    expect(await ask('PHPSESSID=invented')).toEqual({ status: 401, error: 'not_logged_in' });
  });

  it('a login whose user was deleted since: 401', async () => {
    expect(await ask(await login(999))).toEqual({ status: 401, error: 'not_logged_in' });
  });

  it('no agreement to the camera: 403', async () => {
    expect(await ask(await login(BEN))).toEqual({ status: 403, error: 'camera_not_agreed' });
  });

  it.each(['0', '-3', 'x', ''])('module %j: 400', async (moduleId) => {
    expect(await ask(await login(ANA), moduleId)).toEqual({ status: 400, error: 'module_id_invalid' });
  });

  it('a secret that is missing, and a database that is away, are said without a ticket or a password', async () => {
    const broken = await startPhp(
      { 'relay_ticket.php': SNIPPET, 'login.php': LOGIN },
      { ...phpEnv, RELAY_JWT_SECRET: 'short' },
    );
    const away = await startPhp({ 'relay_ticket.php': SNIPPET, 'login.php': LOGIN }, { ...phpEnv, DB_PORT: '1' });
    try {
      expect(await ask(await login(ANA, broken), 3, broken)).toEqual({ status: 500, error: 'secret_missing' });
      expect(await ask(await login(ANA, away), 3, away)).toEqual({ status: 503, error: 'database_unreachable' });
    } finally {
      await broken.stop();
      await away.stop();
    }
  });

  it('another secret on the two sides: the gateway refuses the ticket', async () => {
    const other = await startPhp(
      { 'relay_ticket.php': SNIPPET, 'login.php': LOGIN },
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
