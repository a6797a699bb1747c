import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { pino } from 'pino';
import { requireConfig } from '../shared/config.ts';
import { describeError, RelayError } from '../shared/errors.ts';
import { developmentSecret } from './auth/development-secret.ts';
import { gatewayConfigSchema } from './config.ts';
import { GatewayMetrics } from './observability/metrics.ts';
import { observeDeliveries } from './observability/observed-store.ts';
import { type Gateway, startGateway } from './server.ts';
import { openSpool } from './spool/spool.ts';
import { openStore } from './store/open.ts';

/** Reads the configuration, opens the stores and listens. Every failure is a RelayError. */
export async function bootGateway(env: Readonly<Record<string, string | undefined>>): Promise<Gateway> {
  const config = requireConfig('gateway', gatewayConfigSchema, env);
  const logger = pino({ name: 'gateway', level: config.logLevel });
  const store = await openStore({ mysqlUrl: config.mysqlUrl, dataDir: config.dataDir }, logger);
  const metrics = new GatewayMetrics();
  const spool = await openSpool({
    dataDir: config.dataDir,
    store: observeDeliveries(store, metrics),
    php: config.php,
    logger,
  });
  try {
    const gateway = await startGateway({
      config,
      secret: config.secret ?? (await developmentSecret(config.dataDir)),
      clientDir: clientDirectory(),
      store,
      spool,
      logger,
      metrics,
    });
    logger.info(
      { port: gateway.port, development: config.development, store: store.kind, rule: config.rule },
      'gateway listening',
    );
    return gateway;
  } catch (error) {
    await spool.close();
    await store.close();
    throw error;
  }
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
