import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import mysql, { type RowDataPacket } from 'mysql2/promise';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { mintTicket } from '../../../gateway/auth/ticket.ts';
import { type MariaDb, startMariaDb } from '../../../harness/mariadb.ts';
import { type Nats, startNats } from '../../../harness/nats.ts';
import { faceAtScreen } from '../../../harness/observations.ts';
import { Peer } from '../../../harness/peer.ts';
import { type Service, startGateway } from '../../../harness/services.ts';
import { waitFor } from '../../../harness/wait-for.ts';

const SECRET = 'a secret for tests that is long enough';
let nats: Nats;
let database: MariaDb;
let mysqlUrl: string;
let folder: string;
const services: Service[] = [];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'relay-killed-'));
  [nats, database] = await Promise.all([startNats(), startMariaDb()]);
  mysqlUrl = await database.createDatabase('killed');
});

afterEach(async () => {
  for (const { process: child } of services) child.kill('SIGCONT');
  await Promise.all(services.splice(0).map((service) => service.stop()));
});

afterAll(async () => {
  await nats?.stop();
  await database?.stop();
  await rm(folder, { recursive: true, force: true });
});

async function start(name: string): Promise<Service & { readonly url: string }> {
  const env = {
    PATH: process.env.PATH,
    HOST: '127.0.0.1',
    PORT: '0',
    LOG_LEVEL: 'error',
    MAX_CLIENT_FPS: '30',
    DATA_DIR: join(folder, name),
    RELAY_JWT_SECRET: SECRET,
    ALLOWED_ORIGINS: 'https://school.example',
    INFERENCE_URL: 'http://127.0.0.1:1',
    NATS_URL: nats.url,
    MYSQL_URL: mysqlUrl,
  };
  const service = await startGateway({ env, log: 'ignore' });
  services.push(service);
  return { ...service, url: `http://127.0.0.1:${service.port}/` };
}

async function enter(url: string, userId: number, resume: string | null = null) {
  const peer = await Peer.open(url);
  const ticket = mintTicket({ userId, moduleId: 22, role: 'student' }, SECRET, new Date(), randomUUID());
  return { peer, welcome: await peer.hello(ticket, resume) };
}

const camera = { widthPx: 640, heightPx: 480 };

/** Looks at the screen from one moment of the capture clock to another. */
async function study(peer: Peer, fromMs: number, untilMs: number): Promise<void> {
  for (let captureMs = fromMs; captureMs <= untilMs; captureMs += 200) {
    const seq = captureMs / 200;
    peer.send({
      kind: 'observation',
      seq,
      captureMs,
      late: false,
      observation: faceAtScreen({ headYawDeg: 0.4 * (seq % 5) }),
    });
    await peer.update(seq);
  }
}

/** Looks on, ten observations a second as a camera gives them, until something is there. */
async function keepStudying(peer: Peer, fromMs: number, until: () => Promise<void>): Promise<void> {
  let isDone = false;
  const done = until().then(() => {
    isDone = true;
  });
  for (let captureMs = fromMs; !isDone; captureMs += 100) {
    const seq = captureMs / 100 + 1000;
    const observation = faceAtScreen({ headYawDeg: 0.4 * (seq % 5) });
    peer.send({ kind: 'observation', seq, captureMs, late: false, observation });
    await Promise.all([peer.update(seq), delay(100)]);
  }
  await done;
}

async function storedMs(userId: number): Promise<number> {
  const reader = await mysql.createConnection(mysqlUrl);
  try {
    const [rows] = await reader.query<RowDataPacket[]>('SELECT focused_ms FROM relay_sessions WHERE user_id = ?', [
      userId,
    ]);
    return rows.reduce((sum, row) => sum + Number(row.focused_ms), 0);
  } finally {
    await reader.end();
  }
}

async function checkpoints(): Promise<number> {
  const answer = await fetch(`${nats.servers[0]?.monitorUrl}/jsz?streams=1`);
  const { account_details: accounts = [] } = (await answer.json()) as {
    account_details?: { stream_detail?: { name: string; state: { last_seq: number } }[] }[];
  };
  const streams = accounts.flatMap(({ stream_detail: detail = [] }) => detail);
  return streams.find(({ name }) => name === 'gaze-checkpoints')?.state.last_seq ?? 0;
}

/** Resolves when what a gateway has counted until now is in its checkpoint: two writes later. */
async function written(): Promise<void> {
  const before = await checkpoints();
  await waitFor('two checkpoints', async () => (await checkpoints()) >= before + 2);
}

describe('a gateway that is gone', () => {
  it('S-3 its student continues at another one, from what it wrote a moment before', async () => {
    const [one, other] = await Promise.all([start('a1'), start('a2')]);
    const first = await enter(one.url, 1);
    await first.peer.start(0, camera, 'device');
    await study(first.peer, 200, 1000);
    const counted = first.peer.updates.at(-1)?.focusedMs ?? 0;
    await keepStudying(first.peer, 1100, written);
    one.process.kill('SIGKILL');
    const second = await enter(other.url, 1, first.welcome.resume);
    expect(second.welcome).toMatchObject({ resumed: true, sessionId: first.welcome.sessionId });
    expect(second.welcome.totals.focusedMs).toBeGreaterThanOrEqual(counted);
    await second.peer.close();
    await waitFor('its time in the database', async () => (await storedMs(1)) >= counted);
    expect(await storedMs(1)).toBeGreaterThanOrEqual(second.welcome.totals.focusedMs);
  });

  it('what it had not saved is booked once by another, though its student does not come back', async () => {
    const [one, other] = await Promise.all([start('b1'), start('b2')]);
    const gone = await enter(one.url, 2);
    const there = await enter(other.url, 3);
    await gone.peer.start(0, camera, 'device');
    await study(gone.peer, 200, 1000);
    const counted = gone.peer.updates.at(-1)?.focusedMs ?? 0;
    await keepStudying(gone.peer, 1100, written);
    one.process.kill('SIGKILL');
    await waitFor('its time in the database', async () => (await storedMs(2)) >= counted);
    await there.peer.close();
  });

  it('S-2 a late word of one that stood still changes nothing, and its student continues at another', async () => {
    const [one, other] = await Promise.all([start('c1'), start('c2')]);
    const first = await enter(one.url, 4);
    await first.peer.start(0, camera, 'device');
    await study(first.peer, 200, 1000);
    await keepStudying(first.peer, 1100, written);
    one.process.kill('SIGSTOP');
    const second = await enter(other.url, 4, first.welcome.resume);
    expect(second.welcome.resumed).toBe(true);
    await second.peer.start(second.welcome.clockMs, camera, 'device');
    // What reaches the old one now is counted by it when it wakes, and by nobody else.
    first.peer.send({ kind: 'observation', seq: 999, captureMs: 2900, late: false, observation: faceAtScreen() });
    one.process.kill('SIGCONT');
    expect(await first.peer.closed).toBe(4409);
    const { totals } = await second.peer.stop(second.welcome.clockMs);
    await waitFor('its time in the database', async () => (await storedMs(4)) >= totals.focusedMs);
    expect(await storedMs(4)).toBe(totals.focusedMs);
  });
});
