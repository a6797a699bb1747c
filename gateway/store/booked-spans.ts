import type { MetricsStore } from './port.ts';

/** Time that a session covers, UTC ms. */
export interface BookedSpan {
  readonly sessionId: string;
  readonly fromMs: number;
  readonly untilMs: number;
}

/**
 * Time after `afterMs` (UTC) that other sessions of the student have, as it is stored: a span for each connection of a session,
 * as each has counted from its beginning to its end. Of a session whose windows are deleted already, all of it.
 * Rejects with `store_unreachable`.
 */
export async function bookedSpans(
  store: Pick<MetricsStore, 'execute'>,
  { userId, sessionId, afterMs }: { readonly userId: number; readonly sessionId: string; readonly afterMs: number },
): Promise<readonly BookedSpan[]> {
  const [result] = await store.execute([
    {
      sql: `SELECT s.session_uuid AS session_uuid, COALESCE(MIN(w.started_at_ms), s.started_at_ms) AS from_ms,
          COALESCE(MAX(w.ended_at_ms), s.ended_at_ms) AS until_ms
        FROM relay_sessions s LEFT JOIN relay_windows w ON w.session_id = s.id
        WHERE s.user_id = ? AND s.ended_at_ms > ? AND s.session_uuid <> ?
        GROUP BY s.id, s.session_uuid, s.started_at_ms, s.ended_at_ms, w.epoch
        ORDER BY from_ms`,
      values: [userId, Math.floor(afterMs), sessionId.toLowerCase()],
    },
  ]);
  return (result?.rows ?? [])
    .map((row) => ({
      sessionId: String(row.session_uuid),
      fromMs: Number(row.from_ms),
      untilMs: Number(row.until_ms),
    }))
    .filter(({ untilMs }) => untilMs > afterMs);
}
