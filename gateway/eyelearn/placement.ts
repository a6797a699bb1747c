import type { MetricsWindow } from '../../shared/metrics-window.ts';
import { MINUTE_MS, type PlacedWindow } from '../store/batch.ts';
import { type Executor, identifier, insertInto, joined, rowsOf, run, sql } from '../store/mysql/statement.ts';
import { eyelearnTotals } from './schema.ts';

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

const minuteOf = ({ startedAtMs }: MetricsWindow): number => Math.floor(startedAtMs / MINUTE_MS);

const compare = (a: StudentDay, b: StudentDay): number => a.userId - b.userId || (a.day < b.day ? -1 : 1);

/** Asks the database, with one query, on which of its days the windows lie. */
export async function placeOnDays(db: Executor, counted: readonly PlacedWindow[]): Promise<Placement> {
  const minutes = [...new Set(counted.map(({ window }) => minuteOf(window)))];
  const columns = minutes.map(
    (minute, index) =>
      sql`DATE_FORMAT(FROM_UNIXTIME(${(minute * MINUTE_MS) / 1000}), ${DAY_FORMAT}) AS ${identifier(`d${index}`)}`,
  );
  const [row = {}] = await rowsOf(
    db,
    sql`SELECT ${joined([sql`DATE_FORMAT(CURRENT_TIMESTAMP, ${DAY_FORMAT}) AS today, @@auto_increment_increment AS id_step`, ...columns], ', ')}`,
  );
  const today = String(row.today);
  const days = new Map(minutes.map((minute, index) => [minute, String(row[`d${index}`])]));
  const dayOf = (window: MetricsWindow) => days.get(minuteOf(window)) ?? today;
  const byKey = new Map<string, StudentDay>();
  for (const { window } of counted) {
    const studentDay = { userId: window.userId, day: dayOf(window) };
    byKey.set(`${studentDay.userId}/${studentDay.day}`, studentDay);
  }
  return { today, dayOf, studentDays: [...byKey.values()].sort(compare), idStep: Number(row.id_step) };
}

/** A row of relay_eyelearn_totals that stands for no row of EyeLearn's: it is the lock of a student's day. */
const LOCK = 'student_day';

/**
 * Until the end of the transaction no other gateway adds to these days: it waits for the same rows, in the same order. To be
 * called outside savepoints, whose undoing would give the lock up.
 */
export async function lockStudentDays(db: Executor, { studentDays }: Placement): Promise<void> {
  await run(
    db,
    insertInto(
      eyelearnTotals,
      studentDays.map(({ userId, day }) => ({ target: LOCK, userId, day, moduleId: 0, sectionKey: 0, sessionId: 0 })),
      { userId: identifier(eyelearnTotals.userId.name) },
    ),
  );
}
