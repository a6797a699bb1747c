import { describeError } from '../../shared/errors.ts';
import { restAfter } from '../lib/cpu-share.ts';
import type { Logger } from '../lib/logger.ts';
import type { SessionAccount } from '../session/account.ts';
import type { StudentState } from '../session/ownership.ts';
import type { Checkpoint } from './checkpoints.ts';

/** A killed gateway loses what was counted since the last write. With many sessions checkpoints come less often. */
const PACE = { share: 1 / 20, minRestMs: 250, maxRestMs: 4000 };

export interface CheckpointWriterOptions {
  /** Sends it; with `isConfirmed` it resolves when the stream has it. */
  readonly write: (students: readonly Checkpoint[], isConfirmed: boolean) => Promise<void>;
  /** Sessions that are counting now, and whether all their windows are in the delivery queue. */
  readonly counting: () => Iterable<{ readonly account: SessionAccount; readonly isSaved: boolean }>;
  /** True when all windows of a session that counts no more are in the delivery queue. */
  readonly isSaved: (sessionId: string) => boolean;
  /** What is booked of a student, in UTC. */
  readonly spansOf: (userId: number) => StudentState['spans'];
  /** False while others may have taken students over. */
  readonly maySpeak: () => boolean;
  readonly logger: Logger;
}

/** Writes the state of counting sessions to the other gateways' stream again and again, while there are any. */
export class CheckpointWriter {
  readonly #options: CheckpointWriterOptions;
  /** What the newest write has of each session, and what the newest that the stream has confirmed. */
  #written: ReadonlyMap<string, SessionAccount> = new Map();
  #confirmed: ReadonlyMap<string, SessionAccount> = this.#written;
  #isConfirming = false;
  #running: Promise<void> | null = null;
  #isWanted = false;
  #isFailing = false;
  #wake: () => void = () => undefined;
  #confirmedAtMs: number | null = null;

  constructor(options: CheckpointWriterOptions) {
    this.#options = options;
  }

  /** For how long NATS does not have what students have counted, ms; null while nothing is to be written. */
  get ageMs(): number | null {
    return this.#confirmedAtMs === null ? null : performance.now() - this.#confirmedAtMs;
  }

  start(): void {
    this.#isWanted = true;
    this.#running ??= this.#run().finally(() => {
      this.#running = null;
      if (this.#isWanted) this.start();
    });
  }

  /** Resolves when no write is under way. */
  async stop(): Promise<void> {
    this.#isWanted = false;
    this.#wake();
    await this.#running;
    this.#confirmedAtMs = null;
  }

  async #run(): Promise<void> {
    while (this.#isWanted) {
      const restMs = await restAfter(() => this.#write(), PACE);
      if (!this.#isWanted) return;
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, restMs);
        this.#wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
  }

  /** What is to be written: of a session with a window on its way into the queue, what was written before it was cut. */
  #next(): Map<string, SessionAccount> {
    const next = new Map<string, SessionAccount>();
    const present = new Set<string>();
    for (const { account, isSaved } of this.#options.counting()) {
      const { sessionId } = account;
      present.add(sessionId);
      const kept = isSaved ? account : this.#written.get(sessionId);
      if (kept !== undefined) next.set(sessionId, kept);
    }
    for (const [sessionId, account] of this.#written) {
      if (!present.has(sessionId) && !this.#options.isSaved(sessionId)) next.set(sessionId, account);
    }
    return next;
  }

  async #write(): Promise<void> {
    const { write, spansOf, maySpeak } = this.#options;
    if (!maySpeak()) return;
    const next = this.#next();
    const isSame =
      next.size === this.#written.size && [...next].every(([id, account]) => this.#written.get(id) === account);
    if (isSame && (this.#isConfirming || this.#confirmed === this.#written)) {
      if (!this.#isConfirming) this.#confirmedAtMs = performance.now();
      return;
    }
    this.#written = next;
    const byStudent = new Map<number, SessionAccount[]>();
    for (const account of next.values()) {
      byStudent.set(account.userId, [...(byStudent.get(account.userId) ?? []), account]);
    }
    const students = [...byStudent].map(([userId, accounts]) => ({
      userId,
      state: { accounts, spans: spansOf(userId) },
    }));
    // The stream may take seconds to answer, and what is counted meanwhile is sent without waiting for it.
    if (this.#isConfirming) await write(students, false).catch(() => undefined);
    else void this.#confirm(next, write(students, true));
  }

  async #confirm(sent: ReadonlyMap<string, SessionAccount>, writing: Promise<void>): Promise<void> {
    const { logger } = this.#options;
    this.#isConfirming = true;
    try {
      await writing;
      this.#confirmed = sent;
      this.#confirmedAtMs = performance.now();
      if (this.#isFailing) logger.info({}, 'open windows are written to NATS again');
      this.#isFailing = false;
    } catch (error) {
      if (!this.#isFailing) {
        const reason = describeError(error);
        logger.warn({ code: 'nats_unreachable', reason }, 'NATS does not take open windows; they are on the disk');
      }
      this.#isFailing = true;
    } finally {
      this.#isConfirming = false;
    }
  }
}
