import { serveStatic } from '@hono/node-server/serve-static';
import type { Hono } from 'hono';
import { etag } from 'hono/etag';

/** The built pages and scripts, precompressed. Stands after every other route. */
export function mountPages(app: Hono, clientDir: string): void {
  // Names hold their contents' hash: a browser asks for them once.
  app.use('/device/*', async (context, next) => {
    await next();
    if (context.res.ok) context.header('cache-control', 'public, max-age=31536000, immutable');
    // Pages of other origins may know what the models took of the student's data.
    context.header('timing-allow-origin', '*');
  });
  app.use('/device/*', serveStatic({ root: clientDir, precompressed: true }));
  // Names are stable (pages of the school link to them), so browsers ask again, and mostly hear 304.
  app.use('/*', etag(), async (context, next) => {
    await next();
    if (context.res.ok) context.header('cache-control', 'public, max-age=300, must-revalidate');
  });
  // Where the report of one session was before the dashboard had it: links to it stay good.
  app.get('/report.html', (context) => {
    const { session, ...query } = context.req.query();
    const page = `reports?${new URLSearchParams({ role: 'student', ...query })}`;
    return context.redirect(session === undefined ? page : `${page}#/sessions/${encodeURIComponent(session)}`, 308);
  });
  app.get('/reports/', (context) => context.redirect('../reports', 308));
  app.get('/reports', serveStatic({ root: clientDir, path: 'reports.html', precompressed: true }));
  app.use('/*', serveStatic({ root: clientDir, precompressed: true }));
}
