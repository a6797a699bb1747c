import type { FocusTotals } from '../../shared/focus/focus.ts';
import type { MetricsStore } from './port.ts';

/** What a session that is resumed needs of the store. Times in UTC ms. */
export interface SessionTotals {
  readonly startedAtMs: number;
  readonly endedAtMs: number;
  readonly totals: FocusTotals;
}

/**
 * Times and totals of a session, or null if nothing of it is stored. Its windows and bouts are not read: of a session with very
 * many of them that takes seconds. Rejects with `store_unreachable`.
 */
export async function sessionTotals(
  store: Pick<MetricsStore, 'execute'>,
  sessionId: string,
): Promise<SessionTotals | null> {
  const [result] = await store.execute([
    {
      sql: `SELECT started_at_ms, ended_at_ms, focused_ms, unfocused_ms, unknown_ms, untracked_ms, focused_bout_count,
          unfocused_bout_count FROM relay_sessions WHERE session_uuid = ?`,
      values: [sessionId.toLowerCase()],
    },
  ]);
  const row = result?.rows[0];
  if (row === undefined) return null;
  const of = (column: string) => Number(row[column]);
  return {
    startedAtMs: of('started_at_ms'),
    endedAtMs: of('ended_at_ms'),
    totals: {
      focusedMs: of('focused_ms'),
      unfocusedMs: of('unfocused_ms'),
      unknownMs: of('unknown_ms'),
      untrackedMs: of('untracked_ms'),
      directionMs: {},
      focusBouts: of('focused_bout_count'),
      unfocusBouts: of('unfocused_bout_count'),
    },
  };
}
