import { describeError } from '../../shared/errors.ts';
import type { Logger } from '../lib/logger.ts';
import type { MetricsStore } from './port.ts';
import { DIALECTS } from './views/measures.ts';

const HOUR_S = 3600;
const READ_EVERY_MS = HOUR_S * 1000;
const RETRY_MS = 60_000;
/** Late messages of a device bring time of days that are past. */
const PAST_HOURS = 8 * 24;
/** Enough to outlast an outage of the database. */
const COMING_HOURS = 8 * 24;

/** Hours in which the day changes are searched minute by minute: each offset of a time zone is whole minutes, whatever the clocks do. */
function midnightsQuery(kind: MetricsStore['kind'], nowS: number): string {
  const { localDay } = DIALECTS[kind];
  const firstS = Math.floor(nowS / HOUR_S - PAST_HOURS) * HOUR_S;
  const lastS = firstS + (PAST_HOURS + COMING_HOURS) * HOUR_S;
  return `WITH RECURSIVE hours (s) AS (SELECT ${firstS} UNION ALL SELECT s + ${HOUR_S} FROM hours WHERE s < ${lastS}),
minutes (n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM minutes WHERE n < 60)
SELECT MIN(e.s) AS first_s FROM (
  SELECT h.s + m.n * 60 AS s FROM hours h CROSS JOIN minutes m WHERE ${localDay('h.s')} <> ${localDay(`(h.s + ${HOUR_S})`)}
) e GROUP BY ${localDay('e.s')} ORDER BY first_s`;
}

/**
 * Knows the midnights of the time zone in which the store counts days, past and coming: they are read from the database, which alone
 * knows its zone, and again every hour.
 */
export class DayEnds {
  readonly #store: Pick<MetricsStore, 'kind' | 'execute' | 'ready'>;
  readonly #now: () => number;
  readonly #logger: Logger;
  #knownMs: readonly number[] = [];
  #nextReadMs = Number.NEGATIVE_INFINITY;

  /** `now` is the system clock, UTC ms. */
  constructor(store: Pick<MetricsStore, 'kind' | 'execute' | 'ready'>, now: () => number, logger: Logger) {
    this.#store = store;
    this.#now = now;
    this.#logger = logger;
  }

  /** UTC ms, in order; none while the database has never said. */
  get knownMs(): readonly number[] {
    return this.#knownMs;
  }

  /** Reads them where that is due. Never rejects: what was known stays while the database is unavailable. */
  async tick(): Promise<void> {
    const nowMs = this.#now();
    if (nowMs < this.#nextReadMs && nowMs > this.#nextReadMs - READ_EVERY_MS) return;
    this.#nextReadMs = nowMs + READ_EVERY_MS;
    try {
      await this.#store.ready();
      const [found] = await this.#store.execute([{ sql: midnightsQuery(this.#store.kind, nowMs / 1000), values: [] }]);
      // The first is no midnight: it is the hour before one.
      this.#knownMs = (found?.rows ?? []).slice(1).map(({ first_s }) => Number(first_s) * 1000);
    } catch (error) {
      this.#nextReadMs = nowMs + RETRY_MS;
      if (this.#knownMs.length > 0) return;
      this.#logger.debug(
        { reason: describeError(error) },
        'the midnights of the database are not known yet: a window counts for the day on which it begins',
      );
    }
  }
}
