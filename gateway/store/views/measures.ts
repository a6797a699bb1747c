import { DIRECTIONS } from '../../../shared/direction.ts';
import { SUMMED_COLUMNS } from '../records.ts';

/** Where the SQL of the two databases differs. */
export interface Dialect {
  readonly kind: 'libsql' | 'mysql';
  /** A column of UTC ms as the database's date with time, in UTC. */
  readonly utc: (column: string) => string;
  /** A sum of whole numbers as a whole number. MySQL sums up to a decimal, which drivers give as text. */
  readonly whole: (expression: string) => string;
  /**
   * Sum of a column of whole numbers, exact below 2^53. MySQL and MariaDB add up decimals, which takes half as long again as doubles do,
   * and twice as long in a temporary table.
   */
  readonly sum: (column: string) => string;
  /** Operator of two values that are equal or both NULL. */
  readonly isSame: string;
  /** Whole-number division of two whole numbers that are not negative. */
  readonly div: (dividend: string, divisor: number) => string;
  /** UTC ms at which a day begins in the time zone of the stored days; the day, `YYYY-MM-DD`, goes in by `?`. */
  readonly startOfDay: string;
  /** Seconds since 1970 on the clocks of that time zone; UTC seconds go in by `?`. */
  readonly localSeconds: string;
  /** The day, `YYYY-MM-DD`, on which a moment lies in that time zone; an expression of UTC seconds. */
  readonly localDay: (seconds: string) => string;
}

export const DIALECTS: Readonly<Record<Dialect['kind'], Dialect>> = {
  libsql: {
    kind: 'libsql',
    utc: (column) => `strftime('%Y-%m-%d %H:%M:%f', ${column} / 1000.0, 'unixepoch')`,
    whole: (expression) => expression,
    sum: (column) => `SUM(${column})`,
    isSame: 'IS',
    div: (dividend, divisor) => `${dividend} / ${divisor}`,
    startOfDay: "unixepoch(?, 'utc') * 1000",
    localSeconds: "CAST(strftime('%s', ?, 'unixepoch', 'localtime') AS INTEGER)",
    localDay: (seconds) => `date(${seconds}, 'unixepoch', 'localtime')`,
  },
  mysql: {
    kind: 'mysql',
    utc: (column) => `TIMESTAMPADD(MICROSECOND, ${column} * 1000, TIMESTAMP '1970-01-01 00:00:00')`,
    whole: (expression) => `CAST(${expression} AS SIGNED)`,
    sum: (column) => `CAST(SUM(${column} + 0e0) AS SIGNED)`,
    isSame: '<=>',
    div: (dividend, divisor) => `${dividend} DIV ${divisor}`,
    startOfDay: 'CAST(UNIX_TIMESTAMP(?) AS SIGNED) * 1000',
    localSeconds: "TIMESTAMPDIFF(SECOND, TIMESTAMP '1970-01-01 00:00:00', FROM_UNIXTIME(?))",
    localDay: (seconds) => `DATE(FROM_UNIXTIME(${seconds}))`,
  },
};

const snakeCase = (name: string) => name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);

/** Columns of whole numbers that relay_windows, relay_sessions and relay_hours all have: durations in ms, frames, bytes. */
export const SUM_COLUMNS = SUMMED_COLUMNS.filter((column) => column !== 'gatewayMsSum').map(snakeCase);

/** Direction names of which tracked time has a share; time without a known direction is `unknown_share_percent`. */
const SHARE_DIRECTIONS = DIRECTIONS.filter((direction) => direction !== 'unknown');

/** Percent with two decimals; NULL where there is nothing to divide by. */
export function percent(part: string, whole: string): string {
  return `ROUND(100.0 * ${part} / NULLIF(${whole}, 0), 2)`;
}

export const COUNT_COLUMNS = ['session_count', 'focused_bout_count', 'unfocused_bout_count'] as const;

/** `focused + unfocused + unknown` of a table. */
export function trackedOf(table: string): string {
  return `${table}.focused_ms + ${table}.unfocused_ms + ${table}.unknown_ms`;
}

/**
 * The measures that all totals, sessions and windows have in common, as columns of a SELECT: tracked time, shares,
 * and the sums they come from. `table` has one row for each row of the SELECT.
 */
export function measures(table: string): string[] {
  const tracked = `(${trackedOf(table)})`;
  const share = (name: string, whole: string) => `${percent(`${table}.${name}_ms`, whole)} AS ${name}_share_percent`;
  return [
    `${tracked} AS tracked_ms`,
    ...['focused', 'unfocused', 'unknown'].map((name) => share(name, tracked)),
    share('untracked', `(${trackedOf(table)} + ${table}.untracked_ms)`),
    ...[...SHARE_DIRECTIONS, 'second_face'].map((name) => share(name, tracked)),
    `${percent(`${table}.frames_with_face`, `${table}.frames_processed`)} AS frames_with_face_percent`,
    `${table}.gateway_ms_sum / NULLIF(${table}.frames_processed, 0) AS gateway_ms_mean`,
    ...SUM_COLUMNS.map((name) => `${table}.${name}`),
  ];
}
