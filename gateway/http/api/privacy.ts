import { answers } from '../../../shared/report/answers.ts';
import { studentFor } from '../../auth/reader.ts';
import { HttpFault } from '../faults.ts';
import { idParameter } from './parameters.ts';
import { type ApiRoute, defineRoute } from './route.ts';

/** What a student, or the school for them, may ask about their data. */
export const privacyRoutes: readonly ApiRoute[] = [
  defineRoute({
    path: '/api/v1/students/{userId}/data',
    // Writes an audit line of its own.
    students: 'none',
    summary: 'All that is stored of one student',
    description: 'Table by table, each row with its columns as they are; who has read their reports is in it too.',
    readers: 'subject',
    params: { userId: idParameter },
    query: {},
    response: answers.studentData,
    async handle(deps, { reader, params }) {
      const userId = studentFor(reader, params.userId) ?? params.userId;
      deps.limits.countExport(reader.userId, userId);
      const { tables, ...rest } = await deps.privacy.exportStudent(userId, reader);
      return {
        ...rest,
        tables: Object.fromEntries(
          Object.entries(tables).map(([name, rows]) => [name, rows.map((row) => ({ ...row }))]),
        ),
      };
    },
  }),
  defineRoute({
    method: 'delete',
    path: '/api/v1/students/{userId}/data',
    // Writes an audit line of its own.
    students: 'none',
    summary: 'Deletes all that is stored of one student',
    description:
      "Our rows in the platform's tables included; what remains is one line in the audit log. It cannot be undone. The student must not be connected.",
    readers: 'admin',
    params: { userId: idParameter },
    query: {},
    response: answers.studentDeleted,
    async handle(deps, { reader, params }) {
      const deleted = await deps.privacy.deleteStudent(params.userId, reader);
      if (deleted === 'connected') {
        throw new HttpFault(
          409,
          'student_connected',
          'the student is connected now; ask again when their lesson page is closed',
        );
      }
      return { userId: params.userId, deleted: { ...deleted } };
    },
  }),
];
