import { answers } from '../../../shared/report/answers.ts';
import { mintReaderToken } from '../../auth/reader.ts';
import { idParameter } from './parameters.ts';
import { type ApiRoute, defineRoute } from './route.ts';

/** Who the reader is and of whom they may read, and how they read for longer than a ticket lasts. */
export const readerRoutes: readonly ApiRoute[] = [
  defineRoute({
    path: '/api/v1/me',
    summary: 'Who the ticket says is asking',
    students: 'none',
    readers: 'own',
    params: {},
    query: {},
    response: answers.me,
    groups: true,
    async handle(deps, { reader, reach }) {
      const names = await deps.reports.names({ users: [reader.userId], modules: [], sections: [] });
      const utcOffsetMs = await deps.reports.utcOffsetMs(deps.now());
      return {
        userId: reader.userId,
        role: reader.role,
        reads: {
          kind: reach.kind,
          classes: reach.kind === 'named' ? [...reach.classes] : [],
          modules: reach.kind === 'named' ? [...reach.moduleIds] : [],
          minGroup: reach.kind === 'groups' ? reach.minGroup : null,
        },
        name: names.students.get(reader.userId)?.name ?? null,
        utcOffsetMs,
      };
    },
  }),
  defineRoute({
    method: 'post',
    path: '/api/v1/reader-token',
    summary: 'A token that reads reports for an hour, for a ticket that lasts minutes',
    students: 'none',
    readers: 'ticket',
    groups: true,
    params: {},
    query: {},
    response: answers.token,
    handle: async (deps, { reader }) => mintReaderToken(reader, deps.secret, deps.now(), deps.newId()),
  }),
  defineRoute({
    method: 'delete',
    path: '/api/v1/readers/{userId}/tokens',
    summary: 'Revokes all that one reader holds now',
    description:
      'Tickets and tokens issued until now read no more reports, on all gateways within two seconds. Stop the platform from giving this reader tickets first. A gateway without NATS_URL remembers it in memory: after a restart ask again. Changing RELAY_JWT_SECRET revokes those of all.',
    students: 'none',
    readers: 'admin',
    params: { userId: idParameter },
    query: {},
    response: answers.revoked,
    async handle(deps, { reader, params: { userId } }) {
      const atMs = Math.floor(deps.now());
      await deps.revoked.revoke(userId, atMs);
      deps.logger.info({ readerId: reader.userId, userId }, 'tokens of a reader revoked');
      return { userId, atMs };
    },
  }),
];
