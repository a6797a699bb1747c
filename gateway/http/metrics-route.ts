import { createHash, timingSafeEqual } from 'node:crypto';
import type { Hono } from 'hono';
import type { Registry } from 'prom-client';
import { fault } from './faults.ts';

export interface MetricsRouteDependencies {
  readonly metricsRegistry: Registry;
  /** Bearer token of the scraper; null: only the development mode answers. */
  readonly metricsToken: string | null;
  readonly metricsOpen: boolean;
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}

/** Prometheus' page: numbers about the service, none about a person. */
export function mountMetrics(app: Hono, deps: MetricsRouteDependencies): void {
  app.get('/metrics', async (context) => {
    const given = /^Bearer (\S+)$/i.exec(context.req.header('authorization') ?? '')?.[1] ?? '';
    const allowed =
      deps.metricsToken === null ? deps.metricsOpen : timingSafeEqual(digest(given), digest(deps.metricsToken));
    if (!allowed) {
      return context.json(fault('unauthorized', 'set METRICS_TOKEN and send it: Authorization: Bearer …'), 401);
    }
    return context.body(await deps.metricsRegistry.metrics(), 200, {
      'content-type': deps.metricsRegistry.contentType,
    });
  });
}
