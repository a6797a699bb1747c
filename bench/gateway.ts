import { fork } from 'node:child_process';
import { randomBytes, randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { mintTicket } from '../gateway/auth/ticket.ts';
import { type Service, startGateway } from '../harness/services.ts';
import { buildClient, buildServices } from '../scripts/build.ts';
import { encodeClientMessage, FRAME_HEADER_BYTES } from '../shared/protocol/frames.ts';
import { startInferenceStandIn } from './gateway/inference-stand-in.ts';
import { LoadStudent } from './lib/load-student.ts';
import { cpuMsOf, rssMbOf } from './lib/process-usage.ts';
import { round } from './lib/stats.ts';
import { SocketIoStudent } from './seed/socket-io-student.ts';

/** A face crop of 192 px (docs/accuracy.md). */
const IMAGE_BYTES = 3000;
const STUDENTS = 600;
const PER_SECOND = 5;
/** More than a core can do: what is processed then is what it can do. */
const OVERLOAD_PER_SECOND = 50;
const WARM_MS = 4000;
/** A class sends so little that Node takes longer to compile what is run often. */
const CLASS_WARM_MS = 12_000;
const MEASURE_MS = 10_000;
const MEMORY_SESSIONS = 1000;
/** A class, as most gateways have it: little shares a turn of the event loop. */
const CLASS_STUDENTS = 50;
/** A whole camera picture of quality 70, and as many students as keep this process from being the limit. */
const OLD_IMAGE_BYTES = 12_700;
const OLD_STUDENTS = 100;
const BARE_SERVICE = fileURLToPath(new URL('gateway/bare-service.ts', import.meta.url));
const SETTLE_MS = 3000;
const OPENING_AT_ONCE = 50;

const secret = randomBytes(32).toString('hex');
/** The gateway does not look into a picture; that each differs is all that matters to it. */
const frame = Buffer.from(
  encodeClientMessage({
    kind: 'frame',
    seq: 0,
    captureMs: 0,
    late: false,
    codec: 'jpeg',
    crop: { xPx: 200, yPx: 100, widthPx: 240, heightPx: 240 },
    fullFrame: false,
    image: randomBytes(IMAGE_BYTES),
  }),
);
const rest = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));

async function openStudents(url: string, from: number, count: number): Promise<LoadStudent[]> {
  const students: LoadStudent[] = [];
  for (let index = 0; index < count; index += OPENING_AT_ONCE) {
    const some = Array.from({ length: Math.min(OPENING_AT_ONCE, count - index) }, async (_, offset) => {
      const identity = { userId: from + index + offset, moduleId: 1, role: 'student' } as const;
      return LoadStudent.open(url, mintTicket(identity, secret, new Date(), randomUUID()));
    });
    students.push(...(await Promise.all(some)));
  }
  return students;
}

/** Every student sends at this rate, evenly spread; resolves with the updates of the time by outcome. */
async function play(students: readonly LoadStudent[], perSecond: number, forMs: number): Promise<Map<string, number>> {
  const startedMs = performance.now();
  const everyMs = 1000 / perSecond / students.length;
  for (const student of students) student.takeOutcomes();
  await new Promise<void>((resolve) => {
    let sent = 0;
    const step = () => {
      const nowMs = performance.now();
      while (sent * everyMs < nowMs - startedMs) {
        frame.writeUInt16BE(sent & 0xffff, FRAME_HEADER_BYTES);
        students[sent % students.length]?.send(frame, nowMs);
        sent += 1;
      }
      if (nowMs - startedMs >= forMs) resolve();
      else setTimeout(step, 1);
    };
    step();
  });
  const sum = new Map<string, number>();
  for (const student of students) {
    for (const [outcome, count] of student.takeOutcomes()) sum.set(outcome, (sum.get(outcome) ?? 0) + count);
  }
  return sum;
}

async function measure(pid: number | undefined, students: readonly LoadStudent[], perSecond: number, warmMs = WARM_MS) {
  await play(students, perSecond, warmMs);
  const startedMs = performance.now();
  const cpuBefore = (await cpuMsOf(pid)) ?? Number.NaN;
  const outcomes = await play(students, perSecond, MEASURE_MS);
  const cpuMs = ((await cpuMsOf(pid)) ?? Number.NaN) - cpuBefore;
  const seconds = (performance.now() - startedMs) / 1000;
  const processed = outcomes.get('processed') ?? 0;
  return {
    framesPerSecond: processed / seconds,
    cpuMicrosPerFrame: (cpuMs * 1000) / processed,
    cores: cpuMs / 1000 / seconds,
    processedShare: processed / [...outcomes.values()].reduce((total, count) => total + count, 0),
  };
}

