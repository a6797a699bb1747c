import { answers } from '../../../shared/report/answers.ts';
import { mintReaderToken } from '../../auth/reader.ts';
import { type ApiRoute, defineRoute } from './route.ts';

/** Who the reader is, and how they go on reading for longer than a ticket lasts. */
export const readerRoutes: readonly ApiRoute[] = [
  defineRoute({
    path: '/api/v1/me',
    summary: 'Who the ticket says is asking',
    students: 'none',
    readers: 'own',
    params: {},
    query: {},
    response: answers.me,
    async handle(deps, { reader }) {
      const names = await deps.reports.names({ users: [reader.userId], modules: [], sections: [] });
      const utcOffsetMs = await deps.reports.utcOffsetMs(deps.now());
      const { userId, role } = reader;
      return { userId, role, name: names.students.get(reader.userId)?.name ?? null, utcOffsetMs };
    },
  }),
  defineRoute({
    method: 'post',
    path: '/api/v1/reader-token',
    summary: 'A token that reads reports for eight hours, for a ticket that lasts five minutes',
    students: 'none',
    readers: 'ticket',
    params: {},
    query: {},
    response: answers.token,
    handle: async (deps, { reader }) => mintReaderToken(reader, deps.secret, deps.now(), deps.newId()),
  }),
];
