import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestGateway, type TestGateway } from '../../../harness/gateway.ts';
import { type Nats, startNats } from '../../../harness/nats.ts';
import { Peer } from '../../../harness/peer.ts';

describe('a gateway with NATS_URL and without students', () => {
  let nats: Nats;
  let gateway: TestGateway;
  beforeAll(async () => {
    nats = await startNats();
    gateway = await startTestGateway({ NATS_URL: nats.url, IDLE_AFTER_MS: '1000', RESUME_GRACE_MS: '0' });
  });
  afterAll(async () => {
    await gateway?.dispose();
    await nats?.stop();
  });

  /** Connections that the server has now, and messages that it has had. */
  async function traffic(): Promise<{ connections: number; messages: number }> {
    const [server] = nats.servers;
    const varz = (await (await fetch(`${server?.monitorUrl}/varz`)).json()) as { connections: number; in_msgs: number };
    return { connections: varz.connections, messages: varz.in_msgs };
  }

  async function readiness(): Promise<{ ready: boolean; nats: string; natsFault: string | null }> {
    return (await (await fetch(new URL('/readyz', gateway.url))).json()) as never;
  }

  it('holds no connection and sends nothing, before the first student and after the last', async () => {
    await expect.poll(async () => (await traffic()).connections).toBe(0);
    const { messages } = await traffic();
    const peer = await Peer.open(gateway.url);
    await peer.hello(await gateway.ticket(7));
    expect((await traffic()).connections).toBe(1);
    expect(await readiness()).toMatchObject({ ready: true, nats: 'open', natsFault: null });
    await peer.close();
    await expect.poll(async () => (await traffic()).connections).toBe(0);
    expect((await traffic()).messages).toBeGreaterThan(messages);
    expect(await readiness()).toMatchObject({ ready: true, nats: 'closed', natsFault: null });
  });

  it('stays ready while NATS is unavailable, and says so', async () => {
    await nats.servers[0]?.kill();
    const peer = await Peer.open(gateway.url);
    const greeted = peer.hello(await gateway.ticket(8)).catch(() => null);
    await expect.poll(async () => (await readiness()).natsFault).toBe('nats_unreachable');
    expect((await readiness()).ready).toBe(true);
    peer.socket.terminate();
    await greeted;
  });
});
