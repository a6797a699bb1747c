import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import mysql, { type RowDataPacket } from 'mysql2/promise';
import { mintTicket } from '../../gateway/auth/ticket.ts';
import { startBalancer } from '../../harness/balancer.ts';
import { freePort } from '../../harness/free-port.ts';
import { startMariaDb } from '../../harness/mariadb.ts';
import { startNats } from '../../harness/nats.ts';
import { type Service, startGateway, startService } from '../../harness/services.ts';
import { waitFor } from '../../harness/wait-for.ts';
import { rssMbOf } from '../lib/process-usage.ts';
import { quantile } from '../lib/stats.ts';
import { SocketIoStudent } from './socket-io-student.ts';
import { StormStudent } from './storm-student.ts';

const SECRET = 'a secret that all gateways of this run have';
const SERVERS = 3;
/** Students connect this many a second. */
const ARRIVALS_PER_S = 200;
/** Students study this long before the gateway is killed. */
const STUDY_MS = 5000;
const WAIT_LIMIT_MS = 120_000;
/** Addresses that students come from, as many schools would. */
const ADDRESSES = 40;
const FIRST_USER_ID = 1001;

export interface StormResult {
  /** Students whose server was killed. */
  readonly affected: number;
  /** From the kill to the next update of each of them, ms. */
  readonly backMsP50: number;
  readonly backMsP99: number;
  /** Counted time that a student lost by it, ms: the most, and the mean over the affected. */
  readonly lostMs: number;
  readonly lostMsMean: number;
  readonly resumedShare: number;
  /** Memory that a server takes for each connected student, kB; null where there is no /proc. */
  readonly kbPerConnection: number | null;
  readonly connectionsPerGb: number | null;
}

const addressOf = (index: number) => `127.0.1.${(index % ADDRESSES) + 1}`;

interface Storming {
  readonly gateway: string | null;
  nextUpdate(): Promise<void>;
}

/** Opens students one after another; resolves when each has had an update. */
async function arrive<Student extends Storming>(count: number, open: (index: number) => Student): Promise<Student[]> {
  const students: Student[] = [];
  const updates: Promise<void>[] = [];
  for (let index = 0; index < count; index += 1) {
    const student = open(index);
    students.push(student);
    updates.push(student.nextUpdate());
    await delay(1000 / ARRIVALS_PER_S);
  }
  await inTime('every student has had an update', updates);
  return students;
}

/** Resolves with all results. Rejects after a while with what was waited for, and how many are missing. */
async function inTime<T>(what: string, each: readonly Promise<T>[]): Promise<T[]> {
  let missing = each.length;
  for (const one of each) void one.then(() => (missing -= 1));
  const results = await Promise.race([Promise.all(each), delay(WAIT_LIMIT_MS, null, { ref: false })]);
  if (results === null)
    throw new Error(`after ${WAIT_LIMIT_MS} ms not: ${what} (${missing} of ${each.length} missing)`);
  return results;
}

/** Kills a server and resolves with the time to the next update of each student that it had, ms. */
async function killAndWait<Student extends Storming>(
  students: readonly Student[],
  server: Service,
  name: string,
): Promise<{ readonly affected: readonly Student[]; readonly backMs: readonly number[] }> {
  const affected = students.filter(({ gateway }) => gateway === name);
  server.process.kill('SIGKILL');
  await server.exited;
  const killedAtMs = performance.now();
  const backAfterMs = async (student: Student) => {
    // What the killed server had sent before may still come.
    do await student.nextUpdate();
    while (student.gateway === name);
    return performance.now() - killedAtMs;
  };
  return { affected, backMs: await inTime('every student is back', affected.map(backAfterMs)) };
}

/** Memory for each of `connections` that a server took, by what it held before and holds now. */
function memoryOf(beforeMb: number | null, nowMb: number | null, connections: number) {
  if (beforeMb === null || nowMb === null || connections === 0)
    return { kbPerConnection: null, connectionsPerGb: null };
  const kb = ((nowMb - beforeMb) * 1024) / connections;
  return { kbPerConnection: Math.round(kb * 10) / 10, connectionsPerGb: Math.round((1024 * 1024) / kb) };
}

