import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type NatsLink, natsLink } from '../../../gateway/nats/connection.ts';
import { SILENT } from '../../../harness/gateway.ts';
import { type Nats, type NatsOptions, type NatsServer, startNats } from '../../../harness/nats.ts';
import { type Authority, createAuthority } from '../../support/certificates.ts';
import { natsConfig } from './nats-config.ts';

const links: NatsLink[] = [];
const started: Nats[] = [];

function linkTo(url: string, env: Readonly<Record<string, string>> = {}, timeoutMs = 5000): NatsLink {
  const link = natsLink(natsConfig(url, env), SILENT, { timeoutMs, idleMs: 100 });
  links.push(link);
  return link;
}

async function serve(options: NatsOptions): Promise<Nats> {
  const nats = await startNats(options);
  started.push(nats);
  return nats;
}

/** Number of connections that a server has. */
async function connectionsOf({ monitorUrl }: { monitorUrl: string }): Promise<number> {
  const answer = (await (await fetch(`${monitorUrl}/connz`)).json()) as { num_connections: number };
  return answer.num_connections;
}

const account = (link: NatsLink) => link.use(({ jsm }) => jsm.getAccountInfo());
const codeOf = (work: Promise<unknown>) =>
  work.then(
    () => 'no fault',
    (error: { code: string }) => error.code,
  );

afterEach(async () => {
  await Promise.all(links.splice(0).map((link) => link.close()));
  await Promise.all(started.splice(0).map((nats) => nats.stop()));
});

describe('the connection to one server', () => {
  let nats: Nats;
  beforeAll(async () => {
    nats = await startNats();
  });
  afterAll(() => nats.stop());

  const one = () => {
    const [server] = nats.servers;
    if (server === undefined) throw new Error('there is no server');
    return server;
  };

  it('opens with the first task and closes when nothing uses it', async () => {
    const link = linkTo(nats.url);
    expect(link.state()).toBe('closed');
    expect(await connectionsOf(one())).toBe(0);
    await account(link);
    expect(link.state()).toBe('open');
    expect(await connectionsOf(one())).toBe(1);
    await expect.poll(() => link.state()).toBe('closed');
    await expect.poll(() => connectionsOf(one())).toBe(0);
    await account(link);
    expect(link.state()).toBe('open');
  });

  it('stays open while it is held', async () => {
    const link = linkTo(nats.url);
    const other = linkTo(nats.url);
    const release = link.hold();
    await Promise.all([account(link), account(other)]);
    await expect.poll(() => other.state()).toBe('closed');
    expect(link.state()).toBe('open');
    release();
    release();
    await expect.poll(() => link.state()).toBe('closed');
  });

  it('takes no task after it was closed', async () => {
    const link = linkTo(nats.url);
    await link.close();
    expect(await codeOf(account(link))).toBe('nats_closed');
  });

  it('does not take a stream that nothing answers for, as during an election, for a server without JetStream', async () => {
    const link = linkTo(nats.url);
    expect(await codeOf(link.use(({ js }) => js.publish('no.stream', 'x')))).toBe('nats_unreachable');
  });

  it('says so when there are fewer servers than copies', async () => {
    const link = linkTo(nats.url, { NATS_REPLICAS: '3' });
    const add = link.use(({ jsm }) => jsm.streams.add({ name: 'three', subjects: ['three'], num_replicas: 3 }));
    expect(await codeOf(add)).toBe('nats_too_few_servers');
  });
});

describe('what is wrong with NATS_URL has one name each', () => {
  it('nothing listens there', async () => {
    const link = linkTo('nats://127.0.0.1:1');
    expect(await codeOf(account(link))).toBe('nats_unreachable');
    expect(link.state()).toBe('lost');
    expect(link.fault()?.message).toContain('127.0.0.1:1');
  });

  it('another service listens there', async () => {
    const http = createServer().listen(0, '127.0.0.1');
    await once(http, 'listening');
    const { port } = http.address() as AddressInfo;
    expect(await codeOf(account(linkTo(`nats://127.0.0.1:${port}`, {}, 500)))).toBe('nats_unreachable');
    http.close();
  });

  it('no JetStream', async () => {
    const nats = await serve({ withoutJetStream: true });
    expect(await codeOf(account(linkTo(nats.url)))).toBe('nats_without_jetstream');
  });

  it('a wrong password, no password, TLS that the server does not speak, and a user without rights', async () => {
    const nats = await serve({
      identity: 'relay:sec%2Fret@',
      configuration: `authorization { users: [
        { user: relay, password: "sec/ret" },
        { user: guest, password: guest, permissions: { publish: "nothing", subscribe: "_INBOX.>" } }
      ] }`,
    });
    expect(await codeOf(account(linkTo(nats.url)))).toBe('no fault');
    const bare = nats.url.replace('relay:sec%2Fret@', '');
    expect(await codeOf(account(linkTo(bare)))).toBe('nats_refused');
    expect(await codeOf(account(linkTo(nats.url.replace('sec', 'other'))))).toBe('nats_refused');
    expect(await codeOf(account(linkTo(nats.url.replace('nats:', 'tls:'))))).toBe('nats_tls_failed');
    const guest = linkTo(nats.url.replace('relay:sec%2Fret', 'guest:guest'));
    expect(await codeOf(account(guest))).toBe('nats_forbidden');
  });

  it('credentials that cannot be read', async () => {
    const link = linkTo('nats://127.0.0.1:1', { NATS_CREDS_FILE: '/nowhere/relay.creds' });
    expect(await codeOf(account(link))).toBe('nats_refused');
  });
});

