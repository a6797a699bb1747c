import { Worker } from 'node:worker_threads';
import type { WorkerSetup } from './messages.ts';
import { closeGate, createGateMemory, type NativeGateMemory } from './native-gate.ts';

/** The worker's module: inference/worker.ts in the sources, `worker.mjs` beside the bundle. */
function workerUrl(): URL {
  return new URL(import.meta.url.endsWith('.ts') ? '../worker.ts' : './worker.mjs', import.meta.url);
}

/** How long a worker may be inside native code before it is left to itself. */
const NATIVE_PATIENCE_MS = 3000;

const gates = new WeakMap<Worker, NativeGateMemory>();

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
  return worker;
}

/**
 * Ends a worker as soon as it is outside of native code, whatever else it is at. One that does not
 * come out is left to itself: ending it would end the process.
 */
export async function endWorker(worker: Worker): Promise<void> {
  const gate = gates.get(worker);
  if (gate === undefined || (await closeGate(gate, NATIVE_PATIENCE_MS))) await worker.terminate();
  else worker.unref();
}
