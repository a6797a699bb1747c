import { Worker } from 'node:worker_threads';
import type { WorkerSetup } from './messages.ts';

/** The worker's module: inference/worker.ts in the sources, `worker.mjs` beside the bundle. */
function workerUrl(): URL {
  return new URL(import.meta.url.endsWith('.ts') ? '../worker.ts' : './worker.mjs', import.meta.url);
}

/** Starts a worker thread on the module `url`, TypeScript (in development, through tsx) or JavaScript. */
export function spawnWorker(setup: WorkerSetup, url: URL = workerUrl()): Worker {
  if (!url.pathname.endsWith('.ts')) return new Worker(url, { workerData: setup });
  const loader = new URL('./typescript-worker.mjs', import.meta.url);
  return new Worker(loader, { workerData: { ...setup, entry: url.href }, execArgv: [] });
}
