import { DIRECTIONS } from '../../../shared/direction.ts';
import { SUMMED_COLUMNS } from '../records.ts';

/** Where the SQL of the two databases differs. */
export interface Dialect {
  readonly kind: 'libsql' | 'mysql';
  /** A column of UTC ms as the database's date with time, in UTC. */
  readonly utc: (column: string) => string;
  /** A sum of whole numbers as a whole number. MySQL sums up to a decimal, which drivers give as text. */
  readonly whole: (expression: string) => string;
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
    div: (dividend, divisor) => `${dividend} / ${divisor}`,
    startOfDay: "unixepoch(?, 'utc') * 1000",
    localSeconds: "CAST(strftime('%s', ?, 'unixepoch', 'localtime') AS INTEGER)",
    localDay: (seconds) => `date(${seconds}, 'unixepoch', 'localtime')`,
  },
  mysql: {
    kind: 'mysql',
    utc: (column) => `TIMESTAMPADD(MICROSECOND, ${column} * 1000, TIMESTAMP '1970-01-01 00:00:00')`,
    whole: (expression) => `CAST(${expression} AS SIGNED)`,
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

/** How a view gets a figure from its rows: as it stands in one row, or added up over a group. */
export interface Aggregation {
  /** For shares, where the type does not matter. */
  readonly of: (expression: string) => string;
  /** For a column of the view. */
  readonly column: (expression: string) => string;
}

export const ONE_ROW: Aggregation = { of: (expression) => expression, column: (expression) => expression };

export function summed({ whole }: Dialect): Aggregation {
  const of = (expression: string) => `SUM(${expression})`;
  return { of, column: (expression) => whole(of(expression)) };
}

/** `focused + unfocused + unknown` of a table. */
export function trackedOf(table: string): string {
  return `${table}.focused_ms + ${table}.unfocused_ms + ${table}.unknown_ms`;
}

/**
 * The measures that all totals, sessions and windows have in common, as columns of a SELECT: tracked time, shares,
 * and the sums they come from.
 */
export function measures(table: string, { of, column }: Aggregation): string[] {
  const tracked = of(`(${trackedOf(table)})`);
  const all = of(`(${trackedOf(table)} + ${table}.untracked_ms)`);
  const share = (name: string, whole: string) =>
    `${percent(of(`${table}.${name}_ms`), whole)} AS ${name}_share_percent`;
  return [
    `${column(`(${trackedOf(table)})`)} AS tracked_ms`,
    ...['focused', 'unfocused', 'unknown'].map((name) => share(name, tracked)),
    share('untracked', all),
    ...[...SHARE_DIRECTIONS, 'second_face'].map((name) => share(name, tracked)),
    `${percent(of(`${table}.frames_with_face`), of(`${table}.frames_processed`))} AS frames_with_face_percent`,
    `${of(`${table}.gateway_ms_sum`)} / NULLIF(${of(`${table}.frames_processed`)}, 0) AS gateway_ms_mean`,
    ...SUM_COLUMNS.map((name) => `${column(`${table}.${name}`)} AS ${name}`),
  ];
}

/** The middle length of bouts that are numbered by length: `place` of `bouts`, from 1. Half-way between two middle ones. */
export const MEDIAN_MS = 'AVG(CASE WHEN r.place * 2 BETWEEN r.bouts AND r.bouts + 2 THEN r.duration_ms END)';
