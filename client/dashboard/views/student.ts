import { answers } from '../../../shared/report/answers.ts';
import { duration } from '../../page/format.ts';
import { el } from '../element.ts';
import { className, studentName } from '../labels.ts';
import { card, commonTiles, detailCards, emptyCard, pageHead, summaryCard } from '../parts/cards.ts';
import { daysCards } from '../parts/days.ts';
import { pager } from '../parts/table.ts';
import { modulesTable, sessionsTable } from '../parts/tables.ts';
import type { View, ViewContext } from '../view.ts';

const PAGE_SIZE = 20;

/** One student. */
export async function studentView(context: ViewContext, userId: number): Promise<View> {
  const { api } = context;
  const { class: _class, ...range } = context.scope;
  const query = { ...range, userId };
  const path = `/api/v1/students/${userId}`;
  const [{ student, range: shown }, days, modules, sessions] = await Promise.all([
    api.get(answers.student, path, range),
    api.get(answers.days, '/api/v1/days', query),
    api.get(answers.modules, '/api/v1/modules', query),
    api.get(answers.sessions, '/api/v1/sessions', {
      ...query,
      page: context.address.extra.page ?? 1,
      pageSize: PAGE_SIZE,
    }),
  ]);
  const title = studentName(student);
  const staff = context.reader.role !== 'student';
  const head = pageHead(title, {
    above: staff ? [['Students', context.link({ page: 'students' })]] : [],
    meta: [className(student.className), `user ${userId}`].join(' · '),
  });
  if (student.students === 0) {
    const empty = emptyCard('No sessions in these days', 'Choose other days above.');
    return { title, content: el('div', { class: 'view' }, head, empty) };
  }
  const tiles = [...commonTiles(student), ['Median focus', duration(student.medianFocusedBoutMs)] as const];
  const content = el(
    'div',
    { class: 'view' },
    head,
    summaryCard(context, student, tiles, { path, query: range }),
    ...daysCards(context, shown, days.rows, { path: '/api/v1/days', query }),
    card(
      context,
      'Modules',
      { csv: { path: '/api/v1/modules', query } },
      modulesTable(context, modules.rows, { linked: staff, students: false }),
    ),
    card(
      context,
      'Sessions',
      { note: 'the newest first', csv: { path: '/api/v1/sessions', query } },
      sessionsTable(context, sessions.rows, false),
      pager(sessions.page, (page) => context.go({ extra: { page: String(page) } })),
    ),
    detailCards(context, student),
  );
  return { title, content };
}
