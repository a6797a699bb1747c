import { describeError } from '../../shared/errors.ts';
import type { MetricsWindow } from '../../shared/metrics-window.ts';
import { restAfter } from '../lib/cpu-share.ts';
import type { Logger } from '../lib/logger.ts';
import { createMutex } from '../lib/mutex.ts';
import type { SessionAccount } from './account.ts';
import { openWindow } from './account-windows.ts';

/** With many sessions checkpoints come less often. */
const CPU_SHARE = 1 / 40;
/** Longest pause, whatever a write took: a killed gateway loses what was counted since. */
const MAX_REST_MS = 4000;

export interface CheckpointerOptions {
  /** Writes what is open now and forgets sessions that have ended. */
  readonly checkpoint: (open: readonly MetricsWindow[], goneSessionIds: readonly string[]) => Promise<void>;
  /** Sessions that are counting now, and whether all their windows are in the delivery queue. */
  readonly sessions: () => Iterable<{ readonly account: SessionAccount; readonly isSaved: boolean }>;
  /** Resolves when every window saved so far is in the delivery queue. */
  readonly saved: () => Promise<unknown>;
  /** True when no window is on its way into the delivery queue. */
  readonly isAllSaved: () => boolean;
  /** Shortest time between two writes, ms. */
  readonly everyMs: number;
  readonly logger: Logger;
}

/** Writes the open windows of running sessions when they have changed: no timer runs while nothing does. */
export class Checkpointer {
  readonly #deps: CheckpointerOptions;
  readonly #written = new Map<string, SessionAccount>();
  readonly #mutex = createMutex();
  #running: Promise<void> | null = null;
  #wake: () => void = () => {};
  #wanted = false;
  #changed = false;
  /** Since the newest write an account has changed that is not about to change again. */
  #answered = false;
  /** No write before this moment of the monotonic clock, ms. */
  #restUntilMs = 0;
  #failing = false;

  constructor(options: CheckpointerOptions) {
    this.#deps = options;
  }

  /** Sessions are counting: writes what changes until stop(). */
  start(): void {
    this.#wanted = true;
    this.#changed = true;
    this.#running ??= this.#run().finally(() => {
      this.#running = null;
      if (this.#wanted) this.start();
    });
  }

  /**
   * An account has changed, or has begun or ended to count. Where an answer to it is under way, it is about to change again: the
   * write waits for that, at most `everyMs`.
   */
  changed(isAnswered: boolean): void {
    if (this.#changed && (this.#answered || !isAnswered)) return;
    this.#changed = true;
    this.#answered ||= isAnswered;
    this.#wake();
  }

  /** Writes once more, so that no window that is saved stays among the open ones. */
  async stop(): Promise<void> {
    this.#wanted = false;
    this.#wake();
    await this.#running;
    await this.#deps.saved();
    await this.#mutex.run(() => this.#write());
  }

  async #run(): Promise<void> {
    const { everyMs } = this.#deps;
    while (this.#wanted) {
      await this.#until(() => this.#changed, Number.POSITIVE_INFINITY);
      await this.#until(() => false, this.#restUntilMs - performance.now());
      await this.#until(() => this.#answered, everyMs);
      if (!this.#wanted) return;
      // What changes in the same turn of the event loop is written together.
      await new Promise((resolve) => setImmediate(resolve));
      this.#changed = false;
      this.#answered = false;
      const pace = { share: CPU_SHARE, minRestMs: everyMs, maxRestMs: MAX_REST_MS };
      const restMs = await this.#mutex.run(() => restAfter(() => this.#write(), pace));
      this.#restUntilMs = performance.now() + restMs;
    }
  }

  /** Resolves when a change makes `isEnough` true, after `waitMs`, or when nothing is to be written any more. */
  async #until(isEnough: () => boolean, waitMs: number): Promise<void> {
    const isOver = () => !this.#wanted || isEnough();
    if (isOver() || waitMs <= 0) return;
    await new Promise<void>((resolve) => {
      const timer = Number.isFinite(waitMs) ? setTimeout(resolve, waitMs) : undefined;
      this.#wake = () => {
        if (!isOver()) return;
        clearTimeout(timer);
        resolve();
      };
    });
  }

  async #write(): Promise<void> {
    const { sessions, isAllSaved, checkpoint, logger } = this.#deps;
    const open: MetricsWindow[] = [];
    const written: SessionAccount[] = [];
    const present = new Set<string>();
    const gone: string[] = [];
    for (const { account, isSaved } of sessions()) {
      present.add(account.sessionId);
      // What the row held before must be in the delivery queue before it is overwritten.
      if (!isSaved) this.#changed = true;
      if (!isSaved || this.#written.get(account.sessionId) === account) continue;
      const window = openWindow(account);
      if (window !== null) open.push(window);
      else if (this.#written.has(account.sessionId)) gone.push(account.sessionId);
      written.push(account);
    }
    if (isAllSaved()) for (const sessionId of this.#written.keys()) if (!present.has(sessionId)) gone.push(sessionId);
    if (open.length === 0 && gone.length === 0) return;
    try {
      await checkpoint(open, gone);
      if (this.#failing) logger.info({}, 'open windows are written again');
      this.#failing = false;
    } catch (error) {
      if (!this.#failing)
        logger.error({ code: 'spool_failed', reason: describeError(error) }, 'open windows are not on the disk');
      this.#failing = true;
      this.#changed = true;
      return;
    }
    for (const sessionId of gone) this.#written.delete(sessionId);
    for (const account of written) this.#written.set(account.sessionId, account);
  }
}
