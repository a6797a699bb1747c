import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { startTestGateway, type TestGateway } from '../../../harness/gateway.ts';
import { type MariaDb, startMariaDb } from '../../../harness/mariadb.ts';
import { type Nats, startNats } from '../../../harness/nats.ts';
import { faceAtScreen } from '../../../harness/observations.ts';
import { Peer } from '../../../harness/peer.ts';
import { waitFor } from '../../../harness/wait-for.ts';
import { answers } from '../../../shared/report/answers.ts';

let nats: Nats;
let database: MariaDb;
let mysqlUrl: string;
const gateways: TestGateway[] = [];
const peers: Peer[] = [];
let nextUser = 100;

beforeAll(async () => {
  [nats, database] = await Promise.all([startNats(), startMariaDb()]);
  mysqlUrl = await database.createDatabase('gateways');
});

afterEach(async () => {
  for (const peer of peers.splice(0)) peer.socket.terminate();
  await Promise.all(gateways.splice(0).map((gateway) => gateway.dispose()));
});

afterAll(async () => {
  await nats?.stop();
  await database?.stop();
});

async function start(env: Readonly<Record<string, string>> = {}): Promise<TestGateway> {
  const gateway = await startTestGateway({ NATS_URL: nats.url, MYSQL_URL: mysqlUrl, ...env });
  gateways.push(gateway);
  return gateway;
}

async function join(gateway: TestGateway, userId: number, resume: string | null = null) {
  const peer = await Peer.open(gateway.url);
  peers.push(peer);
  return { peer, welcome: await peer.hello(await gateway.ticket(userId), resume) };
}

/** Studies in device mode from one moment of the capture clock to another, an observation each quarter of a second. */
async function study(peer: Peer, fromMs: number, untilMs: number): Promise<void> {
  for (let captureMs = fromMs; captureMs <= untilMs; captureMs += 250) {
    const seq = captureMs / 250;
    const look = faceAtScreen();
    const face = look.face === null ? null : { ...look.face, headYawDeg: look.face.headYawDeg + 0.4 * (seq % 5) };
    peer.send({ kind: 'observation', seq, captureMs, late: false, observation: { ...look, face } });
    await peer.update(seq);
  }
}

const camera = { widthPx: 640, heightPx: 480 };
const newUser = () => (nextUser += 1);

