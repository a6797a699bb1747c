import { RelayError } from '../errors.ts';

/** Days shown when none are asked for, the present one included. */
export const DEFAULT_DAYS = 28;
export const MAX_DAYS = 400;

const DAY_MS = 86_400_000;

/** Whole days of the database's calendar, first and last, `YYYY-MM-DD`. */
export interface DateRange {
  readonly from: string;
  readonly to: string;
}

/** Calendar date `YYYY-MM-DD` of a day counted from 1970-01-01. */
function dateOfDay(dayNumber: number): string {
  return new Date(dayNumber * DAY_MS).toISOString().slice(0, 10);
}

/** Days from 1970-01-01 to a calendar date `YYYY-MM-DD`. */
function dayOfDate(date: string): number {
  return Math.round(Date.parse(`${date}T00:00:00Z`) / DAY_MS);
}

/** Calendar date of a UTC moment where clocks are `utcOffsetMs` ahead of UTC. */
export function dateAt(utcMs: number, utcOffsetMs: number): string {
  return dateOfDay(Math.floor((utcMs + utcOffsetMs) / DAY_MS));
}

/** The calendar date `days` after another; before it where `days` is negative. */
export function addDays(date: string, days: number): string {
  return dateOfDay(dayOfDate(date) + days);
}

/** The last `days` days, `today` included. */
export function lastDays(days: number, today: string): DateRange {
  return { from: addDays(today, 1 - days), to: today };
}

/**
 * The range that was asked for. Without `to` it ends today, without `from` it has DEFAULT_DAYS days. Throws
 * RelayError `range_reversed` or `range_too_long`.
 */
export function dateRange(
  asked: { readonly from?: string | undefined; readonly to?: string | undefined },
  today: string,
): DateRange {
  const to = asked.to ?? today;
  const from = asked.from ?? addDays(to, 1 - DEFAULT_DAYS);
  const days = dayOfDate(to) - dayOfDate(from) + 1;
  if (days < 1) throw new RelayError('range_reversed', `the range ends (${to}) before it begins (${from})`);
  if (days > MAX_DAYS) {
    throw new RelayError('range_too_long', `the range has ${days} days; ask for at most ${MAX_DAYS} at a time`);
  }
  return { from, to };
}

/** Every calendar date of the range, in order. */
export function datesOf({ from, to }: DateRange): readonly string[] {
  const first = dayOfDate(from);
  return Array.from({ length: dayOfDate(to) - first + 1 }, (_, index) => dateOfDay(first + index));
}
