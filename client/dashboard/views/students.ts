import { answers } from '../../../shared/report/answers.ts';
import { el } from '../element.ts';
import { counted } from '../labels.ts';
import { card, emptyCard, pageHead } from '../parts/cards.ts';
import { pager } from '../parts/table.ts';
import { studentsTable } from '../parts/tables.ts';
import type { View, ViewContext } from '../view.ts';

const PAGE_SIZE = 50;

/** All students, sorted and searched. */
export async function studentsView(context: ViewContext): Promise<View> {
  const { api, scope, address } = context;
  const { search = '', order = 'name', page = '1' } = address.extra;
  const way = address.extra.way === 'down' ? 'down' : 'up';
  const query = { ...scope, search: search === '' ? null : search, order, way };
  const { rows, page: shown } = await api.get(answers.students, '/api/v1/students', {
    ...query,
    page,
    pageSize: PAGE_SIZE,
  });

  const input = el('input', {
    type: 'search',
    name: 'search',
    id: 'search',
    value: search,
    autocomplete: 'off',
    maxlength: '100',
  });
  const form = el(
    'form',
    { class: 'search', role: 'search' },
    el('label', { for: 'search' }, 'Find a student'),
    input,
    el('button', { type: 'submit', class: 'button small' }, 'Find'),
  );
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    context.go({ extra: { order, way, search: input.value.trim() } });
  });
  const list =
    rows.length === 0
      ? emptyCard(
          search === '' ? 'No students in these days' : `Nobody found for “${search}”`,
          search === ''
            ? 'Choose other days or another class above.'
            : 'Look for a part of the name or for the user id.',
        )
      : card(
          context,
          'Students',
          { note: counted(shown.total, 'student'), csv: { path: '/api/v1/students', query } },
          studentsTable(context, rows, {
            order,
            way,
            by: (newOrder, newWay) => context.go({ extra: { search, order: newOrder, way: newWay } }),
          }),
          pager(shown, (to) => context.go({ extra: { search, order, way, page: String(to) } })),
        );
  return { title: 'Students', content: el('div', { class: 'view' }, pageHead('Students'), form, list) };
}
