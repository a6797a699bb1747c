import { upgradeWebSocket } from '@hono/node-server';
import { serveStatic } from '@hono/node-server/serve-static';
import { Hono } from 'hono';
import { cors } from 'hono/cors';
import { etag } from 'hono/etag';
import { secureHeaders } from 'hono/secure-headers';
import type { WSContext } from 'hono/ws';
import type { WebSocket } from 'ws';
import { z } from 'zod';
import { describeError, RelayError } from '../../shared/errors.ts';
import { CLOSE } from '../../shared/protocol/errors.ts';
import { STREAM_PATH, SUBPROTOCOL } from '../../shared/protocol/version.ts';
import { type Identity, mintTicket, verifyTicket } from '../auth/ticket.ts';
import type { Logger } from '../logger.ts';
import type { Stream } from '../session/stream.ts';
import type { SessionReport } from '../store/port.ts';
import { isAllowedHost, isAllowedOrigin, type OriginPolicy } from './origins.ts';

export interface AppDependencies {
  readonly origins: OriginPolicy;
  readonly secret: string;
  readonly now: () => number;
  readonly newId: () => string;
  readonly clientDir: string;
  readonly logger: Logger;
  readonly openStream: (socket: WebSocket) => Stream;
  readonly closeStream: (stream: Stream) => void;
  readonly findReport: (sessionId: string) => Promise<SessionReport | null>;
  /** Reasons why no session should come here now; empty when ready. */
  readonly unreadyReasons: () => readonly string[];
  readonly status: () => Readonly<Record<string, unknown>>;
}

const ticketQuery = z.object({
  userId: z.coerce.number().int().min(1).max(2_147_483_647).default(1),
  moduleId: z.coerce.number().int().min(1).max(2_147_483_647).default(1),
});

/** Body of every error answer. */
function fault(code: string, message: string) {
  return { error: { code, message } };
}

