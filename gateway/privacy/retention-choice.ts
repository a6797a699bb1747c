import type { MetricsStore } from '../store/port.ts';
import type { RetentionRules } from './retention.ts';

const DAY_MS = 86_400_000;
/** Name under which relay_settings notes that the default rules hold in this database. */
const DEFAULTS_HOLD = 'retention_defaults_hold';

/** The rules as they are configured. */
export interface ConfiguredRetention extends RetentionRules {
  /** The operator has set at least one of them. */
  readonly isChosen: boolean;
}

/** What is to be deleted, or that it is the operator's to say because there is data older than the default rules keep. */
export type RetentionChoice =
  | { readonly rules: RetentionRules }
  | { readonly rules: null; readonly oldestAtMs: number; readonly code: 'retention_unset'; readonly message: string };

/**
 * The rules that hold in this database. Without the operator's word they are the default ones, but never for a database that had
 * older data before there were any: there nothing is deleted until a variable is set. With `isNoted` false nothing is written,
 * for the doctor. Rejects with `store_unreachable`.
 */
export async function retentionChoice(
  store: Pick<MetricsStore, 'execute'>,
  { isChosen, ...rules }: ConfiguredRetention,
  nowMs: number,
  isNoted = true,
): Promise<RetentionChoice> {
  if (isChosen) return { rules };
  const oldest = async (sql: string): Promise<number> => {
    const [found] = await store.execute([{ sql, values: [] }]);
    const value = found?.rows[0]?.at_ms ?? null;
    return value === null ? Number.POSITIVE_INFINITY : Number(value);
  };
  const [noted] = await store.execute([
    { sql: 'SELECT value FROM relay_settings WHERE name = ?', values: [DEFAULTS_HOLD] },
  ]);
  if ((noted?.rows.length ?? 0) > 0) return { rules };
  const { detailDays, totalsDays } = rules;
  const detailAtMs = await oldest(
    `SELECT MIN(s.ended_at_ms) AS at_ms FROM relay_sessions s
     WHERE EXISTS (SELECT 1 FROM relay_windows w WHERE w.session_id = s.id)`,
  );
  const totalsAtMs = Math.min(
    await oldest('SELECT MIN(ended_at_ms) AS at_ms FROM relay_sessions'),
    await oldest('SELECT MIN(created_at_ms) AS at_ms FROM relay_calibrations'),
    await oldest('SELECT MIN(at_ms) AS at_ms FROM relay_audit'),
  );
  const isOlder = (atMs: number, days: number | null) => days !== null && atMs < nowMs - days * DAY_MS;
  if (!isOlder(detailAtMs, detailDays) && !isOlder(totalsAtMs, totalsDays)) {
    if (isNoted) {
      await store.execute([
        { sql: 'DELETE FROM relay_settings WHERE name = ?', values: [DEFAULTS_HOLD] },
        { sql: 'INSERT INTO relay_settings (name, value) VALUES (?, ?)', values: [DEFAULTS_HOLD, '1'] },
      ]);
    }
    return { rules };
  }
  const oldestAtMs = Math.min(detailAtMs, totalsAtMs);
  const message = `there is data since ${new Date(oldestAtMs).toISOString().slice(0, 10)}, older than the default keeps (${detailDays} and ${totalsDays} days), and nothing says how long to keep it: nothing is deleted`;
  return { rules: null, oldestAtMs, code: 'retention_unset', message };
}

export const RETENTION_HINT =
  'set RETENTION_DAYS and RETENTION_TOTALS_DAYS, each to a number of days or to the word forever';
