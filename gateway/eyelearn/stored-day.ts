import type { MetricsStore } from '../store/port.ts';
import type { CatalogTable } from './catalog.ts';

/** Whole seconds of one student and module on one day in EyeLearn's rows, and how much of them the gateway itself wrote. */
export interface EyelearnDay {
  readonly fromMs: number;
  readonly untilMs: number;
  readonly rowsFocusedS: number;
  readonly rowsUnfocusedS: number;
  readonly ownFocusedS: number;
  readonly ownUnfocusedS: number;
}

/**
 * EyeLearn's rows of a student and module on the day of `atMs` in the database's time zone, all writers together, and how much
 * of them the gateway wrote. Where the table does not split the time, all of it counts as unfocused. Rejects with `store_unreachable`.
 */
export async function readEyelearnDay(
  store: Pick<MetricsStore, 'execute'>,
  table: CatalogTable,
  userId: number,
  moduleId: number,
  atMs: number,
): Promise<EyelearnDay> {
  const second = Math.floor(atMs / 1000);
  const day = 'DATE(FROM_UNIXTIME(?))';
  const isSplit = table.columns.has('focused_time_seconds') && table.columns.has('unfocused_time_seconds');
  const isDated = table.columns.has('created_at');
  const sums = isSplit
    ? 'SUM(focused_time_seconds) AS focused, SUM(unfocused_time_seconds) AS unfocused'
    : '0 AS focused, SUM(total_time_seconds) AS unfocused';
  const [rows, own, bounds] = await store.execute([
    {
      sql: `SELECT ${sums} FROM ${table.name} WHERE user_id = ? AND module_id = ?${isDated ? ` AND DATE(created_at) = ${day}` : ''}`,
      values: [userId, moduleId, ...(isDated ? [second] : [])],
    },
    {
      sql: `SELECT SUM(focused_written_s) AS focused, SUM(unfocused_written_s) AS unfocused FROM relay_eyelearn_rows
        WHERE user_id = ? AND module_id = ? AND day = ${day} AND eyelearn_row_id IS NOT NULL`,
      values: [userId, moduleId, second],
    },
    {
      sql: `SELECT UNIX_TIMESTAMP(${day}) * 1000 AS fromMs, UNIX_TIMESTAMP(${day} + INTERVAL 1 DAY) * 1000 AS untilMs`,
      values: [second, second],
    },
  ]);
  const ownFocusedS = Number(own?.rows[0]?.focused ?? 0);
  const ownUnfocusedS = Number(own?.rows[0]?.unfocused ?? 0);
  return {
    fromMs: Number(bounds?.rows[0]?.fromMs),
    untilMs: Number(bounds?.rows[0]?.untilMs),
    rowsFocusedS: Number(rows?.rows[0]?.focused ?? 0),
    rowsUnfocusedS: Number(rows?.rows[0]?.unfocused ?? 0),
    ownFocusedS: isSplit ? ownFocusedS : 0,
    ownUnfocusedS: isSplit ? ownUnfocusedS : ownFocusedS + ownUnfocusedS,
  };
}
