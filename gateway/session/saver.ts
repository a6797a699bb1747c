import { describeError, RelayError } from '../../shared/errors.ts';
import type { MetricsWindow } from '../../shared/metrics-window.ts';
import type { Logger } from '../lib/logger.ts';

const RETRY_MS = 1000;
/** Attempts that a closing gateway makes for a window before it gives it up. */
const CLOSING_ATTEMPTS = 5;
/** Windows that the line on unsaved ones names. */
const MAX_LOGGED = 100;

export interface SaverOptions {
  /** Writes a window to the disk. Rejects with RelayError `spool_failed`, or `spool_closed` where no later try can succeed. */
  readonly append: (window: MetricsWindow) => Promise<void>;
  readonly logger: Logger;
  readonly retryMs?: number;
}

/**
 * Puts windows on the disk, those of one session in order. A full disk delays a window and does not lose it: it is kept in
 * memory and tried again, until the gateway closes.
 */
export class Saver {
  readonly #options: SaverOptions;
  /** The newest window of each session that is not on the disk yet; these promises never reject. */
  readonly #pending = new Map<string, Promise<void>>();
  readonly #unsaved: MetricsWindow[] = [];
  #failing = false;
  #closing = false;

  constructor(options: SaverOptions) {
    this.#options = options;
  }

  /** Resolves once the window is on the disk. Rejects only where a closing gateway gave it up. */
  save(window: MetricsWindow): Promise<void> {
    const { sessionId } = window;
    const saved = this.whenSaved(sessionId).then(() => this.#append(window));
    const settled: Promise<void> = saved
      .catch(() => undefined)
      .then(() => {
        if (this.#pending.get(sessionId) === settled) this.#pending.delete(sessionId);
      });
    this.#pending.set(sessionId, settled);
    return saved;
  }

  /** True when no window is waiting to be written. */
  get isIdle(): boolean {
    return this.#pending.size === 0;
  }

  /** True when every window of the session handed over so far is written, or given up. */
  isSaved(sessionId: string): boolean {
    return !this.#pending.has(sessionId);
  }

  /** True while windows cannot be written. */
  get isFailing(): boolean {
    return this.#failing;
  }

  /** Resolves when every window of the session handed over so far is on the disk, or given up. */
  whenSaved(sessionId: string): Promise<void> {
    return this.#pending.get(sessionId) ?? Promise.resolve();
  }

  /** Resolves when every window handed over so far is on the disk, or given up. */
  async whenIdle(): Promise<void> {
    await Promise.all(this.#pending.values());
  }

  /** The gateway closes: tries a little longer, then gives up and logs which windows were not saved. */
  async close(): Promise<void> {
    this.#closing = true;
    await this.whenIdle();
    if (this.#unsaved.length === 0) return;
    const windows = this.#unsaved
      .slice(0, MAX_LOGGED)
      .map(({ sessionId, epoch, seq, startedAtMs, endedAtMs }) => ({ sessionId, epoch, seq, startedAtMs, endedAtMs }));
    this.#options.logger.error(
      { code: 'windows_not_saved', count: this.#unsaved.length, windows },
      'these windows could not be written to DATA_DIR',
    );
  }

  async #append(window: MetricsWindow): Promise<void> {
    const { append, logger, retryMs = RETRY_MS } = this.#options;
    for (let attempt = 1; ; attempt += 1) {
      try {
        await append(window);
        if (this.#failing) logger.info({}, 'windows are written to DATA_DIR again');
        this.#failing = false;
        return;
      } catch (error) {
        // One line for an outage, not one for each window and attempt.
        if (!this.#failing) {
          const reason = describeError(error);
          logger.error({ code: 'spool_failed', reason }, 'windows cannot be written to DATA_DIR; they are tried again');
        }
        this.#failing = true;
        const isClosed = error instanceof RelayError && error.code === 'spool_closed';
        // Where one window was given up, those behind it get one attempt: closing must end.
        const attempts = this.#unsaved.length > 0 ? 1 : CLOSING_ATTEMPTS;
        if (isClosed || (this.#closing && attempt >= attempts)) {
          this.#unsaved.push(window);
          throw error;
        }
        await new Promise((resolve) => setTimeout(resolve, retryMs));
      }
    }
  }
}
