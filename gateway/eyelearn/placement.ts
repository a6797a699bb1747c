import { type SQL, sql } from 'drizzle-orm';
import type { MetricsWindow } from '../../shared/metrics-window.ts';
import { type PlacedWindow, QUARTER_MS } from '../store/batch.ts';
import { type Executor, rowsOf } from './tables.ts';

/** A student's day in the database's time zone, `YYYY-MM-DD`. */
export interface StudentDay {
  readonly userId: number;
  readonly day: string;
}

/** Where the counted time of a batch falls in the database's calendar. */
export interface Placement {
  readonly today: string;
  readonly dayOf: (window: MetricsWindow) => string;
  /** Sorted, so that two gateways lock rows in the same order. */
  readonly studentDays: readonly StudentDay[];
  /** The server's auto_increment_increment. */
  readonly idStep: number;
}

const DAY_FORMAT = '%Y-%m-%d';

const quarterOf = ({ startedAtMs }: MetricsWindow): number => Math.floor(startedAtMs / QUARTER_MS);

const compare = (a: StudentDay, b: StudentDay): number => a.userId - b.userId || (a.day < b.day ? -1 : 1);

/** Asks the database, with one query, on which of its days the windows lie. */
export async function placeOnDays(db: Executor, counted: readonly PlacedWindow[]): Promise<Placement> {
  const quarters = [...new Set(counted.map(({ window }) => quarterOf(window)))];
  const columns: SQL[] = quarters.map(
    (quarter, index) =>
      sql`DATE_FORMAT(FROM_UNIXTIME(${(quarter * QUARTER_MS) / 1000}), ${DAY_FORMAT}) AS ${sql.identifier(`d${index}`)}`,
  );
  const [row = {}] = await rowsOf(
    db,
    sql`SELECT ${sql.join([sql`DATE_FORMAT(CURRENT_TIMESTAMP, ${DAY_FORMAT}) AS today, @@auto_increment_increment AS id_step`, ...columns], sql`, `)}`,
  );
  const today = String(row.today);
  const days = new Map(quarters.map((quarter, index) => [quarter, String(row[`d${index}`])]));
  const dayOf = (window: MetricsWindow) => days.get(quarterOf(window)) ?? today;
  const byKey = new Map<string, StudentDay>();
  for (const { window } of counted) {
    const studentDay = { userId: window.userId, day: dayOf(window) };
    byKey.set(`${studentDay.userId}/${studentDay.day}`, studentDay);
  }
  return { today, dayOf, studentDays: [...byKey.values()].sort(compare), idStep: Number(row.id_step) };
}
