import type { MetricsStore } from '../store/port.ts';
import type { PlatformRecords } from './platform-records.ts';

const DAY_MS = 86_400_000;
/** A step deletes the windows of this many sessions: a few thousand rows, a short transaction. */
const SESSIONS_PER_STEP = 25;
const AUDIT_PER_STEP = 5000;
const CURSOR = 'retention_detail_cursor';

/** How long data is kept, days; 0 keeps it for good. */
export interface RetentionRules {
  /** Windows and bouts. */
  readonly detailDays: number;
  /** Sessions, hourly totals, calibrations, the audit log. */
  readonly totalsDays: number;
}

export interface RetentionResult {
  /** Rows that were deleted, by table. */
  readonly deleted: Readonly<Record<string, number>>;
  readonly isDone: boolean;
}

type Store = Pick<MetricsStore, 'execute'>;

/** Row ids of sessions that are over, oldest first, from one that is not yet done with. */
async function endedSessions(store: Store, afterId: number, beforeMs: number): Promise<number[]> {
  const [found] = await store.execute([
    {
      sql: 'SELECT id, ended_at_ms FROM relay_sessions WHERE id > ? ORDER BY id LIMIT ?',
      values: [afterId, SESSIONS_PER_STEP],
    },
  ]);
  const ids: number[] = [];
  for (const { id, ended_at_ms } of found?.rows ?? []) {
    if (Number(ended_at_ms) >= beforeMs) break;
    ids.push(Number(id));
  }
  return ids;
}

const marks = (ids: readonly number[]) => ids.map(() => '?').join(', ');

async function deleteDetail(
  store: Store,
  beforeMs: number,
): Promise<{ counts: Record<string, number>; more: boolean }> {
  const [cursor] = await store.execute([{ sql: 'SELECT value FROM relay_settings WHERE name = ?', values: [CURSOR] }]);
  const ids = await endedSessions(store, Number(cursor?.rows[0]?.value ?? 0), beforeMs);
  const last = ids.at(-1);
  if (last === undefined) return { counts: {}, more: false };
  const [bouts, windows] = await store.execute([
    { sql: `DELETE FROM relay_bouts WHERE session_id IN (${marks(ids)})`, values: ids },
    { sql: `DELETE FROM relay_windows WHERE session_id IN (${marks(ids)})`, values: ids },
    // In the same transaction: after a crash the next run begins where this one ended.
    { sql: 'DELETE FROM relay_settings WHERE name = ?', values: [CURSOR] },
    { sql: 'INSERT INTO relay_settings (name, value) VALUES (?, ?)', values: [CURSOR, String(last)] },
  ]);
  return {
    counts: { relay_bouts: bouts?.changed ?? 0, relay_windows: windows?.changed ?? 0 },
    more: ids.length === SESSIONS_PER_STEP,
  };
}

async function deleteTotals(
  store: Store,
  tables: readonly string[],
  beforeMs: number,
): Promise<{ counts: Record<string, number>; more: boolean }> {
  const counts: Record<string, number> = {};
  const note = (table: string, changed: number | undefined) => {
    counts[table] = (counts[table] ?? 0) + (changed ?? 0);
  };
  const ids = await endedSessions(store, 0, beforeMs);
  if (ids.length > 0) {
    const names = ['relay_bouts', 'relay_windows', ...tables];
    const results = await store.execute([
      ...names.map((table) => ({ sql: `DELETE FROM ${table} WHERE session_id IN (${marks(ids)})`, values: ids })),
      { sql: `DELETE FROM relay_sessions WHERE id IN (${marks(ids)})`, values: ids },
    ]);
    for (const [index, table] of [...names, 'relay_sessions'].entries()) note(table, results[index]?.changed);
  }
  const [calibrations] = await store.execute([
    { sql: 'DELETE FROM relay_calibrations WHERE created_at_ms < ?', values: [beforeMs] },
  ]);
  note('relay_calibrations', calibrations?.changed);
  const beforeDay = new Date(beforeMs).toISOString().slice(0, 10);
  const [days] = await store.execute([
    { sql: 'SELECT MIN(day) AS day FROM relay_hours WHERE day < ?', values: [beforeDay] },
  ]);
  const oldest = days?.rows[0]?.day ?? null;
  if (oldest !== null) {
    const [deleted] = await store.execute([{ sql: 'DELETE FROM relay_hours WHERE day = ?', values: [String(oldest)] }]);
    note('relay_hours', deleted?.changed);
  }
  const [audits] = await store.execute([
    {
      sql: 'SELECT MAX(id) AS id FROM (SELECT id FROM relay_audit WHERE at_ms < ? ORDER BY id LIMIT ?) oldest',
      values: [beforeMs, AUDIT_PER_STEP],
    },
  ]);
  const lastAudit = audits?.rows[0]?.id ?? null;
  if (lastAudit !== null) {
    const [deleted] = await store.execute([
      { sql: 'DELETE FROM relay_audit WHERE id <= ? AND at_ms < ?', values: [Number(lastAudit), beforeMs] },
    ]);
    note('relay_audit', deleted?.changed);
  }
  return { counts, more: ids.length > 0 || oldest !== null || lastAudit !== null };
}

/**
 * Deletes what is older than the rules allow, in short transactions, at most `maxSteps` of them; what is left is for
 * the next call, also after a crash. Resolves with what was deleted and whether all is done. Rejects with `store_unreachable`.
 */
export async function applyRetention(
  store: Pick<MetricsStore, 'execute' | 'kind'>,
  platform: PlatformRecords,
  rules: RetentionRules,
  nowMs: number,
  maxSteps = 1000,
): Promise<RetentionResult> {
  const deleted: Record<string, number> = {};
  const tables = platform.sessionTables(store);
  let isDone = false;
  for (let step = 0; step < maxSteps && !isDone; step += 1) {
    const results = [
      ...(rules.totalsDays > 0 ? [await deleteTotals(store, tables, nowMs - rules.totalsDays * DAY_MS)] : []),
      ...(rules.detailDays > 0 ? [await deleteDetail(store, nowMs - rules.detailDays * DAY_MS)] : []),
    ];
    for (const { counts } of results) {
      for (const [table, count] of Object.entries(counts)) deleted[table] = (deleted[table] ?? 0) + count;
    }
    isDone = results.every(({ more }) => !more);
  }
  return { deleted, isDone };
}