/** A process that does no more than it must (gateway/bare-service.ts). */
async function withBareService<T>(
  kind: 'floor' | 'socket-io',
  work: (pid: number | undefined, port: number) => Promise<T>,
) {
  const inference = await startInferenceStandIn();
  const child = fork(BARE_SERVICE, [kind, `http://127.0.0.1:${inference.port}`], { execArgv: ['--import', 'tsx'] });
  try {
    const [port] = (await once(child, 'message')) as [number];
    return await work(child.pid, port);
  } finally {
    child.kill();
    await once(child, 'exit');
    inference.close();
  }
}

/** CPU of bare WebSockets per frame, with the same students and pictures as the gateway's, µs. */
function measureFloor(count: number, warmMs: number): Promise<number> {
  return withBareService('floor', async (pid, port) => {
    const students = await openStudents(`http://127.0.0.1:${port}/`, 1, count);
    await Promise.all(students.map((student) => student.start()));
    const { cpuMicrosPerFrame } = await measure(pid, students, PER_SECOND, warmMs);
    for (const student of students) student.close();
    return cpuMicrosPerFrame;
  });
}

/** CPU of the old way per frame, whole camera pictures as data URLs, µs. */
function measureOldWay(): Promise<number> {
  const dataUrl = `data:image/jpeg;base64,${randomBytes(OLD_IMAGE_BYTES).toString('base64')}`;
  return withBareService('socket-io', async (pid, port) => {
    const students = await Promise.all(
      Array.from({ length: OLD_STUDENTS }, (_, index) => SocketIoStudent.open(port, index + 1)),
    );
    const playOld = async (forMs: number) => {
      for (const student of students) student.takeObservations();
      const everyMs = 1000 / PER_SECOND / students.length;
      const startedMs = performance.now();
      for (let sent = 0; performance.now() - startedMs < forMs; await rest(1)) {
        for (; sent * everyMs < performance.now() - startedMs; sent += 1) {
          students[sent % students.length]?.sendFrame(dataUrl);
        }
      }
      return students.reduce((sum, student) => sum + student.takeObservations(), 0);
    };
    await playOld(WARM_MS);
    const before = (await cpuMsOf(pid)) ?? Number.NaN;
    const answered = await playOld(MEASURE_MS);
    const micros = (((await cpuMsOf(pid)) ?? Number.NaN) - before) * 1000;
    for (const student of students) student.close();
    return micros / answered;
  });
}

/** A gateway with production's settings and the embedded store, on a data folder of its own. */
async function withGateway<T>(
  work: (gateway: Service, url: string) => Promise<T>,
  nodeArguments: readonly string[] = [],
): Promise<T> {
  const dataDir = await mkdtemp(join(tmpdir(), 'gaze-relay-bench-'));
  const inference = await startInferenceStandIn();
  const env = {
    PATH: process.env.PATH,
    HOST: '127.0.0.1',
    PORT: '0',
    DATA_DIR: dataDir,
    LOG_LEVEL: 'warn',
    RELAY_JWT_SECRET: secret,
    ALLOWED_ORIGINS: 'https://school.example',
    MAX_CLIENT_FPS: '30',
  };
  const gateway = await startGateway({ env, log: 'ignore', nodeArguments }, inference.port);
  try {
    return await work(gateway, `http://127.0.0.1:${gateway.port}/`);
  } finally {
    await gateway.stop();
    inference.close();
    await rm(dataDir, { recursive: true, force: true });
  }
}

/** Memory over that of the empty gateway, KB a session. */
async function measureMemory() {
  return withGateway(async (gateway, url) => {
    const memory = async () => (await rssMbOf(gateway.process.pid)) ?? Number.NaN;
    await rest(SETTLE_MS);
    const emptyMb = await memory();
    const students = await openStudents(url, 1, MEMORY_SESSIONS);
    await rest(SETTLE_MS);
    const idleMb = await memory();
    await Promise.all(students.map((student) => student.start()));
    await play(students, PER_SECOND, MEASURE_MS);
    const activeMb = await memory();
    for (const student of students) student.close();
    return { emptyMb, idleMb, activeMb };
  });
}

