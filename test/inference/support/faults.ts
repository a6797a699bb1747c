import type { Worker } from 'node:worker_threads';
import type { WorkerSetup } from '../../../inference/pool/messages.ts';
import { spawnWorker } from '../../../inference/pool/spawn.ts';

/** Sent in place of a picture, these make a faulty worker fail. 16 bytes each. */
export const FAULT = { crash: 'crash-the-worker', exit: 'exit--the-worker', hang: 'hang--the-worker' } as const;

export function faultBytes(fault: keyof typeof FAULT): Uint8Array {
  return new TextEncoder().encode(FAULT[fault]);
}

/** A real worker thread with the real engine that fails when told to. */
export function spawnFaultyWorker(setup: Omit<WorkerSetup, 'gate'>): Worker {
  return spawnWorker(setup, new URL('./faulty-worker.ts', import.meta.url));
}

/** A worker thread that hangs in native code when it starts: it opens `fifo`, a named pipe without a writer. */
export function spawnHangingWorker(setup: Omit<WorkerSetup, 'gate'>, fifo: string): Worker {
  const withFifo: Omit<WorkerSetup, 'gate'> & { readonly fifo: string } = { ...setup, fifo };
  return spawnWorker(withFifo, new URL('./hanging-worker.ts', import.meta.url));
}
