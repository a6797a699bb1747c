import { RelayError } from '../../shared/errors.ts';

/**
 * Ending a worker thread while onnxruntime runs ends the whole process: its native part throws where nothing catches.
 * So a worker marks when it is inside native code, and is ended only outside of it. Shared memory, because a hung
 * worker answers no messages.
 */
const INSIDE = 0;
const STOPPED = 1;
const POLL_MS = 2;

export type NativeGateMemory = SharedArrayBuffer;

export function createGateMemory(): NativeGateMemory {
  return new SharedArrayBuffer(2 * Int32Array.BYTES_PER_ELEMENT);
}

/** Runs a call that enters native code. */
export type NativeGate = <T>(call: () => Promise<T>) => Promise<T>;

/** The worker's side. Calls after the pool has closed the gate reject with RelayError `worker_ending`. */
export function openGate(memory: NativeGateMemory): NativeGate {
  const state = new Int32Array(memory);
  return async (call) => {
    // Enter, then check: the pool closes the gate first and checks for calls inside after that.
    Atomics.add(state, INSIDE, 1);
    try {
      if (Atomics.load(state, STOPPED) === 1) throw new RelayError('worker_ending', 'the worker is being replaced');
      return await call();
    } finally {
      Atomics.sub(state, INSIDE, 1);
    }
  };
}

/** The pool's side: refuses new calls; resolves true once none is inside, false if that takes longer than `patienceMs`. */
export async function closeGate(memory: NativeGateMemory, patienceMs: number): Promise<boolean> {
  const state = new Int32Array(memory);
  Atomics.store(state, STOPPED, 1);
  const giveUpAtMs = performance.now() + patienceMs;
  while (Atomics.load(state, INSIDE) > 0) {
    if (performance.now() >= giveUpAtMs) return false;
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
  return true;
}
