import { percent } from '../../page/format.ts';
import { type Child, el } from '../element.ts';

/** A column of a table. */
export interface Column<Row> {
  readonly label: string;
  readonly cell: (row: Row) => Child;
  /** Numbers stand to the right; the first column names its row. */
  readonly kind?: 'text' | 'number';
  /** Sorts by this column: what is called, and which way it is sorted now. */
  readonly sort?: { readonly now: 'up' | 'down' | null; readonly by: (way: 'up' | 'down') => void };
}

function heading<Row>(column: Column<Row>): HTMLTableCellElement {
  const cell = el('th', { scope: 'col', class: column.kind === 'text' ? 'text' : 'number' });
  const { sort } = column;
  if (sort === undefined) {
    cell.append(column.label);
    return cell;
  }
  const arrow = { up: '↑', down: '↓' };
  const button = el('button', { type: 'button', class: 'sort' }, column.label);
  button.append(el('span', { class: 'sort-arrow', 'aria-hidden': 'true' }, sort.now === null ? '' : arrow[sort.now]));
  button.addEventListener('click', () => sort.by(sort.now === 'up' ? 'down' : 'up'));
  if (sort.now !== null) cell.setAttribute('aria-sort', sort.now === 'up' ? 'ascending' : 'descending');
  cell.append(button);
  return cell;
}

/** A table that scrolls by itself where it is too wide. The first column is the heading of each row. */
export function dataTable<Row>(caption: string, columns: readonly Column<Row>[], rows: readonly Row[]): HTMLElement {
  const body = rows.map((row) =>
    el(
      'tr',
      {},
      ...columns.map((column, index) =>
        index === 0
          ? el('th', { scope: 'row', class: 'text' }, column.cell(row))
          : el('td', { class: column.kind === 'text' ? 'text' : 'number' }, column.cell(row)),
      ),
    ),
  );
  const table = el(
    'table',
    { class: 'data' },
    el('caption', { class: 'visually-hidden' }, caption),
    el('thead', {}, el('tr', {}, ...columns.map(heading))),
    el('tbody', {}, ...body),
  );
  return el('div', { class: 'table-scroll', role: 'region', 'aria-label': caption, tabindex: '0' }, table);
}

/** A share as a number with a bar beside it. */
export function shareCell(fraction: number | null): HTMLElement {
  const bar = el('span', { class: fraction === null ? 'share-bar none' : 'share-bar', 'aria-hidden': 'true' });
  const fill = el('span', { class: 'share-fill' });
  fill.style.width = `${(fraction ?? 0) * 100}%`;
  bar.append(fill);
  return el('span', { class: 'share' }, bar, el('span', { class: 'share-text' }, percent(fraction)));
}

/** The same numbers as a chart's, for those who do not see it. */
export function tableInstead(table: HTMLElement): HTMLElement {
  return el('details', { class: 'table-alt' }, el('summary', {}, 'The same as a table'), table);
}

/** Buttons to the pages before and after, with what is shown. */
export function pager(
  page: { readonly page: number; readonly pageSize: number; readonly total: number },
  go: (page: number) => void,
): HTMLElement | null {
  if (page.total <= page.pageSize) return null;
  const last = Math.ceil(page.total / page.pageSize);
  const button = (label: string, to: number) => {
    const element = el('button', { type: 'button', class: 'button small' }, label);
    element.disabled = to < 1 || to > last;
    element.addEventListener('click', () => go(to));
    return element;
  };
  const first = (page.page - 1) * page.pageSize + 1;
  const until = Math.min(page.total, page.page * page.pageSize);
  return el(
    'nav',
    { class: 'pager', 'aria-label': 'Pages' },
    button('Previous', page.page - 1),
    el('span', { class: 'hint' }, `${first}–${until} of ${page.total}`),
    button('Next', page.page + 1),
  );
}
