/**
 * SELECT of the lengths that bouts have, each once, with the number of bouts that have it (`bouts`), that are no longer (`up_to`), and of all
 * in the same group (`all_bouts`): far fewer rows to sort than bouts. `from` has bouts with the length `duration`. The groups are made below
 * the window functions, for beside them MariaDB passes no condition down.
 */
export function boutLengths(dimensions: readonly string[], duration: string, from: string): string {
  const names = dimensions.map((column) => column.replace(/^.*\./, ''));
  const groups = names.map((name) => `l.${name}`).join(', ');
  return `SELECT
  ${groups},
  l.duration_ms,
  l.bouts,
  SUM(l.bouts) OVER (PARTITION BY ${groups} ORDER BY l.duration_ms) AS up_to,
  SUM(l.bouts) OVER (PARTITION BY ${groups}) AS all_bouts
FROM (SELECT ${dimensions.join(', ')}, ${duration} AS duration_ms, COUNT(*) AS bouts FROM ${from}
GROUP BY ${dimensions.join(', ')}, ${duration}) l`;
}

/** The middle length of a group `r` of boutLengths; half-way between two middle ones. */
export const MEDIAN_MS = `(MIN(CASE WHEN r.up_to * 2 >= r.all_bouts THEN r.duration_ms END)
  + MIN(CASE WHEN r.up_to * 2 > r.all_bouts THEN r.duration_ms END)) / 2.0`;
