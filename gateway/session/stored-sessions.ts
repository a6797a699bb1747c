import { RelayError } from '../../shared/errors.ts';
import type { DeliveryQueue } from '../delivery/queue.ts';
import { within } from '../lib/timeout.ts';
import type { SessionReport } from '../store/port.ts';
import type { SessionTotals } from '../store/session-totals.ts';
import type { Saver } from './saver.ts';

const WAIT_MS = 2000;

export interface StoredSessionsOptions {
  readonly saver: Pick<Saver, 'whenSaved'>;
  readonly spool: () => Promise<Pick<DeliveryQueue, 'flushSession'>>;
  /** Rejects with RelayError `store_unreachable`. */
  readonly sessionReport: (sessionId: string) => Promise<SessionReport | null>;
  /** Times and totals alone; rejects likewise. */
  readonly sessionTotals: (sessionId: string) => Promise<SessionTotals | null>;
  /** Longest wait for what the session has not stored yet. */
  readonly waitMs?: number;
}

/** What is stored of a session, after its own windows had a moment to get there. Other sessions' are not waited for. */
export class StoredSessions {
  readonly #options: StoredSessionsOptions;

  constructor(options: StoredSessionsOptions) {
    this.#options = options;
  }

  /** The report; null where nothing is stored. Rejects with `store_unreachable`. */
  async find(sessionId: string): Promise<SessionReport | null> {
    await this.#deliver(sessionId);
    return this.#options.sessionReport(sessionId);
  }

  /** Times and totals of a session that is to be resumed: rejects with `store_unreachable` rather than yield a part of it. */
  async findWhole(sessionId: string): Promise<SessionTotals | null> {
    const left = await this.#deliver(sessionId);
    if (left > 0) throw new RelayError('store_unreachable', 'the session is still on its way to the store');
    return this.#options.sessionTotals(sessionId);
  }

  /** Resolves with the number of the session's windows that still wait. */
  async #deliver(sessionId: string): Promise<number> {
    const { saver, waitMs = WAIT_MS } = this.#options;
    const isSaved = await within(
      saver.whenSaved(sessionId).then(() => true),
      waitMs,
      false,
    );
    const spool = await this.#options.spool();
    return (await spool.flushSession(sessionId, waitMs)) + (isSaved ? 0 : 1);
  }
}
