import { answers } from '../../../shared/report/answers.ts';
import { duration } from '../../page/format.ts';
import { el } from '../element.ts';
import { counted, groupsNote, moduleName } from '../labels.ts';
import { card, commonTiles, detailCards, emptyCard, pageHead, summaryCard } from '../parts/cards.ts';
import { daysCards } from '../parts/days.ts';
import { modulesTable, sectionsTable, studentsTable } from '../parts/tables.ts';
import type { View, ViewContext } from '../view.ts';

const FEW = 10;

/** All modules. */
export async function modulesView(context: ViewContext): Promise<View> {
  const query = context.reader.reads.kind === 'groups' ? { ...context.scope, class: null } : context.scope;
  const { rows } = await context.api.get(answers.modules, '/api/v1/modules', query);
  const content =
    rows.length === 0
      ? emptyCard('No sessions in these days', 'Choose other days or another class above.')
      : card(
          context,
          'Modules',
          { note: counted(rows.length, 'module'), csv: { path: '/api/v1/modules', query } },
          modulesTable(context, rows),
        );
  return { title: 'Modules', content: el('div', { class: 'view' }, pageHead('Modules'), content) };
}

/** One module by a teacher who may see figures of groups alone. */
async function groupsModuleView(context: ViewContext, moduleId: number): Promise<View> {
  const { api } = context;
  const query = { ...context.scope, class: null };
  const path = `/api/v1/modules/${moduleId}`;
  const ofModule = { ...query, moduleId };
  const [{ module, range }, days] = await Promise.all([
    api.get(answers.module, path, query),
    api.get(answers.days, '/api/v1/days', ofModule),
  ]);
  const title = moduleName(module.title, moduleId);
  const above = [['Modules', context.link({ page: 'modules' })]] as const;
  const head = pageHead(title, { above, meta: groupsNote(context.reader) });
  const shown =
    module.students === 0
      ? [emptyCard('No groups in these days', 'Choose other days above. The present day is not shown.')]
      : [
          summaryCard(context, module, commonTiles(module), { path, query }),
          ...daysCards(context, range, days.rows, { path: '/api/v1/days', query: ofModule }),
        ];
  return { title, content: el('div', { class: 'view' }, head, ...shown) };
}

/** One module with its lesson sections. */
export async function moduleView(context: ViewContext, moduleId: number): Promise<View> {
  if (context.reader.reads.kind === 'groups') return groupsModuleView(context, moduleId);
  const { api, scope } = context;
  const path = `/api/v1/modules/${moduleId}`;
  const ofModule = { ...scope, moduleId };
  const [{ module, range }, sections, days, students] = await Promise.all([
    api.get(answers.module, path, scope),
    api.get(answers.sections, `${path}/sections`, scope),
    api.get(answers.days, '/api/v1/days', ofModule),
    api.get(answers.students, '/api/v1/students', { ...ofModule, order: 'focusShare', pageSize: FEW }),
  ]);
  const title = moduleName(module.title, moduleId);
  const head = pageHead(title, {
    above: [['Modules', context.link({ page: 'modules' })]],
    meta: `${counted(module.students, 'student')} in ${counted(module.sessions, 'session')}`,
  });
  if (module.students === 0) {
    const empty = emptyCard('No sessions in these days', 'Choose other days or another class above.');
    return { title, content: el('div', { class: 'view' }, head, empty) };
  }
  const tiles = [...commonTiles(module), ['Median focus', duration(module.medianFocusedBoutMs)] as const];
  const content = el(
    'div',
    { class: 'view' },
    head,
    summaryCard(context, module, tiles, { path, query: scope }),
    card(
      context,
      'Lesson sections',
      { note: 'open one to see where students look away', csv: { path: `${path}/sections`, query: scope } },
      sectionsTable(context, moduleId, sections.rows),
    ),
    ...daysCards(context, range, days.rows, { path: '/api/v1/days', query: ofModule }),
    card(
      context,
      'Least focused students',
      { note: 'in this module', csv: { path: '/api/v1/students', query: { ...ofModule, order: 'focusShare' } } },
      studentsTable(context, students.rows),
    ),
    detailCards(context, module),
  );
  return { title, content };
}
