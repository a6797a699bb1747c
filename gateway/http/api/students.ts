import * as z from 'zod';
import { answers, STUDENT_ORDERS } from '../../../shared/report/answers.ts';
import type { StudentRow } from '../../../shared/report/rows.ts';
import { studentFor } from '../../auth/reader.ts';
import { columnsOf } from '../csv.ts';
import { HttpFault } from '../faults.ts';
import { DETAIL_COLUMNS, FIGURE_COLUMNS, timeField } from './columns.ts';
import { classParameter, idParameter, pageParameters, rangeOf, rangeParameters, sliceOf } from './parameters.ts';
import { type ApiRoute, defineRoute } from './route.ts';

type StudentAnswer = z.output<typeof answers.student>['student'];

/** Reports on students. */
export const studentRoutes: readonly ApiRoute[] = [
  defineRoute({
    path: '/api/v1/students',
    summary: 'Students with sessions in the range',
    readers: 'staff',
    params: {},
    query: {
      ...rangeParameters,
      ...classParameter,
      moduleId: idParameter.optional().describe('one module'),
      search: z.string().max(100).optional().describe('part of the name, or a user id'),
      order: z.enum(STUDENT_ORDERS).default('name'),
      way: z.enum(['up', 'down']).default('up'),
      ...pageParameters,
    },
    response: answers.students,
    csv: {
      columns: [
        ...columnsOf<StudentRow>({
          user_id: (row) => row.userId,
          name: (row) => row.name,
          class: (row) => row.className,
          last_seen_utc: (row) => timeField(row.lastSeenAtMs),
        }),
        ...FIGURE_COLUMNS,
      ],
      rows: (result) => result.rows,
      name: ({ result }) => `students-${result.range.from}-to-${result.range.to}`,
    },
    students: ({ result }) => result.rows.map(({ userId }) => userId),
    async handle(deps, { reach, query, everything }) {
      const range = await rangeOf(deps, query);
      const slice = sliceOf(query, everything);
      const { rows, total } = await deps.reports.students(
        { reach, range, moduleId: query.moduleId, className: query.class },
        { ...slice, search: query.search, order: query.order, descending: query.way === 'down' },
      );
      return { range, page: { page: query.page, pageSize: query.pageSize, total }, rows: [...rows] };
    },
  }),
  defineRoute({
    path: '/api/v1/students/{userId}',
    summary: 'One student',
    readers: 'own',
    params: { userId: idParameter },
    query: rangeParameters,
    response: answers.student,
    csv: {
      columns: [
        ...columnsOf<StudentAnswer>({
          user_id: (row) => row.userId,
          name: (row) => row.name,
          class: (row) => row.className,
        }),
        ...DETAIL_COLUMNS,
      ],
      rows: (result) => [result.student],
      name: ({ result }) => `student-${result.student.userId}`,
    },
    students: ({ result }) => [result.student.userId],
    async handle(deps, { reader, reach, params, query }) {
      const userId = studentFor(reader, params.userId) ?? params.userId;
      const range = await rangeOf(deps, query);
      const detail = await deps.reports.detail({ reach, range, userId });
      const names = await deps.reports.names({ users: [userId], modules: [], sections: [] });
      const person = names.students.get(userId);
      // A student outside the scope gets the same answer as one who does not exist.
      const isKnown =
        person !== undefined &&
        (reach.kind !== 'named' || (person.className !== null && reach.classes.includes(person.className)));
      if (!isKnown && detail.students === 0) {
        throw new HttpFault(404, 'student_unknown', 'no such student, or no session of theirs in the range');
      }
      return {
        range,
        student: { userId, name: person?.name ?? null, className: person?.className ?? null, ...detail },
      };
    },
  }),
];
