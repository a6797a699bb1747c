import type { Logger } from '../lib/logger.ts';
import type { MetricsStore } from './port.ts';

/** Beyond it days are wrong near midnight; tickets bear more. */
export const MAX_SKEW_MS = 5000;
const MEASURE_EVERY_MS = 5 * 60_000;

/** Compares the gateway's clock with the database server's, now and then while there are students. */
export class ClockWatch {
  readonly #store: Pick<MetricsStore, 'kind' | 'execute' | 'ready'>;
  readonly #now: () => number;
  readonly #logger: Logger;
  #measuredAtMs = Number.NEGATIVE_INFINITY;
  #skewMs: number | null = null;

  /** `now` is the system clock, UTC ms. */
  constructor(store: Pick<MetricsStore, 'kind' | 'execute' | 'ready'>, now: () => number, logger: Logger) {
    this.#store = store;
    this.#now = now;
    this.#logger = logger;
  }

  /** By how much the database's clock is ahead, whole ms; null where there is no server or it has not been asked yet. */
  get skewMs(): number | null {
    return this.#skewMs;
  }

  /** Measures where that is due. Never rejects: a database that is unavailable says nothing of its clock. */
  async tick(): Promise<void> {
    const beforeMs = this.#now();
    if (this.#store.kind !== 'mysql' || Math.abs(beforeMs - this.#measuredAtMs) < MEASURE_EVERY_MS) return;
    this.#measuredAtMs = beforeMs;
    try {
      await this.#store.ready();
      const askedAtMs = this.#now();
      const [answer] = await this.#store.execute([
        { sql: 'SELECT UNIX_TIMESTAMP(NOW(3)) * 1000 AS nowMs', values: [] },
      ]);
      this.#skewMs = Math.round(Number(answer?.rows[0]?.nowMs) - (askedAtMs + this.#now()) / 2);
    } catch {
      return;
    }
    if (Math.abs(this.#skewMs) <= MAX_SKEW_MS) return;
    this.#logger.warn(
      { code: 'clock_skew', databaseAheadMs: this.#skewMs },
      'the clocks of gateway and database differ: let both machines keep time by NTP',
    );
  }
}
