import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import mysql from 'mysql2/promise';
import { startPhpServer } from '../../harness/php-server.ts';
import { seededRandom } from '../../harness/random.ts';
import { type Service, startGateway, startInference } from '../../harness/services.ts';
import { openTcpLink } from '../../harness/tcp-link.ts';
import { RelayError } from '../../shared/errors.ts';
import { databaseFaults, type Fault, inferenceFaults, injectFaults, phpFaults } from './faults.ts';
import { loadPictures } from './pictures.ts';
import { MODULE_ID, openSchool, SERVER_MODE_EVERY, SETTLE_LIMIT_MS } from './school.ts';
import { allBegun, startStudent } from './student.ts';
import { judge, leftInSpool, type Verdict } from './verdict.ts';

export interface ChaosOptions {
  readonly students: number;
  readonly seconds: number;
  readonly seed: number;
  /** Names of the faults that come; null for all. */
  readonly only: readonly string[] | null;
  readonly onFault: (name: string, lastsMs: number) => void;
  readonly log: 'inherit' | 'ignore';
}

export interface ChaosResult extends Verdict {
  readonly faults: Readonly<Record<string, number>>;
  /** Seconds that went into EyeLearn's rows through PHP with a good answer. */
  readonly phpSeconds: number;
}

/**
 * Runs students against the real gateway, inference, MariaDB and PHP, with faults in all of them, and compares what is
 * stored in the end with what the students did. Rejects with RelayError `chaos_unsettled` if windows are left over.
 */
export async function runChaos(options: ChaosOptions): Promise<ChaosResult> {
  const random = seededRandom(options.seed);
  const dataDir = await mkdtemp(join(tmpdir(), 'gaze-relay-chaos-'));
  const { database, url, userIds: students } = await openSchool(options.students);
  const link = await openTcpLink(database.port);
  const php = await startPhpServer(url);
  const phpEndpoint = phpFaults(php);
  const behind = new URL(url);
  behind.port = String(link.port);
  const env = {
    PATH: process.env.PATH,
    LOG_LEVEL: 'warn',
    HOST: '127.0.0.1',
    PORT: '0',
    DATA_DIR: dataDir,
    MYSQL_URL: behind.href,
    ...phpEndpoint.env,
    WINDOW_MS: '3000',
    CHECKPOINT_MS: '10',
    MAX_CLIENT_FPS: '20',
  };
  let inference: Service = await startInference({ env, log: 'ignore' });
  const inferencePort = inference.port;
  let gateway: Service = await startGateway({ env, log: options.log }, inferencePort);
  const gatewayPort = gateway.port;
  const end = async (service: Service) => {
    service.process.kill('SIGKILL');
    await service.exited;
  };
  const faults: Fault[] = [
    {
      name: 'gateway_killed',
      target: 'gateway',
      lastsMs: [100, 2000],
      begin: () => end(gateway),
      end: async () => {
        gateway = await startGateway({ env: { ...env, PORT: String(gatewayPort) }, log: options.log }, inferencePort);
      },
    },
    ...inferenceFaults(
      'inference',
      () => inference,
      async () => {
        inference = await startInference({ env, log: 'ignore' }, inferencePort);
      },
    ),
    {
      name: 'gateway_frozen',
      target: 'gateway',
      lastsMs: [500, 3000],
      begin: async () => void gateway.process.kill('SIGSTOP'),
      end: async () => void gateway.process.kill('SIGCONT'),
    },
    ...databaseFaults(database),
    { name: 'link_cut', target: 'link', lastsMs: [3000, 10_000], begin: link.cut, end: link.restore },
    ...phpEndpoint.faults,
  ];
  try {
    const gatewayUrl = `http://127.0.0.1:${gatewayPort}/`;
    const pictures = await loadPictures();
    const running = students.map((userId, index) =>
      startStudent({
        gatewayUrl,
        userId,
        moduleId: MODULE_ID,
        turnMs: 6000 + Math.round(random() * 6000),
        pictures: index % SERVER_MODE_EVERY === 0 ? pictures : null,
      }),
    );
    await allBegun(running);
    const wanted = faults.filter(({ name }) => options.only?.includes(name) ?? true);
    const counts = await injectFaults(wanted, options.seconds * 1000, random, options.onFault);
    await delay(3000);
    const truths = await Promise.all(running.map((student) => student.finish()));
    const deadlineMs = performance.now() + SETTLE_LIMIT_MS;
    while ((await leftInSpool(dataDir)) > 0) {
      if (performance.now() > deadlineMs) {
        throw new RelayError('chaos_unsettled', `${await leftInSpool(dataDir)} windows or posts are left in the spool`);
      }
      await delay(200);
    }
    const reader = await mysql.createConnection(url);
    try {
      const verdict = await judge(reader, truths);
      return { ...verdict, faults: counts, phpSeconds: php.storedSeconds() };
    } finally {
      await reader.end();
    }
  } finally {
    await end(gateway);
    await end(inference);
    await php.stop();
    await link.close();
    await database.stop();
    await rm(dataDir, { recursive: true, force: true });
  }
}
