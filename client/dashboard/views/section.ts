import { answers } from '../../../shared/report/answers.ts';
import type { TimelineRow } from '../../../shared/report/rows.ts';
import { clockTime, duration } from '../../page/format.ts';
import { el } from '../element.ts';
import { counted, moduleName, sectionName } from '../labels.ts';
import { card, commonTiles, detailCards, emptyCard, pageHead, summaryCard } from '../parts/cards.ts';
import { barChart, shareChart } from '../parts/charts.ts';
import { dataTable, shareCell, tableInstead } from '../parts/table.ts';
import type { View, ViewContext } from '../view.ts';

/** Moments to look at first. */
const MARKED = 3;

/** The steps in which each student looks away most often, where a third of the students or more have come. */
function hardest(rows: readonly TimelineRow[]): ReadonlySet<number> {
  const most = Math.max(0, ...rows.map(({ students }) => students));
  const steps = rows
    .map((row, index) => ({ index, per: row.distractionsPerStudent ?? 0, students: row.students }))
    .filter(({ per, students }) => per > 0 && students * 3 >= most)
    .toSorted((a, b) => b.per - a.per);
  return new Set(steps.slice(0, MARKED).map(({ index }) => index));
}

function stepText(row: TimelineRow | undefined): string {
  return row === undefined ? '' : `${clockTime(row.startMs)} – ${clockTime(row.endMs)}`;
}

function timelineCards(context: ViewContext, path: string, rows: readonly TimelineRow[]): readonly HTMLElement[] {
  const marked = hardest(rows);
  const labels = rows.map((row) => clockTime(row.startMs));
  const along = 'Time spent in the section';
  const moments = [...marked].map((index) => rows[index]).filter((row) => row !== undefined);
  const list = moments.map((row) =>
    el(
      'li',
      {},
      el('strong', {}, stepText(row)),
      ` ${counted(row.distractions, 'look')} away by ${counted(row.students, 'student')}, ${duration(row.distractionMs)} together`,
    ),
  );
  return [
    card(
      context,
      'Where students look away',
      { note: 'looks away per student and minute', csv: { path, query: context.scope } },
      list.length === 0 ? null : el('ol', { class: 'moments', 'aria-label': 'Moments to look at first' }, ...list),
      barChart(
        context,
        'Bar chart of looks away per student for each minute of the section. The table below has the numbers.',
        {
          labels,
          values: rows.map((row) => row.distractionsPerStudent),
          marked,
          along,
          unit: 'Looks away per student',
          title: (index) => stepText(rows[index]),
          detail: (index) =>
            `${counted(rows[index]?.distractions ?? 0, 'look')} away by ${counted(rows[index]?.students ?? 0, 'student')}`,
        },
      ),
      tableInstead(
        dataTable<TimelineRow>(
          'Minute by minute',
          [
            { label: 'Minute', kind: 'text', cell: (row) => stepText(row) },
            { label: 'Focus', cell: (row) => shareCell(row.focusShare) },
            { label: 'Looks away', cell: (row) => String(row.distractions) },
            { label: 'Per student', cell: (row) => row.distractionsPerStudent?.toFixed(2) ?? '–' },
            { label: 'Away', cell: (row) => duration(row.distractionMs) },
            { label: 'Students', cell: (row) => String(row.students) },
          ],
          rows,
        ),
      ),
    ),
    card(
      context,
      'Focus along the section',
      {},
      shareChart(context, 'Line chart of the focused share for each minute of the section.', {
        labels,
        shares: rows.map(({ focusShare }) => focusShare),
        along,
        title: (index) => stepText(rows[index]),
        detail: (index) => counted(rows[index]?.students ?? 0, 'student'),
      }),
    ),
  ];
}

/** One lesson section, and where along it students look away. */
export async function sectionView(context: ViewContext, moduleId: number, sectionId: number | 'none'): Promise<View> {
  const { api, scope } = context;
  const path = `/api/v1/modules/${moduleId}/sections/${sectionId}`;
  const [{ section }, timeline] = await Promise.all([
    api.get(answers.section, path, scope),
    api.get(answers.timeline, `${path}/timeline`, scope),
  ]);
  const title = sectionName(section.title, sectionId);
  const head = pageHead(title, {
    above: [
      ['Modules', context.link({ page: 'modules' })],
      [moduleName(section.moduleTitle, moduleId), context.link({ page: 'module', moduleId })],
    ],
    meta: `${counted(section.students, 'student')}`,
  });
  if (section.students === 0) {
    const empty = emptyCard('No sessions in these days', 'Choose other days or another class above.');
    return { title, content: el('div', { class: 'view' }, head, empty) };
  }
  const tiles = [...commonTiles(section), ['Median focus', duration(section.medianFocusedBoutMs)] as const];
  const content = el(
    'div',
    { class: 'view' },
    head,
    summaryCard(context, section, tiles, { path, query: scope }),
    ...timelineCards(context, `${path}/timeline`, timeline.rows),
    detailCards(context, section),
  );
  return { title, content };
}