/**
 * `npm run bench -- gateway [--json] [--profile FOLDER]`: what relaying costs the gateway. Keys: `students`, `imageBytes`;
 * `cpuMicrosPerFrame` (all its threads, at `steadyFramesPerSecond`), `classMicrosPerFrame` (a class of 50), `classFloorMicrosPerFrame` and `floorMicrosPerFrame` (bare WebSockets that
 * hand the same bytes on and answer 44), `ratioToFloor`, `socketIoMicrosPerFrame` (the old way, whole pictures as data URLs), `mostFramesPerSecond` (processed when
 * students send as fast as they are answered; this process loads the machine too, so see `coresThen`),
 * `framesPerCoreSecond` (what was processed for each second of a core that it took); `emptyMb`, `idleMbPer1000` (admitted sessions that send
 * nothing), `activeMbPer1000` (sessions that send five pictures a second).
 */
export async function run(argv: readonly string[]): Promise<void> {
  const { values } = parseArgs({
    args: [...argv],
    options: { json: { type: 'boolean', default: false }, profile: { type: 'string' } },
  });
  const profile = values.profile === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${values.profile}`];
  await Promise.all([buildClient(), buildServices()]);
  const floorMicros = await measureFloor(STUDENTS, WARM_MS);
  const classFloorMicros = await measureFloor(CLASS_STUDENTS, CLASS_WARM_MS);
  const oldMicros = await measureOldWay();
  const few = await withGateway(async (gateway, url) => {
    const students = await openStudents(url, 1, CLASS_STUDENTS);
    await Promise.all(students.map((student) => student.start()));
    return measure(gateway.process.pid, students, PER_SECOND, CLASS_WARM_MS);
  });
  const { steady, most } = await withGateway(async (gateway, url) => {
    const students = await openStudents(url, 1, STUDENTS);
    await Promise.all(students.map((student) => student.start()));
    const atRate = await measure(gateway.process.pid, students, PER_SECOND);
    const overload = await measure(gateway.process.pid, students, OVERLOAD_PER_SECOND);
    for (const student of students) student.close();
    return { steady: atRate, most: overload };
  }, profile);
  const { emptyMb, idleMb, activeMb } = await measureMemory();
  const result = {
    students: STUDENTS,
    imageBytes: IMAGE_BYTES,
    steadyFramesPerSecond: round(steady.framesPerSecond, 0),
    cpuMicrosPerFrame: round(steady.cpuMicrosPerFrame, 1),
    classMicrosPerFrame: round(few.cpuMicrosPerFrame, 1),
    classFloorMicrosPerFrame: round(classFloorMicros, 1),
    floorMicrosPerFrame: round(floorMicros, 1),
    socketIoMicrosPerFrame: round(oldMicros, 1),
    ratioToFloor: round(steady.cpuMicrosPerFrame / floorMicros, 2),
    mostFramesPerSecond: round(most.framesPerSecond, 0),
    coresThen: round(most.cores, 2),
    framesPerCoreSecond: round(1e6 / most.cpuMicrosPerFrame, 0),
    emptyMb: round(emptyMb, 0),
    idleMbPer1000: round(((idleMb - emptyMb) * 1000) / MEMORY_SESSIONS, 1),
    activeMbPer1000: round(((activeMb - emptyMb) * 1000) / MEMORY_SESSIONS, 1),
  };
  process.stdout.write(`the gateway, ${STUDENTS} students, pictures of ${IMAGE_BYTES} bytes, Node ${process.version}
  at ${result.steadyFramesPerSecond} frames/s    ${result.cpuMicrosPerFrame} µs of CPU a frame (${round(steady.processedShare * 100, 1)} % processed)
  with ${CLASS_STUDENTS} students     ${result.classMicrosPerFrame} µs a frame; bare WebSockets ${result.classFloorMicrosPerFrame}
  bare WebSockets      ${result.floorMicrosPerFrame} µs: the gateway takes ${result.ratioToFloor} times that
  Socket.IO, data URLs ${result.socketIoMicrosPerFrame} µs
  under overload       ${result.mostFramesPerSecond} frames/s on ${result.coresThen} cores: ${result.framesPerCoreSecond} for each core's second
  memory               ${result.emptyMb} MB empty, +${result.idleMbPer1000} MB for 1,000 idle sessions, +${result.activeMbPer1000} MB for 1,000 active ones
`);
  if (values.json) process.stdout.write(`${JSON.stringify(result)}\n`);
}
