import { setTimeout as delay } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import type { WorkerSetup } from './messages.ts';
import { closeGate, createGateMemory, type NativeGateMemory } from './native-gate.ts';

/** The worker's module: inference/worker.ts in the sources, `worker.mjs` beside the bundle. */
function workerUrl(): URL {
  return new URL(import.meta.url.endsWith('.ts') ? '../worker.ts' : './worker.mjs', import.meta.url);
}

/** How long a worker may take to leave native code, and then to end. */
const PATIENCE_MS = 3000;

const gates = new WeakMap<Worker, NativeGateMemory>();
/** Workers whose thread has not ended. */
const running = new Set<Worker>();

/** Starts a worker thread on the module `url`, TypeScript (in development, through tsx) or JavaScript. */
export function spawnWorker(setup: Omit<WorkerSetup, 'gate'>, url: URL = workerUrl()): Worker {
  const gate = createGateMemory();
  const workerData = { ...setup, gate };
  const worker = url.pathname.endsWith('.ts')
    ? new Worker(new URL('./typescript-worker.mjs', import.meta.url), {
        workerData: { ...workerData, entry: url.href },
        execArgv: [],
      })
    : new Worker(url, { workerData });
  gates.set(worker, gate);
  running.add(worker);
  worker.once('exit', () => running.delete(worker));
  return worker;
}

/**
 * Ends a worker as soon as it is outside native code; resolves when it has ended. A worker that stays inside native
 * code for longer than PATIENCE_MS is abandoned, because ending it there would end the process: see endProcess.
 */
export async function endWorker(worker: Worker): Promise<void> {
  const gate = gates.get(worker);
  if (gate === undefined || (await closeGate(gate, PATIENCE_MS))) {
    // A worker that is stuck in native code without having reported it does not end.
    await Promise.race([worker.terminate(), delay(PATIENCE_MS, undefined, { ref: false })]);
  }
  worker.unref();
}

/**
 * Ends the process with that exit code, after the pool was closed. With a worker that is still stuck in native code
 * process.exit would wait for it without end, so the process then kills itself (SIGKILL).
 */
export function endProcess(exitCode: number): never {
  if (running.size > 0) process.kill(process.pid, 'SIGKILL');
  process.exit(exitCode);
}
