/**
 * SELECT of the lengths that bouts have, each once, with the number of bouts that have it (`bouts`), that are no longer (`up_to`), and of all
 * in the same group (`all_bouts`): far fewer rows to sort than bouts. `from` has bouts with the length `duration`.
 */
export function boutLengths(dimensions: readonly string[], duration: string, from: string): string {
  const groups = dimensions.join(', ');
  return `SELECT
  ${[...dimensions, duration].join(',\n  ')},
  COUNT(*) AS bouts,
  SUM(COUNT(*)) OVER (PARTITION BY ${groups} ORDER BY ${duration}) AS up_to,
  SUM(COUNT(*)) OVER (PARTITION BY ${groups}) AS all_bouts
FROM ${from}
GROUP BY ${groups}, ${duration}`;
}

/** The middle length of a group `r` of boutLengths; half-way between two middle ones. */
export const MEDIAN_MS = `(MIN(CASE WHEN r.up_to * 2 >= r.all_bouts THEN r.duration_ms END)
  + MIN(CASE WHEN r.up_to * 2 > r.all_bouts THEN r.duration_ms END)) / 2.0`;