/** Three gateways behind a proxy; one of them is killed. */
export async function stormOfGateways(count: number, random: () => number): Promise<StormResult> {
  const folder = await mkdtemp(join(tmpdir(), 'gaze-relay-storm-'));
  const closing: (() => Promise<unknown>)[] = [() => rm(folder, { recursive: true, force: true })];
  try {
    const [database, nats] = await Promise.all([startMariaDb(), startNats({ servers: 3 })]);
    closing.push(
      () => database.stop(),
      () => nats.stop(),
    );
    const mysqlUrl = await database.createDatabase('storm');
    const gateways: Service[] = [];
    for (let index = 0; index < SERVERS; index += 1) {
      const env = {
        PATH: process.env.PATH,
        LOG_LEVEL: 'error',
        HOST: '127.0.0.1',
        PORT: String(await freePort()),
        DATA_DIR: join(folder, `g${index}`),
        RELAY_JWT_SECRET: SECRET,
        ALLOWED_ORIGINS: 'https://school.example',
        MYSQL_URL: mysqlUrl,
        NATS_URL: nats.url,
        CLIENT_ADDRESS_HEADER: 'x-forwarded-for',
        // Device mode asks nothing of inference.
        INFERENCE_URL: 'http://127.0.0.1:1',
      };
      const gateway = await startGateway({ env, log: 'ignore' });
      gateways.push(gateway);
      closing.push(() => gateway.stop());
    }
    const proxy = await startBalancer(gateways.map(({ port }) => port));
    closing.push(() => proxy.stop());
    const [victim] = gateways;
    if (victim === undefined) throw new Error('there is no gateway');
    const idleMb = await rssMbOf(victim.process.pid);
    const students = await arrive(count, (index) => {
      const userId = FIRST_USER_ID + index;
      const getTicket = () => mintTicket({ userId, moduleId: 1, role: 'student' }, SECRET, new Date(), randomUUID());
      return new StormStudent({ url: proxy.url, getTicket, localAddress: addressOf(index), random });
    });
    await delay(STUDY_MS);
    const fullMb = await rssMbOf(victim.process.pid);
    const { affected, backMs } = await killAndWait(students, victim, 'g1');
    const memory = memoryOf(idleMb, fullMb, affected.length);
    await delay(STUDY_MS);
    await inTime(
      'every session has ended',
      students.map((student) => student.stop()),
    );
    const reader = await mysql.createConnection(mysqlUrl);
    closing.push(() => reader.end());
    const stored = await waitFor('all windows in the database', async () => {
      const [rows] = await reader.query<RowDataPacket[]>(
        'SELECT user_id, SUM(focused_ms + unfocused_ms + unknown_ms) AS ms, MAX(is_final) AS is_final FROM relay_sessions GROUP BY user_id',
      );
      return rows.length === count && rows.every(({ is_final: isFinal }) => Number(isFinal) === 1) ? rows : null;
    });
    const byUser = new Map((stored ?? []).map(({ user_id: userId, ms }) => [Number(userId), Number(ms)]));
    const lost = students.map((student, index) =>
      Math.max(0, student.countedMs - (byUser.get(FIRST_USER_ID + index) ?? 0)),
    );
    const lostOfAffected = students.flatMap((student, index) => (affected.includes(student) ? [lost[index] ?? 0] : []));
    const resumes = students.reduce((sum, student) => sum + student.resumes, 0);
    const restarts = students.reduce((sum, student) => sum + student.restarts, 0);
    return {
      affected: affected.length,
      backMsP50: Math.round(quantile(backMs, 0.5)),
      backMsP99: Math.round(quantile(backMs, 0.99)),
      lostMs: Math.max(0, ...lost),
      lostMsMean: Math.round(lostOfAffected.reduce((sum, ms) => sum + ms, 0) / Math.max(1, lostOfAffected.length)),
      resumedShare: resumes / Math.max(1, resumes + restarts),
      ...memory,
    };
  } finally {
    for (const close of closing.toReversed()) await close();
  }
}

/** The same with Socket.IO and its connection-state recovery. */
export async function stormOfSocketIo(count: number, random: () => number): Promise<StormResult> {
  const closing: (() => Promise<unknown>)[] = [];
  try {
    const main = fileURLToPath(new URL('socket-io-server.ts', import.meta.url));
    const servers: Service[] = [];
    for (let index = 0; index < SERVERS; index += 1) {
      const server = await startService('socket.io', main, {
        env: { PATH: process.env.PATH, PORT: String(await freePort()) },
        log: 'ignore',
        nodeArguments: ['--import', 'tsx'],
      });
      servers.push(server);
      closing.push(() => server.stop());
    }
    const proxy = await startBalancer(servers.map(({ port }) => port));
    closing.push(() => proxy.stop());
    const [victim] = servers;
    if (victim === undefined) throw new Error('there is no server');
    const idleMb = await rssMbOf(victim.process.pid);
    const students = await arrive(count, (index) => new SocketIoStudent(proxy.url, addressOf(index), random));
    await delay(STUDY_MS);
    const fullMb = await rssMbOf(victim.process.pid);
    const { affected, backMs } = await killAndWait(students, victim, 'g1');
    const memory = memoryOf(idleMb, fullMb, affected.length);
    await delay(STUDY_MS);
    // A server that has recovered the session says more than the one before it.
    const lost = affected.map((student) => (student.countedMs < student.mostMs ? student.mostMs : 0));
    const recovered = affected.filter((student) => student.recovered > 0).length;
    for (const student of students) student.stop();
    return {
      affected: affected.length,
      backMsP50: Math.round(quantile(backMs, 0.5)),
      backMsP99: Math.round(quantile(backMs, 0.99)),
      lostMs: Math.max(0, ...lost),
      lostMsMean: Math.round(lost.reduce((sum, ms) => sum + ms, 0) / Math.max(1, lost.length)),
      resumedShare: recovered / Math.max(1, affected.length),
      ...memory,
    };
  } finally {
    for (const close of closing.toReversed()) await close();
  }
}
