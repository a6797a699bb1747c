import type { Worker } from 'node:worker_threads';
import { type BackoffPolicy, backoffCeilingMs } from '../../shared/backoff.ts';
import { describeError, RelayError } from '../../shared/errors.ts';
import type { EngineName } from '../engine/engine.ts';
import type { ObserveOutcome } from '../observe.ts';
import { FairQueue } from './fair-queue.ts';
import type { WorkerJob, WorkerReport } from './messages.ts';
import { endWorker } from './spawn.ts';

export type PoolAnswer =
  | ObserveOutcome
  | { readonly status: 'busy'; readonly retryAfterMs: number }
  | { readonly status: 'expired' };

export interface PoolOptions {
  readonly workers: number;
  /** Requests that may wait. */
  readonly queueLimit: number;
  /** A worker that has not answered a request by then is hung. */
  readonly hangMs: number;
  /** A worker that is not ready by then is hung. */
  readonly startMs: number;
  readonly spawn: () => Worker;
  /** Called for every worker that had to be replaced. */
  readonly onReplaced: (reason: string) => void;
  /** Called for every worker that became ready; `fallback` is why its engine is not the one asked for. */
  readonly onReady?: (engine: EngineName, fallback: string | null) => void;
}

/** Counts since the start, and what is true now. */
export interface PoolState {
  readonly workersWanted: number;
  readonly workersReady: number;
  readonly queued: number;
  /** How long the oldest queued request has waited, ms; null when none waits. */
  readonly oldestQueuedMs: number | null;
  readonly running: number;
  readonly answered: number;
  readonly expired: number;
  readonly refused: number;
  readonly replaced: number;
}

interface Waiting {
  readonly peer: object;
  readonly job: WorkerJob;
  readonly sinceMs: number;
  readonly resolve: (answer: PoolAnswer) => void;
  readonly expiresAtMs: number;
  timer: NodeJS.Timeout | null;
}

interface Slot {
  worker: Worker | null;
  ready: boolean;
  current: { readonly resolve: (answer: PoolAnswer) => void; readonly startedAtMs: number } | null;
  watchdog: NodeJS.Timeout | null;
  failures: number;
  /** When it served its newest request. */
  servedAtMs: number;
}

const RESTART: BackoffPolicy = { firstMs: 100, maxMs: 5_000 };
const MIN_RETRY_MS = 5;
const FIRST_GUESS_MS = 5;
/** Weight of the newest request in the running mean of service times. */
const SERVICE_WEIGHT = 0.05;
/**
 * A worker that has rested for so long is not woken while another one runs, unless there has been, or will be, a queue for as
 * long: a worker that has just served finds its model in the caches, one that has rested takes up to three times the processor time.
 */
const WARM_MS = 20;

/** Who sends where nothing tells senders apart. */
const ONE_PEER = {};

/**
 * Worker threads that each serve one request at a time, and a bounded queue before them in which peers take turns. A request
 * is answered exactly once: served, `busy` when the queue is full, `expired` when its budget ran
 * out before a worker was free, `engineFailed` when its worker crashed or hung (and was replaced).
 */
export class WorkerPool {
  readonly #options: PoolOptions;
  readonly #slots: Slot[];
  readonly #queue: FairQueue<Waiting>;
  /** Since when something has always waited; means nothing while nothing does. */
  #queuedSinceMs = 0;
  /** Until there has been a queue for WARM_MS. */
  #wakeTimer: NodeJS.Timeout | null = null;
  #serviceMs = FIRST_GUESS_MS;
  #answered = 0;
  #expired = 0;
  #refused = 0;
  #replaced = 0;
  #closing = false;
  #idleWaiters: (() => void)[] = [];
  /** Replaced workers that have not ended yet. */
  readonly #ending = new Set<Promise<void>>();