describe('TLS to NATS, with certificates of an authority of our own', () => {
  let folder: string;
  let authority: Authority;
  beforeAll(async () => {
    folder = await mkdtemp(path.join(os.tmpdir(), 'relay-tls-'));
    authority = createAuthority(folder, 'ours');
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  it('is spoken where NATS_CA_FILE names the authority; with another one, none, or no TLS it is one clear fault', async () => {
    const nats = await serve({ tls: authority.issue('server', 'IP:127.0.0.1') });
    expect(await codeOf(account(linkTo(nats.url, { NATS_CA_FILE: authority.caFile })))).toBe('no fault');
    const other = linkTo(nats.url, { NATS_CA_FILE: createAuthority(folder, 'other').caFile });
    expect(await codeOf(account(other))).toBe('nats_tls_failed');
    expect(other.fault()).toMatchObject({ code: 'nats_tls_failed', hint: expect.stringContaining('NATS_CA_FILE') });
    expect(await codeOf(account(linkTo(nats.url)))).toBe('nats_tls_failed');
    expect(await codeOf(account(linkTo(nats.url, { NATS_CA_FILE: '/nowhere/ca.pem' })))).toBe('nats_tls_failed');
    // A server that wants TLS says so, also to nats://.
    const plain = nats.url.replace('tls:', 'nats:');
    expect(await codeOf(account(linkTo(plain)))).toBe('nats_tls_failed');
    expect(await codeOf(account(linkTo(plain, { NATS_CA_FILE: authority.caFile })))).toBe('no fault');
  });

  it('is refused where the certificate is for another host', async () => {
    const nats = await serve({ tls: authority.issue('elsewhere', 'DNS:nats.example') });
    const link = linkTo(nats.url, { NATS_CA_FILE: authority.caFile });
    expect(await codeOf(account(link))).toBe('nats_tls_failed');
  });

  it("has the gateway's own certificate where the servers ask for one", async () => {
    const nats = await serve({
      tls: { ...authority.issue('strict', 'IP:127.0.0.1'), clientCaFile: authority.caFile },
    });
    const { certFile, keyFile } = authority.issue('gateway', 'DNS:gateway');
    const own = { NATS_CA_FILE: authority.caFile, NATS_CERT_FILE: certFile, NATS_KEY_FILE: keyFile };
    expect(await codeOf(account(linkTo(nats.url, own)))).toBe('no fault');
    // The server hangs up without a reason that the client could read.
    const without = account(linkTo(nats.url, { NATS_CA_FILE: authority.caFile }));
    await expect(without).rejects.toMatchObject({
      code: 'nats_unreachable',
      hint: expect.stringContaining('NATS_CERT_FILE'),
    });
  });
});

describe('a cluster of three', () => {
  it('moves to another server when its own is killed, or stands still', async () => {
    const nats = await serve({ servers: 3 });
    const link = linkTo(nats.url, {}, 2000);
    const release = link.hold();
    const serverOf = () => link.use(async ({ connection }) => connection.getServer());
    const own = async () => {
      const address = await serverOf();
      const server = nats.servers.find(({ port }) => address.endsWith(`:${port}`));
      if (server === undefined) throw new Error(`no server of ours at ${address}`);
      return server;
    };
    // A request is what finds out that its server is silent.
    const hasLeft = async (server: NatsServer) =>
      (await codeOf(account(link))) === 'no fault' && (await own()) !== server;
    const first = await own();
    await first.kill();
    await expect.poll(() => hasLeft(first)).toBe(true);
    await first.restart();

    const second = await own();
    second.signal('SIGSTOP');
    await expect.poll(() => hasLeft(second)).toBe(true);
    second.signal('SIGCONT');
    release();
  });
});