describe('one student, one stream over all gateways', () => {
  it('S-2 S-3 a second connection at another gateway supersedes the first and has its session, exactly', async () => {
    const [one, other] = await Promise.all([start(), start()]);
    const userId = newUser();
    const first = await join(one, userId);
    await first.peer.start(0, camera, 'device');
    await study(first.peer, 250, 1500);
    const before = first.peer.updates.at(-1);
    const second = await join(other, userId, first.welcome.resume);
    expect(await first.peer.closed).toBe(4409);
    expect(second.welcome).toMatchObject({ resumed: true, sessionId: first.welcome.sessionId });
    expect(second.welcome.epoch).toBeGreaterThan(first.welcome.epoch);
    expect(second.welcome.totals.focusedMs).toBeGreaterThanOrEqual(before?.focusedMs ?? 0);
    expect(second.welcome.totals.focusedMs).toBeGreaterThan(1000);
    await second.peer.start(second.welcome.clockMs, camera, 'device');
    const { totals } = await second.peer.stop(second.welcome.clockMs);
    const report = await other.report(first.welcome.sessionId, userId);
    expect(report).toMatchObject({ focusedMs: totals.focusedMs, final: true });
    expect(new Set(report?.windows.map(({ epoch }) => epoch)).size).toBe(2);
  });

  it('S-3 a session that waits at one gateway is resumed at another', async () => {
    const [one, other] = await Promise.all([start(), start()]);
    const userId = newUser();
    const first = await join(one, userId);
    await first.peer.start(0, camera, 'device');
    await study(first.peer, 250, 1000);
    await first.peer.close();
    const second = await join(other, userId, first.welcome.resume);
    expect(second.welcome).toMatchObject({ resumed: true, sessionId: first.welcome.sessionId });
    // Back at the first one, which has it no more.
    await second.peer.close();
    const third = await join(one, userId, second.welcome.resume);
    expect(third.welcome).toMatchObject({ resumed: true, totals: second.welcome.totals });
  });

  it('a gateway whose students have left has no connection to NATS; a session of theirs is resumed at another one, exactly', async () => {
    const env = { IDLE_AFTER_MS: '1000', RESUME_GRACE_MS: '600000' };
    const [one, other] = await Promise.all([start(env), start(env)]);
    const userId = newUser();
    const first = await join(one, userId);
    await first.peer.start(0, camera, 'device');
    await study(first.peer, 250, 1000);
    await first.peer.close();
    await waitFor('no connection to NATS', async () => {
      const answer = await fetch(`${nats.servers[0]?.monitorUrl}/connz`);
      return ((await answer.json()) as { num_connections: number }).num_connections === 0;
    });
    const second = await join(other, userId, first.welcome.resume);
    expect(second.welcome).toMatchObject({ resumed: true, sessionId: first.welcome.sessionId });
    expect(second.welcome.totals.focusedMs).toBeGreaterThan(500);
  });

  it('S-3 while NATS is away a student is let in and the session continues; what other gateways had is taken in later', async () => {
    const own = await startNats();
    try {
      const gateway = await start({ NATS_URL: own.url });
      const userId = newUser();
      const first = await join(gateway, userId);
      await first.peer.start(0, camera, 'device');
      await study(first.peer, 250, 1000);
      await own.servers[0]?.kill();
      await first.peer.close();
      const second = await join(gateway, userId, first.welcome.resume);
      expect(second.welcome).toMatchObject({ resumed: true, sessionId: first.welcome.sessionId });
      await second.peer.start(second.welcome.clockMs, camera, 'device');
      await second.peer.stop(second.welcome.clockMs);
      await own.servers[0]?.restart();
      const third = await join(gateway, userId, second.welcome.resume);
      expect(third.welcome.resumed).toBe(true);
    } finally {
      await own.stop();
    }
  });

  it('S-1 a ticket is good for one connection at all gateways', async () => {
    const [one, other] = await Promise.all([start(), start()]);
    const ticket = await one.ticket(newUser());
    const first = await Peer.open(one.url);
    const second = await Peer.open(other.url);
    peers.push(first, second);
    await first.hello(ticket);
    second.sendControl({
      type: 'hello',
      protocol: 'gaze-relay.v1',
      ticket,
      resume: null,
      client: 'test',
      device: null,
    });
    expect(await second.fault('ticket_invalid')).toMatchObject({ fatal: true });
  });
});

describe('questions about all gateways', () => {
  it('the live list has the students of each, and a student who is connected anywhere is not deleted', async () => {
    const [one, other] = await Promise.all([start(), start()]);
    const [here, there] = [newUser(), newUser()];
    const first = await join(one, here);
    const second = await join(other, there);
    const admin = async (method: 'GET' | 'DELETE', path: string) =>
      fetch(new URL(path, one.url), {
        method,
        headers: { authorization: `Bearer ${await one.ticket(1, { role: 'admin' })}` },
      });
    await waitFor('both students in the list', async () => {
      const { rows } = answers.live.parse(await (await admin('GET', '/api/v1/live')).json());
      const ids = rows.map(({ userId }) => userId);
      return ids.includes(here) && ids.includes(there);
    });
    await second.peer.start(0, camera, 'device');
    await study(second.peer, 250, 500);
    expect((await admin('DELETE', `/api/v1/students/${there}/data`)).status).toBe(409);
    await second.peer.close();
    await waitFor('the deletion', async () => (await admin('DELETE', `/api/v1/students/${there}/data`)).status === 200);
    const again = await join(one, there, second.welcome.resume);
    expect(again.welcome.resumed).toBe(false);
    await first.peer.close();
  });
});
