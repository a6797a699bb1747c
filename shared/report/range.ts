import { RelayError } from '../errors.ts';
import { dateOfDay, dayOfDate, isTimeZone, localDate, startOfDate } from './zone.ts';

/** Days shown when none are asked for, the present one included. */
export const DEFAULT_DAYS = 28;
export const MOST_DAYS = 400;

/** Whole calendar days of one time zone, and the UTC time they cover: from `fromMs` up to but not `toMs`. */
export interface DateRange {
  /** First and last day, `YYYY-MM-DD`. */
  readonly from: string;
  readonly to: string;
  /** IANA name. */
  readonly timeZone: string;
  readonly fromMs: number;
  readonly toMs: number;
}

/**
 * The range that was asked for. Without `to` it ends today, without `from` it has DEFAULT_DAYS days. Throws
 * RelayError `time_zone_unknown`, `range_reversed` or `range_too_long`.
 */
export function dateRange(
  asked: { readonly from?: string | undefined; readonly to?: string | undefined; readonly timeZone: string },
  nowMs: number,
): DateRange {
  const { timeZone } = asked;
  if (!isTimeZone(timeZone)) {
    throw new RelayError(
      'time_zone_unknown',
      `"${timeZone}" is not a time zone; use a name such as Asia/Manila or UTC`,
    );
  }
  const to = asked.to ?? localDate(timeZone, nowMs);
  const from = asked.from ?? dateOfDay(dayOfDate(to) - DEFAULT_DAYS + 1);
  const days = dayOfDate(to) - dayOfDate(from) + 1;
  if (days < 1) throw new RelayError('range_reversed', `the range ends (${to}) before it begins (${from})`);
  if (days > MOST_DAYS) {
    throw new RelayError('range_too_long', `the range has ${days} days; ask for at most ${MOST_DAYS} at a time`);
  }
  const next = dateOfDay(dayOfDate(to) + 1);
  return { from, to, timeZone, fromMs: startOfDate(timeZone, from), toMs: startOfDate(timeZone, next) };
}

/** Every calendar date of the range, in order. */
export function datesOf(range: Pick<DateRange, 'from' | 'to'>): readonly string[] {
  const first = dayOfDate(range.from);
  return Array.from({ length: dayOfDate(range.to) - first + 1 }, (_, index) => dateOfDay(first + index));
}
