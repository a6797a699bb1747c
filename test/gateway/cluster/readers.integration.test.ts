import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestGateway, type TestGateway } from '../../../harness/gateway.ts';
import { type MariaDb, startMariaDb } from '../../../harness/mariadb.ts';
import { type Nats, startNats } from '../../../harness/nats.ts';

let nats: Nats;
let database: MariaDb;
let one: TestGateway;
let other: TestGateway;

beforeAll(async () => {
  [nats, database] = await Promise.all([startNats(), startMariaDb()]);
  const env = { NATS_URL: nats.url, MYSQL_URL: await database.createDatabase('readers') };
  [one, other] = await Promise.all([startTestGateway(env), startTestGateway(env)]);
});
afterAll(async () => {
  await Promise.all([one?.dispose(), other?.dispose()]);
  await nats?.stop();
  await database?.stop();
});

const ask = (gateway: TestGateway, path: string, bearer: string, method = 'GET') =>
  fetch(new URL(path, gateway.url), { method, headers: { authorization: `Bearer ${bearer}` } });

async function tokenAt(gateway: TestGateway, userId: number): Promise<string> {
  const ticket = await gateway.ticket(userId, { role: 'teacher' });
  const answer = await ask(gateway, '/api/v1/reader-token', ticket, 'POST');
  return ((await answer.json()) as { readonly token: string }).token;
}

describe('a reader whose tokens one of several gateways has revoked', () => {
  it('reads nothing at the others either, and others read on; while NATS is unavailable reports stay readable', async () => {
    const [revoked, untouched] = await Promise.all([tokenAt(one, 31), tokenAt(one, 32)]);
    expect((await ask(other, '/api/v1/me', untouched)).status).toBe(200);
    const admin = await one.ticket(1, { role: 'admin' });
    expect((await ask(one, '/api/v1/readers/31/tokens', admin, 'DELETE')).status).toBe(200);
    expect((await ask(one, '/api/v1/me', revoked)).status).toBe(401);
    expect((await ask(other, '/api/v1/me', revoked)).status).toBe(401);
    expect((await ask(other, '/api/v1/me', untouched)).status).toBe(200);
    await nats.servers[0]?.kill();
    expect((await ask(one, '/api/v1/me', revoked)).status).toBe(401);
    expect((await ask(other, '/api/v1/me', untouched)).status).toBe(200);
    // What the others would not hear of is no success.
    const late = await ask(one, '/api/v1/readers/32/tokens', await one.ticket(1, { role: 'admin' }), 'DELETE');
    expect([late.status, await late.json()]).toMatchObject([503, { error: { code: 'nats_unreachable' } }]);
  });
});
