import type { MetricsStore } from '../store/port.ts';
import type { PlatformRecords, TableStatement } from './platform-records.ts';

const DAY_MS = 86_400_000;
/** A step deletes the windows of this many sessions: a few thousand rows, a short transaction. */
const SESSIONS_PER_STEP = 25;
const AUDIT_PER_STEP = 5000;
const CURSOR = 'retention_detail_cursor';

/** How long data is kept, days; null keeps it forever. */
export interface RetentionRules {
  /** Windows and bouts, and what a gateway has of them besides. */
  readonly detailDays: number | null;
  /** Sessions, hourly totals, calibrations, what is in the platform's tables, the audit log. */
  readonly totalsDays: number | null;
}

/** What a gateway keeps in its own folder, as far as retention goes. */
export interface LocalRecords {
  /** Deletes what has lain there since before `beforeMs` and will not be delivered; resolves with counts by place. */
  forgetOlder(beforeMs: number): Promise<Readonly<Record<string, number>>>;
}

export interface RetentionResult {
  /** Rows that were deleted, by table. */
  readonly deleted: Readonly<Record<string, number>>;
  readonly isDone: boolean;
}

type Store = Pick<MetricsStore, 'execute'>;
type RetentionStore = Pick<MetricsStore, 'execute' | 'kind' | 'ready'>;

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
  store: RetentionStore,
  platform: PlatformRecords,
  beforeMs: number,
): Promise<{ counts: Record<string, number>; more: boolean }> {
  const counts: Record<string, number> = {};
  const note = (table: string, changed: number | undefined) => {
    counts[table] = (counts[table] ?? 0) + (changed ?? 0);
  };
  const ids = await endedSessions(store, 0, beforeMs);
  if (ids.length > 0) {
    const ofSessions = `WHERE session_id IN (${marks(ids)})`;
    const steps: readonly TableStatement[] = [
      // The platform's rows are found by way of our own.
      ...(await platform.deletionsOfSessions(store, ids)),
      ['relay_bouts', { sql: `DELETE FROM relay_bouts ${ofSessions}`, values: ids }],
      ['relay_windows', { sql: `DELETE FROM relay_windows ${ofSessions}`, values: ids }],
      ['relay_sessions', { sql: `DELETE FROM relay_sessions WHERE id IN (${marks(ids)})`, values: ids }],
    ];
    const results = await store.execute(steps.map(([, statement]) => statement));
    for (const [index, [table]] of steps.entries()) note(table, results[index]?.changed);
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
    const steps: readonly TableStatement[] = [
      ...(await platform.deletionsOfDay(store, String(oldest))),
      ['relay_hours', { sql: 'DELETE FROM relay_hours WHERE day = ?', values: [String(oldest)] }],
    ];
    const results = await store.execute(steps.map(([, statement]) => statement));
    for (const [index, [table]] of steps.entries()) note(table, results[index]?.changed);
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
  store: RetentionStore,
  platform: PlatformRecords,
  { detailDays, totalsDays }: RetentionRules,
  nowMs: number,
  maxSteps = 1000,
): Promise<RetentionResult> {
  const deleted: Record<string, number> = {};
  let isDone = false;
  for (let step = 0; step < maxSteps && !isDone; step += 1) {
    const results = [
      ...(totalsDays === null ? [] : [await deleteTotals(store, platform, nowMs - totalsDays * DAY_MS)]),
      ...(detailDays === null ? [] : [await deleteDetail(store, nowMs - detailDays * DAY_MS)]),
    ];
    for (const { counts } of results) addCounts(deleted, counts);
    isDone = results.every(({ more }) => !more);
  }
  return { deleted, isDone };
}

/** Adds counts by place to others. */
export function addCounts(total: Record<string, number>, counts: Readonly<Record<string, number>>): void {
  for (const [place, count] of Object.entries(counts)) total[place] = (total[place] ?? 0) + count;
}
