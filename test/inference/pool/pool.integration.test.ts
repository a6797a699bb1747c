import { execFile } from 'node:child_process';
import { constants, mkdtemp, open, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import fc from 'fast-check';
import { afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { clipFrame, emptyRoom, wholeFrame } from '../../../harness/clip.ts';
import { loadModels, type ModelFiles } from '../../../inference/models/store.ts';
import type { WorkerJob } from '../../../inference/pool/messages.ts';
import { type PoolAnswer, type PoolOptions, WorkerPool } from '../../../inference/pool/pool.ts';
import { spawnWorker } from '../../../inference/pool/spawn.ts';
import type { FaceRoi } from '../../../shared/geometry.ts';
import { faultBytes, spawnFaultyWorker, spawnHangingWorker } from '../support/faults.ts';

const PATIENT_MS = 60_000;

let files: ModelFiles;
let pool: WorkerPool | null = null;
let replaced: string[] = [];

beforeAll(async () => {
  files = await loadModels();
});

afterEach(async () => {
  await pool?.close();
  pool = null;
});

async function openPool(options: Partial<PoolOptions> = {}): Promise<WorkerPool> {
  replaced = [];
  pool = new WorkerPool({
    workers: 1,
    queueLimit: 4,
    hangMs: PATIENT_MS,
    startMs: PATIENT_MS,
    spawn: () => spawnFaultyWorker({ engine: 'onnx', files }),
    onReplaced: (reason) => replaced.push(reason),
    ...options,
  });
  await pool.start();
  return pool;
}

/** A job with bytes of its own, as the pool demands. */
function job(image: Uint8Array = clipFrame(0)): WorkerJob {
  const { frame, crop, roi } = wholeFrame(image);
  return { frame, crop, roi, image: Uint8Array.from(image) };
}

/** The pool takes ownership of a request's bytes. */
function copyOf(request: WorkerJob): WorkerJob {
  return { ...request, image: Uint8Array.from(request.image) };
}

async function allReady(of: WorkerPool): Promise<void> {
  await vi.waitFor(() => expect(of.state().workersReady).toBe(of.state().workersWanted), { timeout: PATIENT_MS });
}

describe('WorkerPool', () => {
  it('serves requests on every worker and keeps count', async () => {
    const opened = await openPool({ workers: 2, queueLimit: 16 });
    const answers = await Promise.all([0, 20, 40, 60].map((index) => opened.submit(job(clipFrame(index)), PATIENT_MS)));
    for (const answer of answers) expect(answer).toMatchObject({ status: 'ok', observation: { faceCount: 1 } });
    expect(opened.state()).toMatchObject({ workersReady: 2, answered: 4, queued: 0, running: 0, refused: 0 });
  });

  it('lets a rested worker sleep while one that runs will soon have served what waits', async () => {
    const opened = await openPool({ workers: 2, queueLimit: 64 });
    const few = [0, 20].map((index) => opened.submit(job(clipFrame(index)), PATIENT_MS));
    expect(opened.state()).toMatchObject({ running: 1, queued: 1 });
    const more = Array.from({ length: 10 }, (_, index) => opened.submit(job(clipFrame(index)), PATIENT_MS));
    expect(opened.state()).toMatchObject({ running: 2 });
    for (const answer of await Promise.all([...few, ...more])) expect(answer).toMatchObject({ status: 'ok' });
  });

  it('wakes a rested worker when the one that runs is slow', async () => {
    const opened = await openPool({ workers: 2 });
    const stuck = opened.submit(job(faultBytes('hang')), PATIENT_MS);
    expect(await opened.submit(job(), PATIENT_MS)).toMatchObject({ status: 'ok' });
    await opened.close();
    expect(await stuck).toMatchObject({ status: 'engineFailed' });
  });

  it('gives each request the same observation, bit for bit, on any worker, after and beside any others', async () => {
    const opened = await openPool({ workers: 2, queueLimit: 256, spawn: () => spawnWorker({ engine: 'onnx', files }) });
    // Three students, each request with the region of that student's frame before; one looks away, one frame is broken.
    const requests: WorkerJob[] = [];
    for (const start of [0, 70, 140]) {
      let roi: FaceRoi | null = null;
      for (let index = start; index < start + 6; index++) {
        const request = { ...job(clipFrame(index)), roi };
        requests.push(request);
        const answer = await opened.submit(copyOf(request), PATIENT_MS);
        if (answer.status !== 'ok' || answer.observation.face === null) throw new Error('no face');
        roi = answer.observation.face.nextRoi;
      }
    }
    requests.push(job(await emptyRoom()), job(clipFrame(3).subarray(0, 4000)));
    const alone: PoolAnswer[] = [];
    for (const request of requests) alone.push(await opened.submit(copyOf(request), PATIENT_MS));
    await fc.assert(
      fc.asyncProperty(fc.array(fc.nat(requests.length - 1), { minLength: 8, maxLength: 60 }), async (order) => {
        const answers = await Promise.all(
          order.map((index) => opened.submit(copyOf(requests[index] ?? job()), PATIENT_MS)),
        );
        expect(answers).toEqual(order.map((index) => alone[index]));
      }),
      { numRuns: 12, seed: 20_261_122 },
    );
  });

  it('answers busy at once, with a hint when to come back, while the queue is full', async () => {
    const opened = await openPool({ queueLimit: 2 });
    const served = [1, 2, 3].map(() => opened.submit(job(), PATIENT_MS));
    const answer = await opened.submit(job(), PATIENT_MS);
    expect(answer).toMatchObject({ status: 'busy' });
    expect(answer.status === 'busy' && answer.retryAfterMs).toBeGreaterThan(0);
    expect((await Promise.all(served)).map((each) => each.status)).toEqual(['ok', 'ok', 'ok']);
    expect(opened.state().refused).toBe(1);
  });

  it('answers expired, unserved, what its budget did not outlast', async () => {
    const opened = await openPool();
    const first = opened.submit(job(), PATIENT_MS);
    const late = opened.submit(job(), 0);
    expect(await late).toEqual({ status: 'expired' });
    expect(await first).toMatchObject({ status: 'ok' });
    expect(opened.state()).toMatchObject({ answered: 1, expired: 1 });
  });

  it('answers expired while every worker hangs', async () => {
    const opened = await openPool();
    const stuck = opened.submit(job(faultBytes('hang')), PATIENT_MS);
    expect(await opened.submit(job(), 20)).toEqual({ status: 'expired' });
    await opened.close();
    expect(await stuck).toMatchObject({ status: 'engineFailed' });
  });

  it.each(['crash', 'exit'] as const)('replaces a worker that dies (%s); its request alone fails', async (fault) => {
    const opened = await openPool();
    const [failed, waiting] = [opened.submit(job(faultBytes(fault)), PATIENT_MS), opened.submit(job(), PATIENT_MS)];
    expect(await failed).toMatchObject({ status: 'engineFailed' });
    expect(await waiting).toMatchObject({ status: 'ok' });
    expect(opened.state()).toMatchObject({ workersReady: 1, replaced: 1 });
    expect(replaced).toHaveLength(1);
  });

  it('replaces a worker that hangs, and answers its request', async () => {
    const opened = await openPool({ hangMs: 1_000 });
    expect(await opened.submit(job(faultBytes('hang')), PATIENT_MS)).toMatchObject({
      status: 'engineFailed',
      reason: expect.stringContaining('1000 ms'),
    });
    await allReady(opened);
    expect(await opened.submit(job(), PATIENT_MS)).toMatchObject({ status: 'ok' });
  });

  it('answers busy while no worker is ready', async () => {
    const opened = await openPool();
    await opened.submit(job(faultBytes('crash')), PATIENT_MS);
    expect(await opened.submit(job(), PATIENT_MS)).toMatchObject({ status: 'busy' });
    await allReady(opened);
  });

  it('refuses to start when the engine cannot be opened', async () => {
    const broken = { ...files, observedMesh: Uint8Array.from([1, 2, 3]) };
    const started = openPool({ spawn: () => spawnFaultyWorker({ engine: 'onnx', files: broken }) });
    await expect(started).rejects.toMatchObject({ code: 'engine_unavailable' });
  });

  it('fails within its limit when a worker hangs in native code at start, and closes', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'gaze-relay-pool-'));
    const fifo = join(folder, 'fifo');
    await promisify(execFile)('mkfifo', [fifo]);
    const started = openPool({ startMs: 3_000, spawn: () => spawnHangingWorker({ engine: 'onnx', files }, fifo) });
    await expect(started).rejects.toMatchObject({ code: 'engine_start_timeout' });
    await pool?.close();
    // Releases the worker, so that the process of the tests can end.
    const writer = await open(fifo, constants.O_RDWR | constants.O_NONBLOCK);
    await writer.close();
    await rm(folder, { recursive: true });
  });

  it('tells when it is idle, and answers what is left when it closes', async () => {
    const opened = await openPool();
    await opened.idle();
    const [running, queued] = [opened.submit(job(faultBytes('hang')), PATIENT_MS), opened.submit(job(), PATIENT_MS)];
    await opened.close();
    expect(await queued).toMatchObject({ status: 'busy' });
    expect(await running).toMatchObject({ status: 'engineFailed' });
    await opened.idle();
  });
});
