import { answers } from '../../../shared/report/answers.ts';
import type { ClassRow, DayRow, HourRow } from '../../../shared/report/rows.ts';
import { studentFor } from '../../auth/reader.ts';
import { columnsOf } from '../csv.ts';
import { FIGURE_COLUMNS, TOTALS_COLUMNS } from './columns.ts';
import { classParameter, rangeOf, rangeParameters, scopeParameters, studentAsked } from './parameters.ts';
import { type ApiRoute, defineRoute } from './route.ts';

/** Reports on a whole class or school, and over time. */
export const overviewRoutes: readonly ApiRoute[] = [
  defineRoute({
    path: '/api/v1/overview',
    summary: 'The whole class or school',
    students: 'none',
    readers: 'staff',
    params: {},
    query: { ...rangeParameters, ...classParameter },
    response: answers.overview,
    csv: { columns: TOTALS_COLUMNS, rows: (result) => [result.overview], name: () => 'overview' },
    groups: true,
    async handle(deps, { reach, query }) {
      const range = await rangeOf(deps, query);
      return { range, overview: await deps.reports.totals({ reach, range, className: query.class }) };
    },
  }),
  defineRoute({
    path: '/api/v1/days',
    summary: 'Day by day',
    description:
      "Days without any are left out. Time counts on the day, by the database's clocks, on which its metrics window (at most 30 s) began.",
    students: studentAsked,
    readers: 'own',
    params: {},
    query: scopeParameters,
    response: answers.days,
    csv: {
      columns: [...columnsOf<DayRow>({ day: (row) => row.day }), ...FIGURE_COLUMNS],
      rows: (result) => result.rows,
      name: ({ result }) => `days-${result.range.from}-to-${result.range.to}`,
    },
    groups: true,
    async handle(deps, { reader, reach, query }) {
      const range = await rangeOf(deps, query);
      const { moduleId, class: className } = query;
      const userId = studentFor(reader, query.userId);
      return { range, rows: [...(await deps.reports.days({ reach, range, userId, moduleId, className }))] };
    },
  }),
  defineRoute({
    path: '/api/v1/hours',
    summary: "By the hour of day, by the database's clocks",
    students: studentAsked,
    readers: 'own',
    params: {},
    query: scopeParameters,
    response: answers.hours,
    csv: {
      columns: [...columnsOf<HourRow>({ hour: (row) => row.hour }), ...FIGURE_COLUMNS],
      rows: (result) => result.rows,
      name: ({ result }) => `hours-${result.range.from}-to-${result.range.to}`,
    },
    async handle(deps, { reader, reach, query }) {
      const range = await rangeOf(deps, query);
      const { moduleId, class: className } = query;
      const userId = studentFor(reader, query.userId);
      return { range, rows: [...(await deps.reports.hours({ reach, range, userId, moduleId, className }))] };
    },
  }),
  defineRoute({
    path: '/api/v1/classes',
    summary: 'School classes',
    description: "From the platform's users.section; one row without a name where that is not there.",
    students: 'none',
    readers: 'staff',
    params: {},
    query: rangeParameters,
    response: answers.classes,
    csv: {
      columns: [...columnsOf<ClassRow>({ class: (row) => row.className }), ...FIGURE_COLUMNS],
      rows: (result) => result.rows,
      name: ({ result }) => `classes-${result.range.from}-to-${result.range.to}`,
    },
    async handle(deps, { reach, query }) {
      const range = await rangeOf(deps, query);
      return { range, rows: [...(await deps.reports.classes({ reach, range }))] };
    },
  }),
];
