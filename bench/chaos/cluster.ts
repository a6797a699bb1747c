import { randomUUID } from 'node:crypto';
import { mkdtemp, readdir, rm, stat, truncate } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import mysql from 'mysql2/promise';
import { mintTicket } from '../../gateway/auth/ticket.ts';
import { within } from '../../gateway/lib/timeout.ts';
import { startBalancer } from '../../harness/balancer.ts';
import { freePort } from '../../harness/free-port.ts';
import { type Nats, type NatsServer, startNats } from '../../harness/nats.ts';
import { startPhpServer } from '../../harness/php-server.ts';
import { seededRandom } from '../../harness/random.ts';
import { type Service, startGateway, startInference } from '../../harness/services.ts';
import { openTcpLink, type TcpLink } from '../../harness/tcp-link.ts';
import { RelayError } from '../../shared/errors.ts';
import { databaseFaults, type Fault, inferenceFaults, injectFaults, phpFaults } from './faults.ts';
import { loadPictures } from './pictures.ts';
import type { ChaosOptions, ChaosResult } from './run.ts';
import { MODULE_ID, openSchool, SERVER_MODE_EVERY, SETTLE_LIMIT_MS } from './school.ts';
import { allBegun, type ChaosStudent, startStudent } from './student.ts';
import { judge, leftInSpool } from './verdict.ts';

const SECRET = 'a secret that all gateways of this run have';
const INFERENCE_SERVICES = 2;
/** The proxy asks a gateway twice a second whether it is ready. */
const BETWEEN_RELEASES_MS = 2500;
/** Off the end of a file of NATS that was not synced to the disk. */
const TAIL_BYTES = 4096;

interface Gateway {
  readonly dataDir: string;
  readonly port: number;
  readonly link: TcpLink;
  service: Service;
}

/** The newest file with messages of a node's streams; null where there is none. */
async function newestBlock(storeDir: string): Promise<string | null> {
  const names = await readdir(storeDir, { recursive: true });
  const files = await Promise.all(
    names
      .filter((name) => name.endsWith('.blk'))
      .map(async (name) => ({ file: join(storeDir, name), ...(await stat(join(storeDir, name))) })),
  );
  return files.toSorted((one, other) => other.mtimeMs - one.mtimeMs)[0]?.file ?? null;
}

async function cutTail(storeDir: string): Promise<void> {
  const file = await newestBlock(storeDir);
  if (file === null) return;
  const { size } = await stat(file);
  await truncate(file, Math.max(0, size - TAIL_BYTES));
}

function natsFaults(nats: Nats, random: () => number): Fault[] {
  let hit: NatsServer | undefined;
  const one = (): NatsServer => {
    hit = nats.servers[Math.floor(random() * nats.servers.length)];
    if (hit === undefined) throw new Error('there is no NATS server');
    return hit;
  };
  const killed = (name: string, harm: (storeDir: string) => Promise<void>): Fault => ({
    name,
    target: 'nats',
    lastsMs: [500, 4000],
    begin: async () => {
      const server = one();
      await server.kill();
      await harm(server.storeDir);
    },
    // One whose copy of a consumer does not catch up serves all the same, and the others have what it lacks.
    end: async () => hit?.restart().catch(() => undefined),
  });
  return [
    killed('nats_killed', async () => undefined),
    killed('nats_wiped', (storeDir) => rm(storeDir, { recursive: true, force: true })),
    killed('nats_tail_cut', cutTail),
    {
      name: 'nats_frozen',
      target: 'nats',
      lastsMs: [500, 4000],
      begin: async () => one().signal('SIGSTOP'),
      end: async () => hit?.signal('SIGCONT'),
    },
  ];
}

/** Restarts each gateway, waiting until it is ready and the proxy has found it before the next one. */
async function release(
  gateways: readonly Gateway[],
  startOne: (dataDir: string, port: number) => Promise<Service>,
  onFault: ChaosOptions['onFault'],
): Promise<Record<string, number>> {
  for (const gateway of gateways) {
    const beganMs = performance.now();
    await gateway.service.stop();
    gateway.service = await startOne(gateway.dataDir, gateway.port);
    onFault('gateway_released', Math.round(performance.now() - beganMs));
    await delay(BETWEEN_RELEASES_MS);
  }
  return { gateway_released: gateways.length };
}

export interface ClusterChaosOptions extends ChaosOptions {
  readonly gateways: number;
  /** No faults: all gateways are restarted by SIGTERM, one after the other, as in a release. */
  readonly isRelease: boolean;
}

