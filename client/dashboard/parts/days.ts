import { datesOf } from '../../../shared/report/range.ts';
import type { DayRow } from '../../../shared/report/rows.ts';
import { duration, percent } from '../../page/format.ts';
import type { Query } from '../api.ts';
import { el } from '../element.ts';
import { counted, dayText, timesOf } from '../labels.ts';
import type { ViewContext } from '../view.ts';
import { card } from './cards.ts';
import { shareChart, stackChart, unitFor } from './charts.ts';
import { dataTable, shareCell, tableInstead } from './table.ts';

const NOTHING = { focused: 0, unfocused: 0, unknown: 0, untracked: 0 };

/** Time by day and focus by day, with the same as a table. */
export function daysCards(
  context: ViewContext,
  range: { readonly from: string; readonly to: string },
  rows: readonly DayRow[],
  csv: { readonly path: string; readonly query: Query },
): readonly HTMLElement[] {
  const byDay = new Map(rows.map((row) => [row.day, row]));
  const dates = datesOf(range);
  const labels = dates.map((date) => dayText(date, 'short'));
  const at = (index: number) => byDay.get(dates[index] ?? '');
  const best = rows
    .filter((row) => row.focusShare !== null)
    .toSorted((a, b) => (b.focusShare ?? 0) - (a.focusShare ?? 0));
  const table = dataTable<DayRow>(
    'Day by day',
    [
      { label: 'Day', cell: (row) => dayText(row.day), kind: 'text' },
      { label: 'Focus', cell: (row) => shareCell(row.focusShare) },
      { label: 'Tracked', cell: (row) => duration(row.trackedMs) },
      { label: 'Not tracked', cell: (row) => duration(row.untrackedMs) },
      { label: 'Sessions', cell: (row) => String(row.sessions) },
      { label: 'Students', cell: (row) => String(row.students) },
    ],
    rows,
  );
  return [
    card(
      context,
      'Day by day',
      { note: `${counted(rows.length, 'day')} with sessions`, csv },
      stackChart(
        context,
        `Bar chart of time by kind on ${counted(rows.length, 'day')}. The table below has the numbers.`,
        {
          labels,
          bars: dates.map((date) => {
            const row = byDay.get(date);
            return row === undefined ? NOTHING : timesOf(row);
          }),
          ...unitFor(rows),
          along: '',
          title: (index) => dayText(dates[index] ?? ''),
        },
      ),
      tableInstead(table),
    ),
    card(
      context,
      'Focus over the days',
      best[0] === undefined ? {} : { note: `best ${percent(best[0].focusShare)} on ${dayText(best[0].day, 'short')}` },
      shareChart(context, 'Line chart of the focused share of tracked time by day.', {
        labels,
        shares: dates.map((date) => byDay.get(date)?.focusShare ?? null),
        along: '',
        title: (index) => dayText(dates[index] ?? ''),
        detail: (index) => `of ${duration(at(index)?.trackedMs ?? 0)}, ${counted(at(index)?.sessions ?? 0, 'session')}`,
      }),
      el('p', { class: 'hint chart-foot' }, 'The focused share of tracked time. The table of days has the numbers.'),
    ),
  ];
}
