import type { Detail, Figures } from '../../../shared/report/figures.ts';
import { duration, percent } from '../../page/format.ts';
import { showProportion, trackedMs } from '../../page/proportion.ts';
import type { Query } from '../api.ts';
import { type Child, el } from '../element.ts';
import { counted, timesOf } from '../labels.ts';
import type { ViewContext } from '../view.ts';
import { directionItems, judgement, qualityTiles, row, stateHeading, totalsRows } from './figures.ts';

let ids = 0;

/** A card with a heading. `csv` is the report that its button downloads. */
export function card(
  context: ViewContext,
  title: string,
  options: { readonly note?: string; readonly csv?: { readonly path: string; readonly query: Query } },
  ...content: readonly Child[]
): HTMLElement {
  ids += 1;
  const id = `card-${ids}`;
  const head = el('div', { class: 'card-head' }, el('h2', { id }, title));
  const side = el('div', { class: 'card-side' });
  if (options.note !== undefined) side.append(el('p', { class: 'hint' }, options.note));
  const { csv } = options;
  if (csv !== undefined) {
    const label = `Download CSV: ${title}`;
    const button = el('button', { type: 'button', class: 'button small csv', 'aria-label': label }, 'CSV');
    button.addEventListener('click', () => context.download(csv.path, csv.query));
    side.append(button);
  }
  head.append(side);
  return el('section', { class: 'card', 'aria-labelledby': id }, head, ...content);
}

/** The page's heading with the way back to where it belongs. */
export function pageHead(
  title: string,
  options: { readonly above?: readonly (readonly [string, string])[]; readonly meta?: string } = {},
): HTMLElement {
  const crumbs = (options.above ?? []).map(([label, href]) => el('li', {}, el('a', { href }, label)));
  const way =
    crumbs.length === 0 ? null : el('nav', { class: 'crumbs', 'aria-label': 'Breadcrumb' }, el('ol', {}, ...crumbs));
  const heading = el('h1', { id: 'page-title', tabindex: '-1' }, title);
  const meta = options.meta === undefined ? null : el('p', { class: 'meta' }, options.meta);
  return el('header', { class: 'page-head' }, el('div', {}, way, heading, meta));
}

function proportion(figures: Figures): HTMLElement {
  const bar = el('div', { class: 'proportion', role: 'img' });
  for (const state of ['focused', 'unfocused', 'unknown', 'untracked'])
    bar.append(el('span', { class: `seg ${state}` }));
  showProportion(bar, timesOf(figures));
  return bar;
}

/** The big number, the times by kind and some tiles. */
export function summaryCard(
  context: ViewContext,
  figures: Figures,
  tiles: readonly (readonly [string, string])[],
  csv: { readonly path: string; readonly query: Query },
): HTMLElement {
  const times = timesOf(figures);
  const tracked = trackedMs(times);
  const note = tracked === 0 ? 'Nothing was tracked' : `focused, of ${duration(tracked)} of tracked time`;
  return card(
    context,
    'At a glance',
    { csv },
    el(
      'div',
      { class: 'summary' },
      el(
        'div',
        { class: 'hero-number' },
        el('p', { class: 'big', 'data-testid': 'focus-share' }, percent(figures.focusShare)),
        el('p', { class: 'hint' }, note),
        el(
          'dl',
          { class: 'mini' },
          ...tiles.map(([name, value]) => el('div', {}, el('dt', {}, name), el('dd', {}, value))),
        ),
      ),
      el(
        'div',
        { class: 'summary-times' },
        proportion(figures),
        el(
          'table',
          { class: 'totals' },
          el('caption', { class: 'visually-hidden' }, 'Time by kind'),
          el(
            'thead',
            { class: 'visually-hidden' },
            el('tr', {}, ...['Kind', 'Time', 'Share'].map((label) => el('th', { scope: 'col' }, label))),
          ),
          el('tbody', {}, ...totalsRows(times)),
        ),
      ),
    ),
  );
}

/** Stretches without a break: how many, and how long. */
function boutsCard(context: ViewContext, figures: Detail): HTMLElement {
  const head = ['', 'Number', 'Median', 'Longest'].map((label) =>
    el('th', { scope: 'col' }, label === '' ? el('span', { class: 'visually-hidden' }, 'Kind') : label),
  );
  const focused = [
    String(figures.focusedBouts),
    duration(figures.medianFocusedBoutMs),
    duration(figures.longestFocusedBoutMs),
  ];
  const away = [
    String(figures.unfocusedBouts),
    duration(figures.medianUnfocusedBoutMs),
    duration(figures.longestUnfocusedBoutMs),
  ];
  return card(
    context,
    'Stretches without a break',
    {},
    el(
      'table',
      { class: 'plain' },
      el('caption', { class: 'visually-hidden' }, 'Stretches of focus and away from the screen'),
      el('thead', {}, el('tr', {}, ...head)),
      el('tbody', {}, row(stateHeading('focused'), ...focused), row(stateHeading('unfocused'), ...away)),
    ),
    el(
      'p',
      { class: 'hint' },
      'A stretch ends when the state changes. Many short focused stretches mean many interruptions.',
    ),
  );
}

/** Where the gaze was. */
function directionsCard(context: ViewContext, figures: Detail): HTMLElement {
  const items = directionItems(figures);
  const note =
    items.length === 0 ? 'No gaze was measured.' : "Share of tracked time. Left and right are the student's own.";
  return card(
    context,
    'Where the gaze was',
    {},
    el('ul', { class: 'bars' }, ...items),
    el('p', { class: 'hint' }, note),
  );
}

/** How far the numbers can be trusted. */
function qualityCard(context: ViewContext, figures: Detail): HTMLElement {
  const times = timesOf(figures);
  return card(
    context,
    'How good the data is',
    {},
    el('dl', { class: 'tiles spaced' }, ...qualityTiles(figures, times)),
    el('p', { class: 'hint' }, judgement(figures, times)),
  );
}

/** Stretches, data quality and directions, which every page of one thing ends with. */
export function detailCards(context: ViewContext, figures: Detail): HTMLElement {
  return el(
    'div',
    { class: 'pair' },
    el('div', { class: 'view' }, boutsCard(context, figures), qualityCard(context, figures)),
    directionsCard(context, figures),
  );
}

/** What is shown where there is no data. */
export function emptyCard(title: string, text: string, ...more: readonly Child[]): HTMLElement {
  return el('section', { class: 'card empty' }, el('h2', {}, title), el('p', { class: 'hint' }, text), ...more);
}

/** Tiles that most pages have. */
export function commonTiles(figures: Figures): (readonly [string, string])[] {
  return [
    ['Sessions', figures.sessions.toLocaleString()],
    ['Looks away', counted(figures.unfocusedBouts, 'time')],
    ['Longest focus', duration(figures.longestFocusedBoutMs)],
  ];
}