/** The gateway as a value: routes without a socket of their own. */
export function createApp(use: AppDependencies): Hono {
  const app = new Hono();
  const { origins, logger } = use;

  app.use(async (context, next) => {
    if (!isAllowedHost(origins, context.req.header('host'))) {
      return context.json(fault('host_not_allowed', 'the development gateway answers on loopback names only'), 403);
    }
    await next();
  });
  // Pages of the school load the client from here. Stands before the general headers, which would say otherwise.
  app.use('/js/*', async (context, next) => {
    await next();
    context.header('cross-origin-resource-policy', 'cross-origin');
    context.header('access-control-allow-origin', '*');
  });
  app.use(
    secureHeaders({
      contentSecurityPolicy: {
        defaultSrc: ["'self'"],
        connectSrc: ["'self'", 'ws:', 'wss:'],
        imgSrc: ["'self'", 'data:', 'blob:'],
        mediaSrc: ["'self'", 'blob:'],
        workerSrc: ["'self'", 'blob:'],
        objectSrc: ["'none'"],
        frameAncestors: ["'self'"],
      },
      crossOriginOpenerPolicy: 'same-origin',
      referrerPolicy: 'strict-origin-when-cross-origin',
      strictTransportSecurity: false,
    }),
  );
  const crossOrigin = cors({
    origin: (origin) => (isAllowedOrigin(origins, origin) ? origin : null),
    allowHeaders: ['authorization'],
    allowMethods: ['GET'],
  });
  app.use('/api/v1/*', crossOrigin);
  app.use('/dev/*', crossOrigin);
  app.get('/healthz', (context) => context.json({ status: 'ok' }));
  app.get('/api/health', (context) => context.json({ status: 'healthy', service: 'gaze-relay' }));
  app.get('/readyz', (context) => {
    const reasons = use.unreadyReasons();
    return context.json({ ready: reasons.length === 0, reasons, ...use.status() }, reasons.length === 0 ? 200 : 503);
  });

  app.get(
    STREAM_PATH,
    async (context, next) => {
      const origin = context.req.header('origin');
      if (origin !== undefined && !isAllowedOrigin(origins, origin)) {
        logger.warn(
          { code: 'origin_not_allowed', origin: origin.slice(0, 200) },
          'connection refused; add the origin to ALLOWED_ORIGINS',
        );
        return context.json(fault('origin_not_allowed', 'this origin is not in ALLOWED_ORIGINS'), 403);
      }
      if (context.req.header('upgrade')?.toLowerCase() !== 'websocket') {
        return context.json(fault('upgrade_required', `connect a WebSocket with subprotocol ${SUBPROTOCOL}`), 426);
      }
      await next();
    },
    upgradeWebSocket(() => {
      let stream: Stream | null = null;
      return {
        onOpen: (_event, socket: WSContext) => {
          const raw = socket.raw as WebSocket;
          if (raw.protocol !== SUBPROTOCOL) {
            raw.close(CLOSE.protocolViolation, 'subprotocol_missing');
            return;
          }
          stream = use.openStream(raw);
        },
        onMessage: (event) => {
          if (stream === null) return;
          if (typeof event.data === 'string') stream.receiveText(event.data);
          else stream.receiveBinary(new Uint8Array(event.data as ArrayBuffer));
        },
        onClose: () => {
          if (stream !== null) use.closeStream(stream);
        },
        onError: (event) => logger.debug({ reason: String(event.type) }, 'socket error'),
      };
    }),
  );

  app.get('/dev/ticket', async (context) => {
    if (!origins.development)
      return context.json(fault('not_found', 'tickets come from the school, not from here'), 404);
    const query = ticketQuery.safeParse(context.req.query());
    if (!query.success)
      return context.json(fault('ids_invalid', 'userId and moduleId are positive whole numbers'), 400);
    const ticket = await mintTicket({ ...query.data, role: 'student' }, use.secret, new Date(use.now()), use.newId());
    return context.json({ ticket });
  });

  app.get('/api/v1/sessions/:id', async (context) => {
    const sessionId = context.req.param('id');
    if (!z.uuid().safeParse(sessionId).success) {
      return context.json(fault('session_id_invalid', 'a session id is a UUID'), 400);
    }
    const identity = await identityOf(context.req.header('authorization'), use);
    if (identity === null)
      return context.json(fault('unauthorized', 'a valid ticket is needed: Authorization: Bearer …'), 401);
    const report = await use.findReport(sessionId);
    // Whose session it is stays untold to those who may not see it.
    if (report === null || (identity.role === 'student' && report.userId !== identity.userId)) {
      return context.json(fault('session_unknown', 'no session of that id is stored'), 404);
    }
    context.header('cache-control', 'no-store');
    return context.json({ report });
  });

  // Names are stable (pages of the school link to them), so browsers ask again, and mostly hear 304.
  app.use('/*', etag(), async (context, next) => {
    await next();
    if (context.res.ok) context.header('cache-control', 'public, max-age=300, must-revalidate');
  });
  app.use('/*', serveStatic({ root: use.clientDir, precompressed: true }));
  app.notFound((context) => context.json(fault('not_found', 'nothing is here'), 404));
  app.onError((error, context) => {
    const known = error instanceof RelayError && error.code === 'store_unreachable';
    logger.error({ code: known ? error.code : 'internal', reason: describeError(error) }, 'request failed');
    return known
      ? context.json(fault('store_unreachable', 'the database is away; what was counted waits and is not lost'), 503)
      : context.json(fault('internal', 'the gateway failed on this request'), 500);
  });
  return app;
}

async function identityOf(authorization: string | undefined, use: AppDependencies): Promise<Identity | null> {
  const ticket = /^Bearer (\S+)$/i.exec(authorization ?? '')?.[1];
  if (ticket === undefined) return null;
  return verifyTicket(ticket, use.secret, new Date(use.now())).catch(() => null);
}
