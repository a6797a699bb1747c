import { describe, expect, it } from 'vitest';
import { dateRange, datesOf } from '../../../shared/report/range.ts';
import { isTimeZone, localDate, offsetAt, offsetSpans, startOfDate } from '../../../shared/report/zone.ts';

const HOUR = 3_600_000;

describe('time zones', () => {
  it.each([
    ['UTC', Date.UTC(2026, 6, 1), 0],
    ['Asia/Manila', Date.UTC(2026, 6, 1), 8],
    ['Asia/Kathmandu', Date.UTC(2026, 6, 1), 5.75],
    ['Europe/Berlin', Date.UTC(2026, 2, 29, 0, 59, 59), 1],
    ['Europe/Berlin', Date.UTC(2026, 2, 29, 1), 2],
    ['America/New_York', Date.UTC(2026, 0, 1), -5],
  ])('%s at %i is %d h from UTC', (timeZone, at, hours) => {
    expect(offsetAt(timeZone, at)).toBe(hours * HOUR);
  });

  it('a date is that of the place', () => {
    expect(localDate('Asia/Manila', Date.UTC(2026, 2, 1, 15, 59))).toBe('2026-03-01');
    expect(localDate('Asia/Manila', Date.UTC(2026, 2, 1, 16))).toBe('2026-03-02');
  });

  it.each([
    ['Asia/Manila', '2026-03-02', Date.UTC(2026, 2, 1, 16)],
    ['Europe/Berlin', '2026-03-29', Date.UTC(2026, 2, 28, 23)],
    ['Europe/Berlin', '2026-03-30', Date.UTC(2026, 2, 29, 22)],
    // Clocks went from 00:00 to 01:00: the day has no midnight.
    ['Africa/Cairo', '2026-04-24', Date.UTC(2026, 3, 23, 22)],
    // Clocks went back from 24:00 to 23:00: the day begins once.
    ['America/Havana', '2026-11-01', Date.UTC(2026, 10, 1, 4)],
  ])('in %s, %s begins when the clocks say so', (timeZone, date, utcMs) => {
    expect(startOfDate(timeZone, date)).toBe(utcMs);
    expect(localDate(timeZone, utcMs)).toBe(date);
    expect(localDate(timeZone, utcMs - 1)).not.toBe(date);
  });

  it('the offsets of a year change when the clocks do', () => {
    expect(offsetSpans('Europe/Berlin', Date.UTC(2026, 0, 1), Date.UTC(2027, 0, 1))).toEqual([
      { fromMs: Date.UTC(2026, 0, 1), offsetMs: HOUR },
      { fromMs: Date.UTC(2026, 2, 29, 1), offsetMs: 2 * HOUR },
      { fromMs: Date.UTC(2026, 9, 25, 1), offsetMs: HOUR },
    ]);
    expect(offsetSpans('Asia/Manila', 0, Date.UTC(1971, 0, 1))).toHaveLength(1);
  });

  it('a name that is none is told apart', () => {
    expect(isTimeZone('Asia/Manila')).toBe(true);
    expect(isTimeZone('Asia/Atlantis')).toBe(false);
    expect(isTimeZone('')).toBe(false);
  });
});

describe('a range of days', () => {
  const now = Date.UTC(2026, 2, 10, 20);

  it('covers whole days of its time zone', () => {
    const range = dateRange({ from: '2026-03-02', to: '2026-03-03', timeZone: 'Asia/Manila' }, now);
    expect([range.fromMs, range.toMs]).toEqual([Date.UTC(2026, 2, 1, 16), Date.UTC(2026, 2, 3, 16)]);
    expect(datesOf(range)).toEqual(['2026-03-02', '2026-03-03']);
  });

  it('is the last 28 days at the place, today included, when none are asked for', () => {
    expect(dateRange({ timeZone: 'Asia/Manila' }, now)).toMatchObject({ from: '2026-02-12', to: '2026-03-11' });
    expect(datesOf(dateRange({ timeZone: 'UTC' }, now))).toHaveLength(28);
  });

  it.each([
    [{ from: '2026-03-03', to: '2026-03-02', timeZone: 'UTC' }, 'range_reversed'],
    [{ from: '2024-03-03', to: '2026-03-02', timeZone: 'UTC' }, 'range_too_long'],
    [{ timeZone: 'Nowhere' }, 'time_zone_unknown'],
  ])('%j is refused: %s', (asked, code) => {
    expect(() => dateRange(asked, now)).toThrow(expect.objectContaining({ code }));
  });
});
