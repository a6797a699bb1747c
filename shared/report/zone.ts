const HOUR_MS = 3_600_000;
export const DAY_MS = 24 * HOUR_MS;

/** A stretch of UTC time in which a time zone's clocks differ from UTC by one amount. */
export interface OffsetSpan {
  /** First UTC ms of the span. */
  readonly fromMs: number;
  /** Local time minus UTC, ms. */
  readonly offsetMs: number;
}

const formats = new Map<string, Intl.DateTimeFormat>();

function formatOf(timeZone: string): Intl.DateTimeFormat {
  const known = formats.get(timeZone);
  if (known !== undefined) return known;
  const format = new Intl.DateTimeFormat('en-US', {
    timeZone,
    hourCycle: 'h23',
    year: 'numeric',
    month: 'numeric',
    day: 'numeric',
    hour: 'numeric',
    minute: 'numeric',
    second: 'numeric',
  });
  formats.set(timeZone, format);
  return format;
}

/** True for a name of the IANA time zone database that this runtime knows. */
export function isTimeZone(name: string): boolean {
  try {
    formatOf(name);
    return true;
  } catch {
    return false;
  }
}

/** Local time minus UTC at a UTC moment, ms. */
export function offsetAt(timeZone: string, utcMs: number): number {
  const whole = Math.floor(utcMs / 1000) * 1000;
  const parts: Record<string, number> = {};
  for (const { type, value } of formatOf(timeZone).formatToParts(whole)) parts[type] = Number(value);
  const { year = 0, month = 1, day = 1, hour = 0, minute = 0, second = 0 } = parts;
  return Date.UTC(year, month - 1, day, hour, minute, second) - whole;
}

/** Calendar date `YYYY-MM-DD` of a day counted from 1970-01-01. */
export function dateOfDay(dayNumber: number): string {
  return new Date(dayNumber * DAY_MS).toISOString().slice(0, 10);
}

/** Days from 1970-01-01 to a calendar date `YYYY-MM-DD`. */
export function dayOfDate(date: string): number {
  return Math.round(Date.parse(`${date}T00:00:00Z`) / DAY_MS);
}

/** Calendar date of a UTC moment in a time zone. */
export function localDate(timeZone: string, utcMs: number): string {
  return dateOfDay(Math.floor((utcMs + offsetAt(timeZone, utcMs)) / DAY_MS));
}

/**
 * First UTC moment of a calendar date in a time zone. Where clocks are put forward at midnight the day begins
 * with the change; where they are put back over midnight, it begins with the first of both.
 */
export function startOfDate(timeZone: string, date: string): number {
  const localMs = dayOfDate(date) * DAY_MS;
  const before = offsetAt(timeZone, localMs - DAY_MS);
  const after = offsetAt(timeZone, localMs + DAY_MS);
  const valid = [before, after]
    .map((offset) => localMs - offset)
    .filter((at) => at + offsetAt(timeZone, at) === localMs);
  return valid.length > 0 ? Math.min(...valid) : localMs - before;
}

/** The offsets of a time zone from `fromMs` up to `toMs` (UTC), in order. Changes fall on whole minutes. */
export function offsetSpans(timeZone: string, fromMs: number, toMs: number): readonly OffsetSpan[] {
  const minute = 60_000;
  const spans: OffsetSpan[] = [{ fromMs, offsetMs: offsetAt(timeZone, fromMs) }];
  for (let at = Math.floor(fromMs / minute); at < toMs / minute; at += DAY_MS / minute) {
    let high = at + DAY_MS / minute;
    const offsetMs = offsetAt(timeZone, high * minute);
    if (offsetMs === spans.at(-1)?.offsetMs) continue;
    for (let low = at; high - low > 1; ) {
      const middle = Math.floor((low + high) / 2);
      if (offsetAt(timeZone, middle * minute) === offsetMs) high = middle;
      else low = middle;
    }
    spans.push({ fromMs: high * minute, offsetMs });
  }
  return spans;
}