/** The same with several gateways behind a proxy, two inference services and three NATS servers. */
export async function runClusterChaos(options: ClusterChaosOptions): Promise<ChaosResult> {
  const random = seededRandom(options.seed);
  const folder = await mkdtemp(join(tmpdir(), 'gaze-relay-chaos-'));
  const closing: (() => Promise<unknown>)[] = [() => rm(folder, { recursive: true, force: true })];
  try {
    const [{ database, url, userIds }, nats] = await Promise.all([
      openSchool(options.students),
      startNats({ servers: 3 }),
    ]);
    closing.push(
      () => database.stop(),
      () => nats.stop(),
    );
    const databaseLink = await openTcpLink(database.port);
    closing.push(() => databaseLink.close());
    const php = await startPhpServer(url);
    const phpEndpoint = phpFaults(php);
    closing.push(() => php.stop());
    const behind = new URL(url);
    behind.port = String(databaseLink.port);
    const base = { PATH: process.env.PATH, LOG_LEVEL: options.log === 'inherit' ? 'info' : 'warn', HOST: '127.0.0.1' };
    const inferences: Service[] = [];
    for (let index = 0; index < INFERENCE_SERVICES; index += 1) {
      inferences.push(await startInference({ env: base, log: 'ignore' }));
      closing.push(async () => inferences[index]?.stop());
    }
    const env = {
      ...base,
      RELAY_JWT_SECRET: SECRET,
      ALLOWED_ORIGINS: 'https://school.example',
      MYSQL_URL: behind.href,
      NATS_URL: nats.url,
      ...phpEndpoint.env,
      INFERENCE_URL: inferences.map(({ port }) => `http://127.0.0.1:${port}`).join(','),
      WINDOW_MS: '3000',
      CHECKPOINT_MS: '50',
      MAX_CLIENT_FPS: '20',
    };
    const startOne = (dataDir: string, port: number) =>
      startGateway({ env: { ...env, DATA_DIR: dataDir, PORT: String(port) }, log: options.log });
    const gateways: Gateway[] = [];
    for (let index = 0; index < options.gateways; index += 1) {
      const port = await freePort();
      const link = await openTcpLink(port);
      closing.push(() => link.close());
      const dataDir = join(folder, `g${index + 1}`);
      const gateway = { dataDir, port, link, service: await startOne(dataDir, port) };
      gateways.push(gateway);
      closing.push(() => gateway.service.stop());
    }
    const proxy = await startBalancer(gateways.map(({ link }) => link.port));
    closing.push(() => proxy.stop());
    const pictures = await loadPictures();
    const students: ChaosStudent[] = userIds.map((userId, index) =>
      startStudent({
        gatewayUrl: proxy.url,
        userId,
        moduleId: MODULE_ID,
        turnMs: 6000 + Math.round(random() * 6000),
        pictures: index % SERVER_MODE_EVERY === 0 ? pictures : null,
        getTicket: async () =>
          mintTicket({ userId, moduleId: MODULE_ID, role: 'student' }, SECRET, new Date(), randomUUID()),
      }),
    );
    let hit = 0;
    const oneGateway = (): Gateway => {
      hit = Math.floor(random() * gateways.length);
      const gateway = gateways[hit];
      if (gateway === undefined) throw new Error('there is no gateway');
      return gateway;
    };
    const announce = (how: 'killed' | 'frozen') => {
      for (const student of students) student.gatewayGone(`g${hit + 1}`, how);
    };
    const startAgain = async () => {
      const gateway = gateways[hit];
      if (gateway !== undefined) gateway.service = await startOne(gateway.dataDir, gateway.port);
    };
    const faults: Fault[] = [
      {
        name: 'gateway_killed',
        target: 'gateway',
        lastsMs: [500, 4000],
        begin: async () => {
          const { service } = oneGateway();
          announce('killed');
          service.process.kill('SIGKILL');
          await service.exited;
        },
        end: startAgain,
      },
      {
        name: 'gateway_frozen',
        target: 'gateway',
        lastsMs: [500, 8000],
        begin: async () => {
          oneGateway().service.process.kill('SIGSTOP');
          announce('frozen');
        },
        end: async () => void gateways[hit]?.service.process.kill('SIGCONT'),
      },
      {
        name: 'gateway_restarted',
        target: 'gateway',
        lastsMs: [100, 1000],
        begin: () => oneGateway().service.stop(),
        end: startAgain,
      },
      {
        name: 'proxy_link_cut',
        target: 'gateway',
        lastsMs: [500, 4000],
        begin: () => oneGateway().link.cut(),
        end: async () => gateways[hit]?.link.restore(),
      },
      {
        name: 'second_tab',
        target: 'students',
        lastsMs: [100, 1000],
        begin: async () => {
          for (const student of students) if (random() < 0.2) student.openSecondTab();
        },
        end: async () => undefined,
      },
      ...natsFaults(nats, random),
      ...databaseFaults(database),
      ...phpEndpoint.faults,
      {
        name: 'link_cut',
        target: 'link',
        lastsMs: [3000, 10_000],
        begin: databaseLink.cut,
        end: databaseLink.restore,
      },
      ...inferences.flatMap(({ port }, index) =>
        inferenceFaults(
          `inference_${index + 1}`,
          () => inferences[index] as Service,
          async () => {
            inferences[index] = await startInference({ env: base, log: 'ignore' }, port);
          },
        ),
      ),
    ];
    await allBegun(students);
    const wanted = faults.filter(({ name }) => options.only?.includes(name) ?? true);
    const counts = options.isRelease
      ? await release(gateways, startOne, options.onFault)
      : await injectFaults(wanted, options.seconds * 1000, random, options.onFault);
    await delay(3000);
    const deadlineMs = performance.now() + SETTLE_LIMIT_MS;
    const truths = await within(Promise.all(students.map((student) => student.finish())), SETTLE_LIMIT_MS, null);
    if (truths === null)
      throw new RelayError('chaos_unsettled', 'not every student got the answer that the session is saved');
    const left = async () => {
      const each = await Promise.all(gateways.map(({ dataDir }) => leftInSpool(dataDir)));
      return each.reduce((sum, count) => sum + count, 0);
    };
    while ((await left()) > 0) {
      if (performance.now() > deadlineMs) {
        throw new RelayError('chaos_unsettled', `${await left()} windows are left in the gateways' queues`);
      }
      await delay(200);
    }
    const reader = await mysql.createConnection(url);
    try {
      return { ...(await judge(reader, truths)), faults: counts, phpSeconds: php.storedSeconds() };
    } finally {
      await reader.end();
    }
  } finally {
    for (const close of closing.toReversed()) await close();
  }
}
