import type { LiveRow } from '../../../shared/report/rows.ts';
import { clockTime } from '../../page/format.ts';
import { REPORT_DIRECTIONS } from '../../page/labels.ts';
import { STATE_LABELS } from '../../page/stack-chart.ts';
import { el } from '../element.ts';
import { className, counted, moduleName, sectionName, studentName } from '../labels.ts';
import type { Live, LivePoll } from '../live-poll.ts';
import { card, emptyCard, pageHead } from '../parts/cards.ts';
import { dataTable, shareCell } from '../parts/table.ts';
import type { View, ViewContext } from '../view.ts';

function stateCell(row: LiveRow): HTMLElement {
  if (row.state === null) return el('span', { class: 'named' }, row.phase === 'ready' ? 'Not started' : 'Stopping');
  const key = el('span', { class: `key ${row.state}`, 'aria-hidden': 'true' });
  const looking =
    row.direction === null || row.state !== 'unfocused'
      ? ''
      : `: ${REPORT_DIRECTIONS[row.direction]?.toLowerCase() ?? ''}`;
  return el('span', { class: 'named' }, key, `${STATE_LABELS[row.state]}${looking}`);
}

function liveTable(context: ViewContext, live: Live): HTMLElement {
  const sinceMs = (row: LiveRow) =>
    row.startedAtMs === null ? '–' : clockTime(Math.max(0, live.atMs - row.startedAtMs));
  return dataTable<LiveRow>(
    'Students tracked now',
    [
      {
        label: 'Student',
        kind: 'text',
        cell: (row) => el('a', { href: context.link({ page: 'student', userId: row.userId }) }, studentName(row)),
      },
      { label: 'Now', kind: 'text', cell: stateCell },
      { label: 'Focus so far', cell: (row) => shareCell(row.focusShare) },
      { label: 'Class', kind: 'text', cell: (row) => className(row.className) },
      {
        label: 'Lesson',
        kind: 'text',
        cell: (row) =>
          row.sectionId === null
            ? moduleName(row.moduleTitle, row.moduleId)
            : `${moduleName(row.moduleTitle, row.moduleId)} · ${sectionName(row.sectionTitle, row.sectionId)}`,
      },
      { label: 'Since', cell: sinceMs },
    ],
    live.rows,
  );
}

/** Who is tracked now, kept up to date. */
export function liveView(context: ViewContext, poll: LivePoll): View {
  const said = el('p', { class: 'visually-hidden', role: 'status' });
  const place = el('div', { class: 'live' });
  let lastCount = -1;
  const show = (live: Live | null) => {
    if (live === null) {
      place.replaceChildren(emptyCard('Not reachable', 'The server does not answer at the moment. Trying again.'));
      return;
    }
    const number = live.rows.length;
    if (number !== lastCount) said.textContent = `${counted(number, 'student')} tracked now`;
    lastCount = number;
    const focused =
      document.activeElement instanceof HTMLAnchorElement ? document.activeElement.getAttribute('href') : null;
    place.replaceChildren(
      number === 0
        ? emptyCard('Nobody is being tracked', 'Students show here as soon as their camera runs in a lesson.')
        : card(
            context,
            'Tracked now',
            { note: `${counted(number, 'student')}, every few seconds`, csv: { path: '/api/v1/live', query: {} } },
            liveTable(context, live),
          ),
    );
    // A row that had the keyboard keeps it.
    if (focused !== null) place.querySelector<HTMLElement>(`a[href="${CSS.escape(focused)}"]`)?.focus();
  };
  place.replaceChildren(emptyCard('Looking', 'One moment.'));
  context.onLeave(poll.listen(show));
  return { title: 'Live', content: el('div', { class: 'view' }, pageHead('Live'), said, place) };
}
