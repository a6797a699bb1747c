import { Hono } from 'hono';
import { READER_TOKEN_LIFETIME_S } from '../../auth/reader.ts';
import { RevokedReaders } from '../../auth/revoked-readers.ts';
import { fault } from '../faults.ts';
import { createAudit } from './audit.ts';
import { liveRoutes } from './live.ts';
import { moduleRoutes } from './modules.ts';
import { openApiDocument } from './openapi.ts';
import { overviewRoutes } from './overview.ts';
import { privacyRoutes } from './privacy.ts';
import { ReaderLimits } from './reader-limits.ts';
import { readerRoutes } from './readers.ts';
import type { ApiDependencies, ApiRoute } from './route.ts';
import { sessionRoutes } from './sessions.ts';
import { studentRoutes } from './students.ts';

/** Every route of the reports' API. */
export const API_ROUTES: readonly ApiRoute[] = [
  ...overviewRoutes,
  ...studentRoutes,
  ...moduleRoutes,
  ...sessionRoutes,
  ...liveRoutes,
  ...readerRoutes,
  ...privacyRoutes,
];

/** The API and its OpenAPI document as an app of their own; paths begin with `/api/v1`. */
export function createApi(given: ApiDependencies): Hono {
  const api = new Hono();
  const deps = {
    ...given,
    revoked: given.revoked ?? new RevokedReaders(READER_TOKEN_LIFETIME_S * 1000),
    limits: new ReaderLimits(() => performance.now()),
  };
  const audit = createAudit(deps);
  const document = openApiDocument(API_ROUTES);
  api.get('/api/v1/openapi.json', (context) => context.json(document));
  const methods = new Map<string, string[]>();
  for (const route of API_ROUTES) {
    const path = route.path.replace(/\{(\w+)\}/g, ':$1');
    const method = route.method.toUpperCase();
    api.on(method, path, (context) => route.answer(deps, audit, context));
    methods.set(path, [...(methods.get(path) ?? []), method]);
  }
  for (const [path, allowed] of methods) {
    api.all(path, (context) =>
      context.json(fault('method_not_allowed', `this address takes ${allowed.join(', ')}`), 405, {
        allow: allowed.join(', '),
      }),
    );
  }
  return api;
}
