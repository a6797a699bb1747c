import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Teaching } from '../gateway/auth/teaching.ts';
import { mintTicket, REPORTS_SCOPE, type Role } from '../gateway/auth/ticket.ts';
import { openCluster, openNats, spoolOf } from '../gateway/boot.ts';
import { gatewayConfigSchema } from '../gateway/config.ts';
import type { DeliveryQueue } from '../gateway/delivery/queue.ts';
import { eyelearn } from '../gateway/eyelearn/platform.ts';
import { lazy } from '../gateway/lib/lazy.ts';
import type { Logger } from '../gateway/lib/logger.ts';
import { GatewayMetrics } from '../gateway/observability/metrics.ts';
import { type Gateway, type GatewayParts, startGateway } from '../gateway/server.ts';
import { openStore } from '../gateway/store/open.ts';
import type { SessionReport } from '../gateway/store/port.ts';
import { readConfig } from '../shared/config.ts';

export const SECRET = 'a secret for tests that is long enough';
export const ORIGIN = 'https://school.example';

export const SILENT: Logger = { debug() {}, info() {}, warn() {}, error() {} };

/** A port without a listener: connections there are refused at once. */
const NOWHERE = 'http://127.0.0.1:1';

export interface TestGateway extends Gateway {
  /** A teacher teaches all unless `teaching` says otherwise; null: the ticket does not say. */
  readonly ticket: (
    userId: number,
    options?: { role?: Role; moduleId?: number; teaching?: Teaching | null; nowMs?: number },
  ) => Promise<string>;
  readonly report: (sessionId: string, userId: number) => Promise<SessionReport | null>;
  /** Closes it and removes its data. */
  readonly dispose: () => Promise<void>;
}

/** A gateway in this process on a free port, with a real spool and a real store. */
export async function startTestGateway(
  env: Readonly<Record<string, string>> = {},
  options: {
    dataDir?: string;
    logger?: Logger;
    relay?: GatewayParts['relay'];
    now?: () => number;
    /** Puts faults into the spool. */
    spoolWith?: (spool: DeliveryQueue) => DeliveryQueue;
  } = {},
): Promise<TestGateway> {
  const dataDir = options.dataDir ?? (await mkdtemp(join(tmpdir(), 'gaze-relay-test-')));
  const logger = options.logger ?? SILENT;
  const result = readConfig(gatewayConfigSchema, {
    HOST: '127.0.0.1',
    PORT: '0',
    RELAY_JWT_SECRET: SECRET,
    ALLOWED_ORIGINS: ORIGIN,
    INFERENCE_URL: NOWHERE,
    DATA_DIR: dataDir,
    ...env,
  });
  if (!result.ok) throw new Error(result.faults.join('\n'));
  const { mysqlUrl } = result.config;
  const platform = eyelearn(result.config, logger);
  const store = lazy(() => openStore({ mysqlUrl, dataDir }, logger, platform.loadStoreHooks));
  const { spoolWith = (spool: DeliveryQueue) => spool } = options;
  const nats = await openNats(result.config, logger);
  const cluster = await openCluster(result.config, nats, SECRET, logger);
  const metrics = new GatewayMetrics();
  const opened = spoolOf({ config: result.config, store, platform, nats, cluster, logger, metrics });
  const spool = lazy(async () => spoolWith(await opened.open()));
  const clientDir = fileURLToPath(new URL('../dist/client', import.meta.url));
  const relay = options.relay === undefined ? {} : { relay: options.relay };
  const gateway = await startGateway({
    config: result.config,
    secret: SECRET,
    clientDir,
    store,
    spool,
    platform,
    nats,
    cluster,
    logger,
    metrics,
    ...relay,
    ...(options.now === undefined ? {} : { now: options.now }),
  });
  const ticket: TestGateway['ticket'] = async (
    userId,
    { role = 'student', moduleId = 22, teaching = role === 'student' ? null : 'all', nowMs = Date.now() } = {},
  ) =>
    mintTicket(
      {
        userId,
        moduleId,
        role,
        scope: role === 'student' ? null : REPORTS_SCOPE,
        teaching: teaching ?? undefined,
      },
      SECRET,
      new Date(nowMs),
      randomUUID(),
    );
  return {
    ...gateway,
    ticket,
    report: async (sessionId, userId) => {
      const response = await fetch(new URL(`/api/v1/sessions/${sessionId}`, gateway.url), {
        headers: { authorization: `Bearer ${await ticket(userId)}` },
      });
      const body = (await response.json()) as { report?: SessionReport };
      return body.report ?? null;
    },
    dispose: async () => {
      await gateway.close();
      if (options.dataDir === undefined) await rm(dataDir, { recursive: true, force: true });
    },
  };
}
