import type { Hono } from 'hono';
import { liveRoutes } from './live.ts';
import { moduleRoutes } from './modules.ts';
import { openApiDocument } from './openapi.ts';
import { overviewRoutes } from './overview.ts';
import { privacyRoutes } from './privacy.ts';
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

/** Puts the API and its OpenAPI document on the app. */
export function mountApi(app: Hono, use: ApiDependencies): void {
  const document = openApiDocument(API_ROUTES);
  app.get('/api/v1/openapi.json', (context) => context.json(document));
  for (const route of API_ROUTES) {
    app.on(route.method.toUpperCase(), route.path.replace(/\{(\w+)\}/g, ':$1'), (context) =>
      route.answer(use, context),
    );
  }
}
