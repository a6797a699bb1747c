import { describeError, RelayError } from '../../shared/errors.ts';
import type { Logger } from '../lib/logger.ts';
import type { MetricsStore } from '../store/port.ts';
import type { PlatformRecords } from './platform-records.ts';
import { applyRetention, type LocalRecords } from './retention.ts';
import { type ConfiguredRetention, RETENTION_HINT, retentionChoice } from './retention-choice.ts';

const DAY_MS = 86_400_000;
const DONE_AT = 'retention_done_at_ms';
/** One piece of work deletes the detail of a few hundred sessions at most, and leaves the database to others for a while. */
const STEPS_PER_PIECE = 10;
const NEXT_PIECE_MS = 5000;
const AFTER_FAILURE_MS = 600_000;

/** Retention once a day, by the gateway itself. */
export interface RetentionSchedule {
  /**
   * Call it now and then while students are there, with UTC ms: it never asks for anything on its own, so that a gateway
   * without students holds no connection. Does a bounded piece of work when there is some; what is left is for later calls.
   */
  tick(nowMs: number): void;
  /** At the start, where the database answers: warns when nothing is deleted because no retention is configured. Never rejects. */
  announce(nowMs: number): Promise<void>;
  /** Resolves when no piece is under way. */
  idle(): Promise<void>;
}

const hasRows = (deleted: Readonly<Record<string, number>>) => Object.values(deleted).some((count) => count > 0);

/**
 * Deletes what is older than the rules allow once in 24 hours, over all gateways of one database: when it was last done is
 * kept there. An unavailable database is asked again after ten minutes.
 */
export function retentionSchedule(
  store: Pick<MetricsStore, 'execute' | 'kind' | 'ready'>,
  platform: PlatformRecords,
  local: LocalRecords,
  configured: ConfiguredRetention,
  logger: Logger,
): RetentionSchedule {
  const hasRules = configured.detailDays !== null || configured.totalsDays !== null;
  let nextLookMs = 0;
  let nextHereMs = 0;
  let working: Promise<void> = Promise.resolve();
  let isWorking = false;

  async function chosen(nowMs: number) {
    const choice = await retentionChoice(store, configured, nowMs);
    if (choice.rules === null) logger.warn({ code: choice.code, hint: RETENTION_HINT }, choice.message);
    return choice;
  }

  /** Every gateway does this for its own folder. */
  async function lookHere(nowMs: number): Promise<void> {
    const { detailDays, isChosen } = configured;
    if (detailDays === null || nowMs < nextHereMs || (!isChosen && (await chosen(nowMs)).rules === null)) return;
    const deleted = await local.forgetOlder(nowMs - detailDays * DAY_MS);
    if (hasRows(deleted)) logger.info({ deleted }, 'data past its retention is deleted from DATA_DIR');
    nextHereMs = nowMs + DAY_MS;
  }

  async function look(nowMs: number): Promise<number> {
    const [done] = await store.execute([{ sql: 'SELECT value FROM relay_settings WHERE name = ?', values: [DONE_AT] }]);
    const dueMs = Number(done?.rows[0]?.value ?? 0) + DAY_MS;
    if (nowMs < dueMs) return dueMs;
    const { rules } = await chosen(nowMs);
    if (rules === null) return nowMs + DAY_MS;
    const { deleted, isDone } = await applyRetention(store, platform, rules, nowMs, STEPS_PER_PIECE);
    if (hasRows(deleted)) logger.info({ deleted, isDone }, 'data past its retention is deleted');
    if (!isDone) return nowMs + NEXT_PIECE_MS;
    await store.execute([
      { sql: 'DELETE FROM relay_settings WHERE name = ?', values: [DONE_AT] },
      { sql: 'INSERT INTO relay_settings (name, value) VALUES (?, ?)', values: [DONE_AT, String(Math.round(nowMs))] },
    ]);
    return nowMs + DAY_MS;
  }

  return {
    tick(nowMs) {
      if (!hasRules || isWorking || nowMs < nextLookMs) return;
      isWorking = true;
      working = lookHere(nowMs)
        .then(() => look(nowMs))
        .catch((error: unknown) => {
          const code = error instanceof RelayError ? error.code : 'retention_failed';
          logger.warn({ code, reason: describeError(error) }, 'retention is tried again later');
          return nowMs + AFTER_FAILURE_MS;
        })
        .then((atMs) => {
          nextLookMs = atMs;
          isWorking = false;
        });
    },
    async announce(nowMs) {
      await chosen(nowMs).catch((error: unknown) => {
        logger.warn({ code: 'retention_failed', reason: describeError(error) }, 'retention is tried again later');
      });
    },
    idle: () => working,
  };
}
