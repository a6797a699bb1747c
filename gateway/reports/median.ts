import { boutLengths as lengthsOf, MEDIAN_MS } from '../store/views/median.ts';
import type { ReportDatabase, Sql } from './database.ts';
import { numberOrNull } from './read.ts';

/** Middle lengths of closed bouts of either kind, and the longest of them away; null where there are none. */
export interface BoutLengths {
  readonly medianFocusedBoutMs: number | null;
  readonly medianUnfocusedBoutMs: number | null;
  readonly longestUnfocusedBoutMs: number | null;
}

/** Sorts the lengths of all bouts of a scope. Rejects with `store_unreachable`. */
export async function boutLengths(database: ReportDatabase, where: Sql): Promise<BoutLengths> {
  const rows = await database.rows(
    `SELECT r.kind AS kind, ${MEDIAN_MS} AS median_ms, MAX(r.duration_ms) AS longest_ms
     FROM (${lengthsOf(['kind'], 'duration_ms', `relay_report_bouts WHERE ${where.text}`)}) r GROUP BY r.kind`,
    where.values,
  );
  const of = (kind: string) => rows.find((row) => row.kind === kind);
  return {
    medianFocusedBoutMs: numberOrNull(of('focused'), 'median_ms'),
    medianUnfocusedBoutMs: numberOrNull(of('unfocused'), 'median_ms'),
    longestUnfocusedBoutMs: numberOrNull(of('unfocused'), 'longest_ms'),
  };
}
