import { type BackoffPolicy, backoffMs } from '../../shared/backoff.ts';
import type { Clock } from '../lib/clock.ts';

const BACKOFF: BackoffPolicy = { firstMs: 500, maxMs: 60_000 };

export interface RetryLoopOptions {
  /** True while there is something to deliver. */
  readonly hasWork: () => boolean;
  /** Delivers a part of it. Resolves with 0, or with the ms to wait when all that is left must wait; a rejection is retried later. */
  readonly deliver: () => Promise<number>;
  readonly failed: (error: unknown, retryInMs: number) => void;
  /** The first success after failures. */
  readonly recovered: (failures: number) => void;
  readonly clock: Clock;
  /** Numbers in [0, 1), for the jitter. */
  readonly random: () => number;
  readonly backoff?: BackoffPolicy | undefined;
}

/** Delivers while there is work, one part after another, and waits after failures. Without work it has no timer. */
export interface RetryLoop {
  /** There is work: starts, unless it runs or waits already. */
  start(): void;
  /** Starts at once, without the rest of the current wait, and resolves when there is no work left or it has to wait. */
  runNow(): Promise<void>;
  /** True while it waits after a failure. */
  isBackingOff(): boolean;
  /** An attempt outside of the loop has failed: everything waits. */
  fail(error: unknown): void;
  /** Starts nothing more; resolves when the part under way has ended. */
  stop(): Promise<void>;
}

export function createRetryLoop(options: RetryLoopOptions): RetryLoop {
  const { hasWork, deliver, failed, recovered, clock, random, backoff = BACKOFF } = options;
  let failures = 0;
  let running: Promise<void> | null = null;
  let cancelWait: (() => void) | null = null;
  let isBackingOff = false;
  let isStopped = false;

  function waitFor(waitMs: number): void {
    cancelWait?.();
    cancelWait = clock.after(waitMs, () => {
      endWait();
      start();
    });
  }

  function endWait(): void {
    cancelWait?.();
    cancelWait = null;
    isBackingOff = false;
  }

  function fail(error: unknown): void {
    const retryInMs = backoffMs(backoff, failures, random);
    failures += 1;
    failed(error, retryInMs);
    if (isStopped) return;
    isBackingOff = true;
    waitFor(retryInMs);
  }

  async function run(): Promise<void> {
    try {
      while (hasWork() && cancelWait === null && !isStopped) {
        const waitMs = await deliver();
        if (waitMs > 0) {
          if (cancelWait === null && !isStopped) waitFor(waitMs);
          return;
        }
        if (failures > 0) recovered(failures);
        failures = 0;
      }
    } catch (error) {
      fail(error);
    }
  }

  function start(): void {
    if (running !== null || cancelWait !== null || isStopped || !hasWork()) return;
    running = run().finally(() => {
      running = null;
      // Work may have come between the last check and here.
      start();
    });
  }

  async function idle(): Promise<void> {
    while (running !== null) await running;
  }

  return {
    start,
    async runNow() {
      await idle();
      if (isStopped || !hasWork()) return;
      endWait();
      start();
      await idle();
    },
    isBackingOff: () => isBackingOff,
    fail,
    async stop() {
      isStopped = true;
      endWait();
      await running;
    },
  };
}
