import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { pino } from 'pino';
import { requireConfig } from '../shared/config.ts';
import { describeError, RelayError } from '../shared/errors.ts';
import { developmentSecret } from './auth/development-secret.ts';
import type { Secret } from './auth/tokens.ts';
import type { Cluster } from './cluster/cluster.ts';
import { type GatewayConfig, gatewayConfigSchema, isLoopback } from './config.ts';
import type { DeliveryQueue } from './delivery/queue.ts';
import { eyelearn } from './eyelearn/platform.ts';
import { type Lazy, lazy } from './lib/lazy.ts';
import type { Logger } from './lib/logger.ts';
import { productVersion } from './lib/product-version.ts';
import type { NatsLink } from './nats/connection.ts';
import { GatewayMetrics } from './observability/metrics.ts';
import { observeDeliveries } from './observability/observed-store.ts';
import type { Platform } from './platform.ts';
import { type Gateway, startGateway } from './server.ts';
import { onFirstUse, openStore } from './store/open.ts';
import type { MetricsStore } from './store/port.ts';

/** Reads the configuration and starts the gateway; resolves when it is ready. Every failure is a RelayError. */
export async function bootGateway(env: Readonly<Record<string, string | undefined>>): Promise<Gateway> {
  const config = requireConfig('gateway', gatewayConfigSchema, env);
  const { dataDir, mysqlUrl } = config;
  // Synchronous: asynchronous lines are lost in a crash, or written after later ones.
  const logger = pino({ name: 'gateway', level: config.logLevel }, pino.destination({ sync: true }));
  for (const warning of config.warnings) logger.warn({ code: 'config_unused' }, warning);
  const metrics = new GatewayMetrics();
  const platform = eyelearn(config, logger);
  const store = lazy(() => openStore({ mysqlUrl, dataDir }, logger, platform.loadStoreHooks));
  const nats = await openNats(config, logger);
  const current = config.secret ?? (await developmentSecret(dataDir));
  const secret: Secret = config.previousSecret === null ? current : [current, config.previousSecret];
  const cluster = await openCluster(config, nats, secret, logger);
  return startGateway({
    config,
    secret,
    clientDir: clientDirectory(),
    store,
    spool: spoolOf({ config, store, platform, nats, cluster, logger, metrics }),
    platform,
    nats,
    cluster,
    logger,
    metrics,
  });
}

/** The connection to NATS, not opened yet; null where the gateway stands alone, which loads nothing of NATS. */
export async function openNats(config: GatewayConfig, logger: Logger): Promise<NatsLink | null> {
  if (config.nats === null) return null;
  const { natsLink } = await import('./nats/connection.ts');
  return natsLink(config.nats, logger);
}

/** The gateway's part in a cluster; null where it stands alone. */
export async function openCluster(
  config: GatewayConfig,
  link: NatsLink | null,
  secret: Secret,
  logger: Logger,
): Promise<Cluster | null> {
  if (link === null) return null;
  const { createCluster } = await import('./cluster/cluster.ts');
  return createCluster({
    link,
    secret,
    ticketMaxLifeS: config.ticketMaxLifeS,
    version: productVersion(),
    address: config.gatewayAddress,
    isLoopback: isLoopback(config.host),
    logger,
  });
}

export interface SpoolParts {
  readonly config: GatewayConfig;
  readonly store: Pick<Lazy<MetricsStore>, 'open'>;
  readonly platform: Platform;
  readonly nats: NatsLink | null;
  readonly cluster: Cluster | null;
  readonly logger: Logger;
  readonly metrics: GatewayMetrics;
}

/** The delivery queue, not opened yet: in the gateway's file alone, or with NATS over the stream of all gateways. */
export function spoolOf({ config, store, platform, nats, cluster, logger, metrics }: SpoolParts): Lazy<DeliveryQueue> {
  return lazy(async () => {
    const { dataDir } = config;
    const { applyWindows } = observeDeliveries(store, metrics);
    const openSecondWay = platform.openSecondWay(onFirstUse(config, store.open));
    if (nats !== null && cluster !== null) {
      const { openStreamQueue } = await import('./delivery/stream/queue.ts');
      const execute: MetricsStore['execute'] = async (statements) => (await store.open()).execute(statements);
      return openStreamQueue({
        dataDir,
        store: { applyWindows, execute },
        openSecondWay,
        nats,
        gatewayId: cluster.id,
        logger,
      });
    }
    const { openQueue } = await import('./delivery/queue.ts');
    return openQueue({ dataDir, store: { applyWindows }, openSecondWay, logger });
  });
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

/** Prints what went wrong in one line (or the list of faults) and exits with a non-zero status. */
export function failStart(error: unknown): never {
  process.stderr.write(`${describeError(error)}\n`);
  process.exit(1);
}
