import { type ErrorHandler, Hono, type NotFoundHandler } from 'hono';
import { cors } from 'hono/cors';
import { secureHeaders } from 'hono/secure-headers';
import { describeError, RelayError } from '../../shared/errors.ts';
import type { ApiDependencies } from './api/route.ts';
import { mountDevelopment } from './development.ts';
import { fault, HttpFault } from './faults.ts';
import { type HealthDependencies, mountHealth } from './health.ts';
import { type MetricsRouteDependencies, mountMetrics } from './metrics-route.ts';
import { isAllowedHost, isAllowedOrigin } from './origins.ts';
import { mountPages } from './pages.ts';
import { mountPosts, type PostRouteDependencies } from './post-route.ts';
import { StreamGuard } from './stream-guard.ts';
import { mountStream } from './stream-route.ts';

export interface AppDependencies
  extends ApiDependencies,
    HealthDependencies,
    MetricsRouteDependencies,
    PostRouteDependencies {
  readonly clientDir: string;
}

/** What gateway/auth/reader.ts refuses, and the status that says so. */
const READER_FAULTS: Readonly<Record<string, 401 | 403>> = {
  unauthorized: 401,
  ticket_spent: 401,
  scope_missing: 403,
  role_not_allowed: 403,
  student_not_allowed: 403,
  details_not_allowed: 403,
};

/** The gateway as a value: routes without a socket of their own. */
export function createApp(deps: AppDependencies): Hono {
  const app = new Hono();
  const { origins, logger } = deps;
  const notFound: NotFoundHandler = (context) => context.json(fault('not_found', 'nothing is here'), 404);
  const failed: ErrorHandler = (error, context) => {
    if (error instanceof HttpFault) return context.json(fault(error.code, error.message), error.status);
    const status = error instanceof RelayError ? READER_FAULTS[error.code] : undefined;
    if (error instanceof RelayError && status !== undefined) {
      return context.json(fault(error.code, error.message), status);
    }
    const code = error instanceof RelayError ? error.code : 'internal';
    const known = code === 'store_unreachable';
    if (code.startsWith('nats_')) {
      logger.error({ code, reason: describeError(error) }, 'request failed');
      return context.json(fault(code, 'NATS is unavailable; what was counted waits and is not lost'), 503);
    }
    if (code === 'store_query_failed') {
      logger.error({ code, reason: describeError(error) }, 'the database refuses a question');
      return context.json(fault(code, 'the database answers and refuses this question; the log says why'), 500);
    }
    logger.error({ code: known ? code : 'internal', reason: describeError(error) }, 'request failed');
    return known
      ? context.json(
          fault('store_unreachable', 'the database is unavailable; what was counted waits and is not lost'),
          503,
        )
      : context.json(fault('internal', 'the gateway failed on this request'), 500);
  };

  app.use(async (context, next) => {
    if (!isAllowedHost(origins, context.req.header('host'))) {
      return context.json(fault('host_not_allowed', 'the development gateway answers on loopback names only'), 403);
    }
    await next();
  });
  const guard = new StreamGuard(deps);
  // Before the general headers: each of them is sent several times a second to a student on a slow link.
  mountPosts(app, deps, guard);
  // Pages of the school load the client from here. Stands before the general headers, which would say otherwise.
  for (const path of ['/js/*', '/device/*']) {
    app.use(path, async (context, next) => {
      await next();
      context.header('cross-origin-resource-policy', 'cross-origin');
      context.header('access-control-allow-origin', '*');
      // Tickets and modules go over a connection without cookies: it is opened while the script is on its way.
      if (path === '/js/*') context.header('link', '</>; rel=preconnect; crossorigin');
    });
  }
  app.use(
    secureHeaders({
      contentSecurityPolicy: {
        defaultSrc: ["'self'"],
        // Device mode runs the models in WebAssembly.
        scriptSrc: ["'self'", "'wasm-unsafe-eval'"],
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
    allowMethods: ['GET', 'POST', 'DELETE'],
  });
  app.use('/api/v1/*', crossOrigin);
  app.use('/dev/*', crossOrigin);

  mountHealth(app, deps);
  mountMetrics(app, deps);
  mountStream(app, deps, guard);
  mountDevelopment(app, deps);
  // Teachers wait for it once; a gateway that wakes for a student does not.
  let api: Promise<Hono> | null = null;
  const loadApi = async (): Promise<Hono> => {
    const { createApi } = await import('./api/mount.ts');
    const loaded = createApi(deps);
    loaded.notFound(notFound);
    loaded.onError(failed);
    return loaded;
  };
  app.all('/api/v1/*', async (context) => {
    api ??= loadApi();
    return (await api).fetch(context.req.raw, context.env);
  });
  mountPages(app, deps.clientDir);

  app.notFound(notFound);
  app.onError(failed);
  return app;
}
