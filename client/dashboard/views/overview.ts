import { answers } from '../../../shared/report/answers.ts';
import type { ClassRow, HourRow } from '../../../shared/report/rows.ts';
import { duration } from '../../page/format.ts';
import { el } from '../element.ts';
import { className, counted, groupsNote } from '../labels.ts';
import { card, commonTiles, emptyCard, pageHead, summaryCard } from '../parts/cards.ts';
import { shareChart } from '../parts/charts.ts';
import { daysCards } from '../parts/days.ts';
import { dataTable, shareCell, tableInstead } from '../parts/table.ts';
import { modulesTable, studentsTable } from '../parts/tables.ts';
import type { View, ViewContext } from '../view.ts';

/** As many as a teacher can look after before the next lesson. */
const FEW = 6;

function classesTable(context: ViewContext, rows: readonly ClassRow[]): HTMLElement {
  const { filter } = context.address;
  return dataTable<ClassRow>(
    'Classes',
    [
      {
        label: 'Class',
        kind: 'text',
        cell: (row) => {
          if (row.className === null) return className(null);
          const button = el('button', { type: 'button', class: 'link' }, row.className);
          button.addEventListener('click', () => context.go({ filter: { ...filter, className: row.className } }));
          return button;
        },
      },
      { label: 'Focus', cell: (row) => shareCell(row.focusShare) },
      { label: 'Tracked', cell: (row) => duration(row.trackedMs) },
      { label: 'Sessions', cell: (row) => row.sessions.toLocaleString() },
      { label: 'Students', cell: (row) => row.students.toLocaleString() },
    ],
    rows,
  );
}

function hoursCard(context: ViewContext, rows: readonly HourRow[]): HTMLElement {
  const byHour = new Map(rows.map((row) => [row.hour, row]));
  const first = Math.min(...rows.map(({ hour }) => hour));
  const last = Math.max(...rows.map(({ hour }) => hour));
  const hours = Array.from({ length: last - first + 1 }, (_, index) => first + index);
  const clock = (hour: number) => `${String(hour).padStart(2, '0')}:00`;
  return card(
    context,
    'Focus by hour of day',
    { csv: { path: '/api/v1/hours', query: context.scope } },
    shareChart(context, 'Line chart of the focused share by the hour of day.', {
      labels: hours.map(clock),
      shares: hours.map((hour) => byHour.get(hour)?.focusShare ?? null),
      along: '',
      title: (index) => `${clock(hours[index] ?? 0)} – ${clock((hours[index] ?? 0) + 1)}`,
      detail: (index) => counted(byHour.get(hours[index] ?? -1)?.sessions ?? 0, 'session'),
    }),
    tableInstead(
      dataTable<HourRow>(
        'By hour',
        [
          { label: 'Hour', kind: 'text', cell: (row) => clock(row.hour) },
          { label: 'Focus', cell: (row) => shareCell(row.focusShare) },
          { label: 'Tracked', cell: (row) => duration(row.trackedMs) },
          { label: 'Sessions', cell: (row) => String(row.sessions) },
        ],
        rows,
      ),
    ),
  );
}

/** What a teacher sees whose ticket names no class and no module. */
async function groupsView(context: ViewContext): Promise<View> {
  const { api } = context;
  const { class: _class, ...query } = context.scope;
  const [{ overview, range }, days, modules] = await Promise.all([
    api.get(answers.overview, '/api/v1/overview', query),
    api.get(answers.days, '/api/v1/days', query),
    api.get(answers.modules, '/api/v1/modules', query),
  ]);
  const head = pageHead('Overview', { meta: groupsNote(context.reader) });
  if (overview.students === 0) {
    const empty = emptyCard('No groups in these days', 'Choose other days above. The present day is not shown.');
    return { title: 'Overview', content: el('div', { class: 'view' }, head, empty) };
  }
  const content = el(
    'div',
    { class: 'view' },
    head,
    summaryCard(context, overview, commonTiles(overview), { path: '/api/v1/overview', query }),
    ...daysCards(context, range, days.rows, { path: '/api/v1/days', query }),
    card(context, 'Modules', { csv: { path: '/api/v1/modules', query } }, modulesTable(context, modules.rows)),
  );
  return { title: 'Overview', content };
}

/** The class or the school. */
export async function overviewView(context: ViewContext): Promise<View> {
  if (context.reader.reads.kind === 'groups') return groupsView(context);
  const { api, scope } = context;
  const { class: _class, ...range } = scope;
  const [overview, days, hours, classes, modules, students] = await Promise.all([
    api.get(answers.overview, '/api/v1/overview', scope),
    api.get(answers.days, '/api/v1/days', scope),
    api.get(answers.hours, '/api/v1/hours', scope),
    api.get(answers.classes, '/api/v1/classes', range),
    api.get(answers.modules, '/api/v1/modules', scope),
    api.get(answers.students, '/api/v1/students', { ...scope, order: 'focusShare', pageSize: FEW }),
  ]);
  const chosen = context.address.filter.className;
  const title = chosen === null ? 'Overview' : `Class ${chosen}`;
  const figures = overview.overview;
  const head = pageHead(title, {
    meta: `${counted(figures.students, 'student')} in ${counted(figures.sessions, 'session')}`,
  });
  if (figures.students === 0) {
    const empty = emptyCard(
      'No sessions in these days',
      'Choose other days or another class above. Sessions show here once they are stored, a few seconds after they end.',
    );
    return { title, content: el('div', { class: 'view' }, head, empty) };
  }
  const [timeByDay, focusByDay] = daysCards(context, overview.range, days.rows, { path: '/api/v1/days', query: scope });
  const tiles = [['Students', figures.students.toLocaleString()] as const, ...commonTiles(figures)];
  const content = el(
    'div',
    { class: 'view' },
    head,
    summaryCard(context, figures, tiles, { path: '/api/v1/overview', query: scope }),
    timeByDay ?? null,
    el('div', { class: 'pair' }, focusByDay ?? null, hoursCard(context, hours.rows)),
    chosen === null
      ? card(
          context,
          'Classes',
          { csv: { path: '/api/v1/classes', query: range } },
          classesTable(context, classes.rows),
        )
      : null,
    card(context, 'Modules', { csv: { path: '/api/v1/modules', query: scope } }, modulesTable(context, modules.rows)),
    card(
      context,
      'Least focused students',
      {
        note: 'look at the tracked time too: short sessions say little',
        csv: { path: '/api/v1/students', query: { ...scope, order: 'focusShare' } },
      },
      studentsTable(context, students.rows),
      el(
        'p',
        { class: 'card-foot' },
        el('a', { href: context.link({ page: 'students' }) }, `All ${counted(students.page.total, 'student')}`),
      ),
    ),
  );
  return { title, content };
}
