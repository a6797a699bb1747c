import type { ReportDatabase } from './database.ts';
import { numberOrNull } from './read.ts';
import type { Sql } from './sql.ts';

/** Middle length of the closed bouts of one kind; null where there are none. `from` has bouts as `b`. */
export async function medianBout(
  database: ReportDatabase,
  from: string,
  where: Sql,
  kind: 'focused' | 'unfocused',
): Promise<number | null> {
  const { div } = database;
  const [row] = await database.rows(
    `SELECT AVG(ranked.duration_ms) AS median_ms FROM (
       SELECT b.duration_ms, ROW_NUMBER() OVER (ORDER BY b.duration_ms) AS place, COUNT(*) OVER () AS bouts
       FROM ${from} WHERE ${where.text} AND b.kind = '${kind}'
     ) ranked WHERE ranked.place IN ((ranked.bouts + 1) ${div} 2, (ranked.bouts + 2) ${div} 2)`,
    where.values,
  );
  return numberOrNull(row, 'median_ms');
}
