import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import mysql, { type Connection, type RowDataPacket } from 'mysql2/promise';
import { pino } from 'pino';
import { gatewayConfigSchema } from '../gateway/config.ts';
import { BATCH_SIZE } from '../gateway/delivery/delivery-loop.ts';
import { type DeliveryQueue, openQueue } from '../gateway/delivery/queue.ts';
import { openStreamQueue } from '../gateway/delivery/stream/queue.ts';
import { eyelearn } from '../gateway/eyelearn/platform.ts';
import { natsLink } from '../gateway/nats/connection.ts';
import { openStore } from '../gateway/store/open.ts';
import type { MetricsStore } from '../gateway/store/port.ts';
import { createEyelearnDayTables, createEyelearnTables } from '../harness/eyelearn-schema.ts';
import { type MariaDb, startMariaDb } from '../harness/mariadb.ts';
import { startNats } from '../harness/nats.ts';
import { seededRandom } from '../harness/random.ts';
import { readConfig } from '../shared/config.ts';
import { insertBare } from './delivery/bare.ts';
import { schoolWindows } from './delivery/windows.ts';
import { round } from './lib/stats.ts';

const USAGE = `npm run bench -- delivery [options]
  --windows N    windows to deliver (default 6000)
  --students N   students they are of (default 1000)
  --nats         through a JetStream stream of one server, instead of the gateway's file alone
  --json         ends with one line of JSON
`;
const BUDGET_MS = 600_000;

/** Number of statements that clients have sent to the server so far. */
async function statementsOf(connection: Connection): Promise<number> {
  const [rows] = await connection.query<RowDataPacket[]>("SHOW GLOBAL STATUS LIKE 'Questions'");
  return Number(rows[0]?.Value);
}

/** A database with EyeLearn's tables and its students. */
async function makeDatabase(server: MariaDb, students: number): Promise<string> {
  const url = await server.createDatabase('delivery');
  const connection = await mysql.createConnection(url);
  try {
    await createEyelearnTables(connection, 'full');
    await createEyelearnDayTables(connection, 'both');
    const rows = Array.from({ length: students }, (_, index) => [
      index + 1,
      'First',
      'Last',
      `${index + 1}@school.example`,
      '',
    ]);
    await connection.query('INSERT IGNORE INTO users (id, first_name, last_name, email, password) VALUES ?', [rows]);
  } finally {
    await connection.end();
  }
  return url;
}

interface OpenedQueue {
  readonly queue: DeliveryQueue;
  readonly end: () => Promise<void>;
}

/** The queue of one gateway, on its own or with a stream. */
async function openDelivery(store: MetricsStore, dataDir: string, withNats: boolean): Promise<OpenedQueue> {
  const logger = pino({ level: 'warn' });
  if (!withNats) {
    const queue = await openQueue({ dataDir, store, logger });
    return { queue, end: () => queue.close() };
  }
  const nats = await startNats();
  const result = readConfig(gatewayConfigSchema, { NATS_URL: nats.url });
  if (!result.ok || result.config.nats === null) throw new Error('the configuration is wrong');
  const link = natsLink(result.config.nats, logger);
  const queue = await openStreamQueue({ dataDir, store, nats: link, gatewayId: randomUUID(), logger });
  const end = async () => {
    await queue.close();
    await link.close();
    await nats.stop();
  };
  return { queue, end };
}

/**
 * `npm run bench -- delivery [--json]`: windows of a school from the queue of one gateway into MariaDB with EyeLearn's tables, on
 * loopback, and the rows that come of it once more by bare multi-row INSERT. Keys: `windowsPerSecond`, `bareRowsPerSecond`, `ratio`
 * (time of the delivery to that of the bare rows), `statementsPer50Windows`, `windowsPerCpuSecond` (of this process).
 */
export async function run(argv: readonly string[]): Promise<void> {
  const { values } = parseArgs({
    args: [...argv],
    options: {
      windows: { type: 'string', default: '6000' },
      students: { type: 'string', default: '1000' },
      nats: { type: 'boolean', default: false },
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) {
    process.stdout.write(USAGE);
    return;
  }
  const [count, students] = [Number(values.windows), Number(values.students)];
  const server = await startMariaDb({ serverOptions: ['--innodb-buffer-pool-size=1G', '--innodb-log-file-size=256M'] });
  const dataDir = await mkdtemp(join(tmpdir(), 'gaze-relay-delivery-'));
  try {
    const url = await makeDatabase(server, students);
    const watch = await mysql.createConnection(url);
    const logger = pino({ level: 'warn' });
    const store = await openStore({ mysqlUrl: url, dataDir }, logger, eyelearn({ php: null }, logger).loadStoreHooks);
    const windows = schoolWindows(students, count, seededRandom(1));
    // The first rows open connections and warm both sides up.
    await store.applyWindows(
      schoolWindows(BATCH_SIZE, BATCH_SIZE, seededRandom(2)).map((each) => ({ ...each, epoch: 9 })),
    );
    const { queue, end } = await openDelivery(store, dataDir, values.nats);
    const [statementsBefore, cpuBefore, startedMs] = [await statementsOf(watch), process.cpuUsage(), performance.now()];
    await Promise.all(windows.map((window) => queue.append(window)));
    const left = await queue.flush(BUDGET_MS);
    const ms = performance.now() - startedMs;
    const cpu = process.cpuUsage(cpuBefore);
    const statements = (await statementsOf(watch)) - statementsBefore;
    if (left > 0) throw new Error(`${left} windows were not delivered within ${BUDGET_MS} ms`);
    await end();
    await store.close();
    const bare = await insertBare(url, Math.ceil(count / BATCH_SIZE));
    await watch.end();
    const result = {
      windowsPerSecond: Math.round((1000 * count) / ms),
      bareRowsPerSecond: Math.round((1000 * bare.rows) / bare.ms),
      ratio: round(ms / bare.ms, 2),
      statementsPer50Windows: round((50 * statements) / count, 1),
      windowsPerCpuSecond: Math.round((1_000_000 * count) / (cpu.user + cpu.system)),
    };
    process.stdout.write(
      `delivery of ${count} windows of ${students} students ${values.nats ? 'over NATS' : 'from the file'}, MariaDB on loopback, Node ${process.version}\n`,
    );
    for (const [name, value] of Object.entries(result)) {
      process.stdout.write(`  ${name.padEnd(24)} ${String(value).padStart(8)}\n`);
    }
    if (values.json) process.stdout.write(`${JSON.stringify(result)}\n`);
  } finally {
    await rm(dataDir, { recursive: true, force: true });
    await server.stop();
  }
}
