import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from '../../harness/free-port.ts';
import { startGateway, startInference } from '../../harness/services.ts';
import { fetchTicket } from '../../harness/student.ts';
import { waitFor } from '../../harness/wait-for.ts';
import { LoadStudent } from '../lib/load-student.ts';
import type { BenchClip } from './clip.ts';
import { startEndpoint } from './endpoint.ts';
import { type BenchStudent, OurStudent, SeedStudent } from './players.ts';
import { startPythonService } from './python-service.ts';
import { SocketIoStudent } from './socket-io-student.ts';

/** Our pages at the rate they choose, at a fixed 5/s, and in device mode; the Python service at 5/s and at its own 15/s. */
export const CONTENDERS = ['ours', 'oursFixed5', 'device', 'seed5', 'seed15'] as const;
export type Contender = (typeof CONTENDERS)[number];

/** Services of one kind, running for one measurement. */
export interface Stand {
  /** Root processes. `gateway` and `inference` are null for the Python service, which is one. */
  readonly pids: {
    readonly whole: readonly (number | undefined)[];
    readonly gateway: number | null;
    readonly inference: number | null;
  };
  /** From the processes' start, models cached, to the first observation of the first student, ms. */
  readonly coldStartMs: number;
  open(index: number): Promise<BenchStudent>;
  /** Seconds of focus that the platform has of a student who has stopped. */
  storedFocusS(student: BenchStudent): Promise<number>;
  stop(): Promise<void>;
}

const FIRST_USER_ID = 1;

/** Starts a contender's services, with production's defaults, and waits for the first observation of one student. */
export async function openStand(contender: Contender, clip: BenchClip, python: string | null): Promise<Stand> {
  if (contender === 'seed5' || contender === 'seed15') {
    if (python === null) throw new Error('there is no Python for the Python service');
    return openSeed(clip, python, contender === 'seed5' ? 5 : 15);
  }
  return openOurs(clip, contender);
}

async function openOurs(clip: BenchClip, contender: 'ours' | 'oursFixed5' | 'device'): Promise<Stand> {
  const startedMs = performance.now();
  const dataDir = await mkdtemp(join(tmpdir(), 'gaze-relay-seed-'));
  const env = { PATH: process.env.PATH, LOG_LEVEL: 'warn', HOST: '127.0.0.1', DATA_DIR: dataDir };
  const options = { log: 'ignore', nodeArguments: [] } as const;
  const inferencePort = await freePort();
  const [inference, gateway] = await Promise.all([
    startInference({ ...options, env }, inferencePort),
    startGateway({ ...options, env: { ...env, PORT: String(await freePort()) } }, inferencePort),
  ]);
  const url = `http://127.0.0.1:${gateway.port}/`;
  const tickets = new Map<string, number>();
  const open = async (index: number): Promise<BenchStudent> => {
    const userId = FIRST_USER_ID + index;
    const link = await LoadStudent.open(
      url,
      await fetchTicket(url, userId),
      contender === 'oursFixed5' ? [] : ['calm'],
    );
    tickets.set(link.sessionId, userId);
    const student = new OurStudent(link, clip, contender);
    await student.begin();
    return student;
  };
  const first = await open(0);
  await first.firstObservation();
  return {
    pids: {
      whole: [gateway.process.pid, inference.process.pid],
      gateway: gateway.process.pid ?? null,
      inference: inference.process.pid ?? null,
    },
    coldStartMs: performance.now() - startedMs,
    open: (index) => (index === 0 ? Promise.resolve(first) : open(index)),
    storedFocusS: async ({ id }) => {
      const ticket = await fetchTicket(url, tickets.get(id) ?? FIRST_USER_ID);
      const response = await fetch(new URL(`/api/v1/sessions/${id}`, url), {
        headers: { authorization: `Bearer ${ticket}` },
      });
      const { report } = (await response.json()) as { report?: { focusedMs: number } };
      return (report?.focusedMs ?? Number.NaN) / 1000;
    },
    stop: async () => {
      await gateway.stop();
      await inference.stop();
      await rm(dataDir, { recursive: true, force: true });
    },
  };
}

async function openSeed(clip: BenchClip, python: string, perSecond: number): Promise<Stand> {
  const endpoint = await startEndpoint();
  const startedMs = performance.now();
  const service = await startPythonService(python, endpoint.url);
  const open = async (index: number): Promise<BenchStudent> => {
    const userId = FIRST_USER_ID + index;
    const student = new SeedStudent(await SocketIoStudent.open(service.port, userId), clip, { userId, perSecond });
    await student.begin();
    return student;
  };
  const first = await open(0);
  await first.firstObservation();
  return {
    pids: { whole: [service.process.pid], gateway: null, inference: null },
    coldStartMs: performance.now() - startedMs,
    open: (index) => (index === 0 ? Promise.resolve(first) : open(index)),
    // Posts do not hold up the answer to the student.
    storedFocusS: ({ id }) => waitFor('what the service posts', () => endpoint.focusedS(Number(id))),
    stop: async () => {
      await service.stop();
      endpoint.close();
    },
  };
}
