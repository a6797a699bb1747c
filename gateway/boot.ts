import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { pino } from 'pino';
import { requireConfig } from '../shared/config.ts';
import { describeError, RelayError } from '../shared/errors.ts';
import { developmentSecret } from './auth/development-secret.ts';
import { gatewayConfigSchema } from './config.ts';
import type { Spool } from './delivery/queue.ts';
import { openLater } from './lib/later.ts';
import { GatewayMetrics } from './observability/metrics.ts';
import { observeDeliveries } from './observability/observed-store.ts';
import { type Gateway, startGateway } from './server.ts';
import { openStore } from './store/open.ts';
import type { MetricsStore } from './store/port.ts';

/** An empty spool, as far as one can tell before it is open. */
const UNOPENED_SPOOL = { depth: () => 0, oldestAgeMs: () => null, setAsideCount: () => 0 };

/**
 * Reads the configuration and listens, then opens store and spool; resolves when it is ready. Who comes in between
 * waits with what needs them. Every failure is a RelayError.
 */
export async function bootGateway(env: Readonly<Record<string, string | undefined>>): Promise<Gateway> {
  const config = requireConfig('gateway', gatewayConfigSchema, env);
  const { dataDir, mysqlUrl, php } = config;
  const logger = pino({ name: 'gateway', level: config.logLevel });
  for (const warning of config.warnings) logger.warn({ code: 'config_unused' }, warning);
  const metrics = new GatewayMetrics();
  const store = openLater<MetricsStore>({ kind: mysqlUrl === null ? 'libsql' : 'mysql' }, () =>
    openStore({ mysqlUrl, dataDir }, logger),
  );
  const spool = openLater<Spool>(UNOPENED_SPOOL, async () => {
    const { openSpool } = await import('./delivery/queue.ts');
    return openSpool({ dataDir, store: observeDeliveries(store.part, metrics), php, logger });
  });
  let isStarting = true;
  const gateway = await startGateway({
    config,
    secret: config.secret ?? (await developmentSecret(dataDir)),
    clientDir: clientDirectory(),
    store: store.part,
    spool: spool.part,
    logger,
    metrics,
    isStarting: () => isStarting,
  });
  const { port } = gateway;
  logger.info({ port, development: config.development, rule: config.rule }, 'gateway listening');
  try {
    await Promise.all([spool.open(), store.open()]);
  } catch (error) {
    // What cannot be opened cannot be closed in order either: the reason to give is the first one.
    await gateway.close().catch(() => undefined);
    throw error;
  }
  isStarting = false;
  logger.info({ port, store: store.part.kind }, 'gateway ready');
  return gateway;
}

/** Where the built pages and scripts are: beside the bundle, or in dist/ when run from the sources. */
function clientDirectory(): string {
  const here = dirname(fileURLToPath(import.meta.url));
  const candidates = [join(here, '../client'), join(here, '../dist/client')];
  const found = candidates.find((path) => existsSync(join(path, 'index.html')));
  if (found === undefined) {
    throw new RelayError('client_missing', 'the pages are not built', { hint: 'run `npm run build`' });
  }
  return found;
}

/** Says what went wrong in one line (or the list of faults) and leaves with a non-zero status. */
export function failStart(error: unknown): never {
  process.stderr.write(`${describeError(error)}
`);
  process.exit(1);
}
