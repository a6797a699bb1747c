import type { Hono } from 'hono';
import * as z from 'zod';
import { mintTicket, REPORTS_SCOPE, ROLES } from '../auth/ticket.ts';
import type { Secret } from '../auth/tokens.ts';
import { fault } from './faults.ts';
import type { OriginPolicy } from './origins.ts';

const id = z.coerce.number().int().min(1).max(2_147_483_647).default(1);
const ticketQuery = z.object({ userId: id, moduleId: id, role: z.enum(ROLES).default('student') });

/** Tickets without a check: only on a development gateway, which only loopback can reach. */
export function mountDevelopment(
  app: Hono,
  deps: {
    readonly origins: OriginPolicy;
    readonly secret: Secret;
    readonly now: () => number;
    readonly newId: () => string;
  },
): void {
  app.get('/dev/ticket', async (context) => {
    if (!deps.origins.development)
      return context.json(fault('not_found', 'tickets come from the school, not from here'), 404);
    const query = ticketQuery.safeParse(context.req.query());
    if (!query.success) {
      const message = `userId and moduleId are positive whole numbers, role is one of ${ROLES.join(', ')}`;
      return context.json(fault('ids_invalid', message), 400);
    }
    const ticket = mintTicket(
      { ...query.data, scope: REPORTS_SCOPE, teaching: 'all' as const },
      deps.secret,
      new Date(deps.now()),
      deps.newId(),
    );
    context.header('cache-control', 'no-store');
    return context.json({ ticket });
  });
}
