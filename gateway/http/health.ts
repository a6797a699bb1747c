import type { Hono } from 'hono';
import type { OriginPolicy } from './origins.ts';

export interface HealthDependencies {
  readonly origins: OriginPolicy;
  /** Reasons why no session should come here now; empty when ready. */
  readonly unreadyReasons: () => readonly string[];
  readonly status: () => Readonly<Record<string, unknown>>;
}

/** Probes: alive, as the platform asks for it, and ready for more sessions. */
export function mountHealth(app: Hono, deps: HealthDependencies): void {
  app.get('/healthz', (context) => context.json({ status: 'ok' }));
  app.get('/api/health', (context) =>
    context.json({ status: 'healthy', service: 'gaze-relay', development: deps.origins.development }),
  );
  app.get('/readyz', (context) => {
    const reasons = deps.unreadyReasons();
    return context.json({ ready: reasons.length === 0, reasons, ...deps.status() }, reasons.length === 0 ? 200 : 503);
  });
}
