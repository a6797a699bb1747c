import type { ModuleRow, SectionRow, SessionRow, StudentRow } from '../../../shared/report/rows.ts';
import { duration } from '../../page/format.ts';
import { el } from '../element.ts';
import { className, moduleName, momentText, SUSPECT_WORDS, sectionName, studentName } from '../labels.ts';
import type { ViewContext } from '../view.ts';
import { type Column, dataTable, shareCell } from './table.ts';

/** Columns that every table of figures has. */
function figureColumns<Row extends StudentRow | ModuleRow | SectionRow>(): Column<Row>[] {
  return [
    { label: 'Focus', cell: (row) => shareCell(row.focusShare) },
    { label: 'Tracked', cell: (row) => duration(row.trackedMs) },
    { label: 'Looks away', cell: (row) => row.unfocusedBouts.toLocaleString() },
    { label: 'Longest focus', cell: (row) => duration(row.longestFocusedBoutMs) },
    { label: 'Sessions', cell: (row) => row.sessions.toLocaleString() },
  ];
}

export function modulesTable(
  context: ViewContext,
  rows: readonly ModuleRow[],
  options = { linked: true, students: true },
): HTMLElement {
  return dataTable<ModuleRow>(
    'Modules',
    [
      {
        label: 'Module',
        kind: 'text',
        cell: (row) =>
          options.linked
            ? el(
                'a',
                { href: context.link({ page: 'module', moduleId: row.moduleId }) },
                moduleName(row.title, row.moduleId),
              )
            : moduleName(row.title, row.moduleId),
      },
      ...figureColumns<ModuleRow>(),
      ...(options.students ? [{ label: 'Students', cell: (row: ModuleRow) => row.students.toLocaleString() }] : []),
    ],
    rows,
  );
}

export function sectionsTable(context: ViewContext, moduleId: number, rows: readonly SectionRow[]): HTMLElement {
  return dataTable<SectionRow>(
    'Lesson sections',
    [
      {
        label: 'Lesson section',
        kind: 'text',
        cell: (row) =>
          el(
            'a',
            { href: context.link({ page: 'section', moduleId, sectionId: row.sectionId ?? 'none' }) },
            sectionName(row.title, row.sectionId),
          ),
      },
      // A session begins in one section and goes through many.
      ...figureColumns<SectionRow>().filter(({ label }) => label !== 'Sessions'),
      { label: 'Students', cell: (row) => row.students.toLocaleString() },
    ],
    rows,
  );
}

/** Students; with `sort`, by whatever heading is pressed. */
export function studentsTable(
  context: ViewContext,
  rows: readonly StudentRow[],
  sort?: {
    readonly order: string;
    readonly way: 'up' | 'down';
    readonly by: (order: string, way: 'up' | 'down') => void;
  },
): HTMLElement {
  const sorted = (order: string): Pick<Column<StudentRow>, 'sort'> =>
    sort === undefined
      ? {}
      : { sort: { now: sort.order === order ? sort.way : null, by: (way) => sort.by(order, way) } };
  const [focus, tracked, away, longest, sessions] = figureColumns<StudentRow>();
  const columns: (Column<StudentRow> | undefined)[] = [
    {
      label: 'Student',
      kind: 'text',
      cell: (row) => el('a', { href: context.link({ page: 'student', userId: row.userId }) }, studentName(row)),
      ...sorted('name'),
    },
    { label: 'Class', kind: 'text', cell: (row) => className(row.className), ...sorted('className') },
    focus && { ...focus, ...sorted('focusShare') },
    tracked && { ...tracked, ...sorted('trackedMs') },
    away,
    longest,
    sessions && { ...sessions, ...sorted('sessions') },
    { label: 'Last seen', cell: (row) => momentText(row.lastSeenAtMs, context.timeZone), ...sorted('lastSeenAtMs') },
  ];
  return dataTable<StudentRow>(
    'Students',
    columns.filter((column) => column !== undefined),
    rows,
  );
}

export function sessionsTable(context: ViewContext, rows: readonly SessionRow[], withStudent: boolean): HTMLElement {
  const columns: Column<SessionRow>[] = [
    {
      label: 'Started',
      kind: 'text',
      cell: (row) =>
        el(
          'a',
          { href: context.link({ page: 'session', sessionId: row.sessionId }) },
          momentText(row.startedAtMs, context.timeZone),
        ),
    },
    ...(withStudent ? [{ label: 'Student', kind: 'text' as const, cell: (row: SessionRow) => studentName(row) }] : []),
    { label: 'Module', kind: 'text', cell: (row) => moduleName(row.moduleTitle, row.moduleId) },
    { label: 'Focus', cell: (row) => shareCell(row.focusShare) },
    { label: 'Tracked', cell: (row) => duration(row.trackedMs) },
    { label: 'Not tracked', cell: (row) => duration(row.untrackedMs) },
    { label: 'Looks away', cell: (row) => String(row.unfocusedBouts) },
    { label: 'Longest focus', cell: (row) => duration(row.longestFocusedBoutMs) },
    // Most lists have neither: then the columns would say nothing.
    ...(rows.some(({ lateMs }) => lateMs > 0)
      ? [{ label: 'Sent late', cell: (row: SessionRow) => duration(row.lateMs) }]
      : []),
    ...(rows.some(({ suspect }) => suspect !== null)
      ? [
          {
            label: 'Implausible',
            kind: 'text' as const,
            cell: (row: SessionRow) => (row.suspect === null ? '' : SUSPECT_WORDS[row.suspect]),
          },
        ]
      : []),
  ];
  return dataTable('Sessions', columns, rows);
}
