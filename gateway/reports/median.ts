import type { ReportDatabase } from './database.ts';
import { numberOrNull } from './read.ts';
import type { Sql } from './sql.ts';

/** Middle lengths of closed bouts of either kind, and the longest of them away; null where there are none. */
export interface BoutLengths {
  readonly medianFocusedBoutMs: number | null;
  readonly medianUnfocusedBoutMs: number | null;
  readonly longestUnfocusedBoutMs: number | null;
}

async function lengthsOf(database: ReportDatabase, from: string, where: Sql, kind: 'focused' | 'unfocused') {
  const { div } = database;
  const [row] = await database.rows(
    `SELECT AVG(CASE WHEN ranked.place IN ((ranked.bouts + 1) ${div} 2, (ranked.bouts + 2) ${div} 2) THEN ranked.duration_ms END) AS median_ms,
       MAX(ranked.duration_ms) AS longest_ms FROM (
       SELECT b.duration_ms, ROW_NUMBER() OVER (ORDER BY b.duration_ms) AS place, COUNT(*) OVER () AS bouts
       FROM ${from} WHERE ${where.text} AND b.kind = '${kind}'
     ) ranked`,
    where.values,
  );
  return { medianMs: numberOrNull(row, 'median_ms'), longestMs: numberOrNull(row, 'longest_ms') };
}

/** Sorts all bouts of a scope by length. `from` has bouts as `b`. Rejects with `store_unreachable`. */
export async function boutLengths(database: ReportDatabase, from: string, where: Sql): Promise<BoutLengths> {
  const focused = await lengthsOf(database, from, where, 'focused');
  const away = await lengthsOf(database, from, where, 'unfocused');
  return {
    medianFocusedBoutMs: focused.medianMs,
    medianUnfocusedBoutMs: away.medianMs,
    longestUnfocusedBoutMs: away.longestMs,
  };
}
