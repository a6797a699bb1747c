import { describe, expect, it } from 'vitest';
import { addDays, dateAt, dateRange, datesOf, lastDays } from '../../../shared/report/range.ts';

const HOUR_MS = 3_600_000;

describe('a range of days', () => {
  const today = '2026-03-11';

  it('is the last 28 days, today included, when none are asked for', () => {
    expect(dateRange({}, today)).toEqual({ from: '2026-02-12', to: today });
    expect(datesOf(dateRange({}, today))).toHaveLength(28);
    expect(lastDays(7, today)).toEqual({ from: '2026-03-05', to: today });
    expect(lastDays(1, today)).toEqual({ from: today, to: today });
  });

  it('has both its ends', () => {
    expect(datesOf(dateRange({ from: '2026-02-28', to: '2026-03-01' }, today))).toEqual(['2026-02-28', '2026-03-01']);
  });

  it.each([
    [{ from: '2026-03-03', to: '2026-03-02' }, 'range_reversed'],
    [{ from: '2024-03-03', to: '2026-03-02' }, 'range_too_long'],
  ])('%j is refused: %s', (asked, code) => {
    expect(() => dateRange(asked, today)).toThrow(expect.objectContaining({ code }));
  });

  it('today is the day on the clocks of the place', () => {
    const at = Date.UTC(2026, 2, 10, 20);
    expect(dateAt(at, 0)).toBe('2026-03-10');
    expect(dateAt(at, 8 * HOUR_MS)).toBe('2026-03-11');
    expect(dateAt(at, -21 * HOUR_MS)).toBe('2026-03-09');
    expect(addDays('2028-02-28', 2)).toBe('2028-03-01');
  });
});