  constructor(options: PoolOptions) {
    this.#options = options;
    this.#queue = new FairQueue(options.queueLimit);
    this.#slots = Array.from({ length: options.workers }, () => ({
      worker: null,
      ready: false,
      current: null,
      watchdog: null,
      failures: 0,
      servedAtMs: Number.NEGATIVE_INFINITY,
    }));
  }

  /**
   * Resolves when every worker is ready. Rejects with RelayError `engine_unavailable` if one cannot start, and
   * `engine_start_timeout` if one is not ready within `startMs`.
   */
  async start(): Promise<void> {
    await Promise.all(this.#slots.map((slot) => this.#launch(slot)));
  }

  state(): PoolState {
    const waitingSinceMs = Math.min(...this.#queue.heads().map(({ sinceMs }) => sinceMs));
    return {
      workersWanted: this.#slots.length,
      workersReady: this.#slots.filter((slot) => slot.ready).length,
      queued: this.#queue.size,
      oldestQueuedMs: this.#queue.size === 0 ? null : performance.now() - waitingSinceMs,
      running: this.#slots.filter((slot) => slot.current !== null).length,
      answered: this.#answered,
      expired: this.#expired,
      refused: this.#refused,
      replaced: this.#replaced,
    };
  }

  /**
   * Serves one request; never rejects. The buffer under `job.image` is handed to a worker thread:
   * it must hold nothing else, and the caller must not use it again. Requests of one `peer` wait behind each other,
   * not before those of another.
   */
  submit(job: WorkerJob, budgetMs: number, peer: object = ONE_PEER): Promise<PoolAnswer> {
    if (this.#closing || this.#slots.every((slot) => !slot.ready)) return Promise.resolve(this.#busy());
    return new Promise((resolve) => {
      const sinceMs = performance.now();
      const waiting: Waiting = { peer, job, resolve, sinceMs, expiresAtMs: sinceMs + budgetMs, timer: null };
      if (this.#queue.size === 0) this.#queuedSinceMs = sinceMs;
      const { isTaken, evicted } = this.#queue.push(peer, waiting);
      if (evicted !== null) this.#finish(evicted, this.#busy());
      if (!isTaken) return resolve(this.#busy());
      if (this.#pump().has(waiting)) return;
      waiting.timer = setTimeout(() => this.#expire(waiting), budgetMs);
    });
  }

  /** Resolves when nothing is queued or running. */
  idle(): Promise<void> {
    if (this.#isIdle()) return Promise.resolve();
    return new Promise((resolve) => this.#idleWaiters.push(resolve));
  }

  /** Ends the workers. Queued requests are answered `busy`, running ones `engineFailed`. */
  async close(): Promise<void> {
    this.#closing = true;
    if (this.#wakeTimer !== null) clearTimeout(this.#wakeTimer);
    for (const waiting of this.#queue.clear())
      this.#finish(waiting, { status: 'busy', retryAfterMs: this.#retryAfterMs() });
    for (const { worker } of this.#slots) if (worker !== null) this.#end(worker);
    await Promise.all(this.#ending);
  }

  #isIdle(): boolean {
    return this.#queue.size === 0 && this.#slots.every((slot) => slot.current === null);
  }

  #busy(): PoolAnswer {
    this.#refused++;
    return { status: 'busy', retryAfterMs: this.#retryAfterMs() };
  }

  #retryAfterMs(): number {
    const ahead = this.#queue.size + this.#slots.length;
    return Math.ceil(Math.max(MIN_RETRY_MS, (this.#serviceMs * ahead) / this.#slots.length));
  }

  #finish(waiting: Waiting, answer: PoolAnswer): void {
    if (waiting.timer !== null) clearTimeout(waiting.timer);
    waiting.resolve(answer);
  }

  #expire(waiting: Waiting): void {
    this.#queue.remove(waiting.peer, waiting);
    this.#expired++;
    this.#finish(waiting, { status: 'expired' });
    this.#notifyIdle();
  }

  /** Gives waiting requests to free workers; returns those that it gave. */
  #pump(): ReadonlySet<Waiting> {
    const given = new Set<Waiting>();
    for (const slot of this.#slots) {
      if (!slot.ready || slot.current !== null) continue;
      if (this.#queue.size === 0) break;
      if (!this.#isWorthWaking(slot)) {
        this.#wakeTimer ??= setTimeout(() => {
          this.#wakeTimer = null;
          this.#pump();
        }, WARM_MS);
        continue;
      }
      const waiting = this.#nextAlive();
      if (waiting === null) break;
      given.add(waiting);
      this.#dispatch(slot, waiting);
    }
    return given;
  }

  /** False for a worker that has rested while another one will soon have served what waits. */
  #isWorthWaking({ servedAtMs }: Slot): boolean {
    const nowMs = performance.now();
    return (
      nowMs - servedAtMs < WARM_MS ||
      nowMs - this.#queuedSinceMs >= WARM_MS ||
      this.#queue.size * this.#serviceMs > WARM_MS ||
      this.#slots.every(({ current }) => current === null)
    );
  }

  #nextAlive(): Waiting | null {
    for (let waiting = this.#queue.shift(); waiting !== undefined; waiting = this.#queue.shift()) {
      if (performance.now() <= waiting.expiresAtMs) return waiting;
      this.#expired++;
      this.#finish(waiting, { status: 'expired' });
    }
    return null;
  }

  #dispatch(slot: Slot, waiting: Waiting): void {
    if (waiting.timer !== null) clearTimeout(waiting.timer);
    slot.current = { resolve: waiting.resolve, startedAtMs: performance.now() };
    slot.watchdog = setTimeout(
      () => this.#discard(slot, `no answer within ${this.#options.hangMs} ms`),
      this.#options.hangMs,
    );
    slot.worker?.postMessage(waiting.job, [waiting.job.image.buffer as ArrayBuffer]);
  }

  #settle(slot: Slot, outcome: ObserveOutcome): void {
    if (slot.watchdog !== null) clearTimeout(slot.watchdog);
    slot.watchdog = null;
    const { current } = slot;
    slot.current = null;
    if (current === null) return;
    this.#answered++;
    slot.servedAtMs = performance.now();
    this.#serviceMs += SERVICE_WEIGHT * (slot.servedAtMs - current.startedAtMs - this.#serviceMs);
    current.resolve(outcome);
    this.#pump();
    this.#notifyIdle();
  }

  #notifyIdle(): void {
    if (!this.#isIdle()) return;
    const waiters = this.#idleWaiters;
    this.#idleWaiters = [];
    for (const resolve of waiters) resolve();
  }

  #launch(slot: Slot): Promise<void> {
    return new Promise((resolve, reject) => {
      const { startMs, spawn, onReady } = this.#options;
      const worker = spawn();
      slot.worker = worker;
      slot.watchdog = setTimeout(() => {
        const reason = `not ready within ${startMs} ms`;
        const hint =
          'give the service more CPU or fewer INFERENCE_WORKERS; if a worker still hangs, take INFERENCE_ENGINE=onnx-web';
        reject(new RelayError('engine_start_timeout', `a worker is ${reason}`, { hint }));
        this.#discard(slot, reason);
      }, startMs);
      let reason = 'the worker ended';
      const fail = (): void => {
        if (!slot.ready) reject(new RelayError('engine_unavailable', reason, { hint: 'see the log for the cause' }));
        if (slot.worker === worker) this.#discard(slot, reason);
      };
      worker.on('message', (report: WorkerReport) => {
        if (slot.worker !== worker) return;
        if (report.type === 'outcome') this.#settle(slot, report.outcome);
        else if (report.type === 'failed') {
          reason = report.reason;
          fail();
        } else {
          this.#markReady(slot);
          onReady?.(report.engine, report.fallback);
          resolve();
        }
      });
      worker.on('error', (error) => {
        reason = describeError(error);
      });
      worker.on('exit', fail);
    });
  }

  #end(worker: Worker): void {
    const ending = endWorker(worker).finally(() => this.#ending.delete(ending));
    this.#ending.add(ending);
  }

  #markReady(slot: Slot): void {
    if (slot.watchdog !== null) clearTimeout(slot.watchdog);
    slot.watchdog = null;
    slot.ready = true;
    slot.failures = 0;
    this.#pump();
  }

  #discard(slot: Slot, reason: string): void {
    const { worker } = slot;
    slot.worker = null;
    slot.ready = false;
    if (worker !== null) this.#end(worker);
    this.#settle(slot, { status: 'engineFailed', reason });
    if (this.#closing) return;
    this.#replaced++;
    this.#options.onReplaced(reason);
    const delayMs = slot.failures === 0 ? 0 : backoffCeilingMs(RESTART, slot.failures - 1);
    slot.failures++;
    setTimeout(() => {
      if (!this.#closing) this.#launch(slot).catch(() => {});
    }, delayMs).unref();
  }
}
