import { randomUUID } from 'node:crypto';
import type { WebSocket } from 'ws';
import { describeError, RelayError } from '../shared/errors.ts';
import type { MetricsWindow } from '../shared/metrics-window.ts';
import type { Limits } from '../shared/protocol/control.ts';
import type { GatewayConfig } from './config.ts';
import type { CalibrationKeeper } from './delivery/calibrations.ts';
import { Checkpointer } from './delivery/checkpointer.ts';
import type { Spool } from './delivery/queue.ts';
import { createApp } from './http/app.ts';
import { listen } from './http/listener.ts';
import { openLater } from './lib/later.ts';
import type { Logger } from './lib/logger.ts';
import { steadyUtcClock } from './lib/steady-clock.ts';
import { GatewayMetrics } from './observability/metrics.ts';
import { privacyRequests } from './privacy/requests.ts';
import { retentionSchedule } from './privacy/schedule.ts';
import { writeAudit } from './privacy/student.ts';
import { InferencePool, type PoolOptions } from './relay/inference-pool.ts';
import { openReports } from './reports/open.ts';
import { Sessions } from './session/sessions.ts';
import { Stream } from './session/stream.ts';
import type { MetricsStore } from './store/port.ts';

const TICK_MS = 1000;
const PING_EVERY_TICKS = 20;
const SAVE_RETRY_MS = 1000;
const SHUTDOWN_FLUSH_MS = 8000;
const REPORT_FLUSH_MS = 2000;
const CREDIT = 2;
/** Longer side of a face crop: the mesh's own input, more gains nothing. */
const FACE_IMAGE_PX = 192;

export interface GatewayParts {
  readonly config: GatewayConfig;
  /** Signs and checks tickets; minted at start in development. */
  readonly secret: string;
  readonly clientDir: string;
  readonly store: MetricsStore;
  readonly spool: Spool;
  readonly logger: Logger;
  readonly metrics?: GatewayMetrics;
  /** True until everything is open: it listens already, but is not ready. */
  readonly isStarting?: () => boolean;
  /** UTC ms that never steps back. Default: the machine's. */
  readonly now?: () => number;
  /** How inference is found, where it is not the system's resolver. */
  readonly relay?: Pick<PoolOptions, 'resolve' | 'resolveEveryMs'>;
}

export interface Gateway {
  readonly port: number;
  readonly url: string;
  /** Tells clients to come back, saves what is counted and closes everything. */
  readonly close: () => Promise<void>;
}

/**
 * Puts the parts together and listens. Rejects with RelayError `port_in_use` or `listen_failed`.
 * The store and the spool are closed with the gateway.
 */
export async function startGateway(parts: GatewayParts): Promise<Gateway> {
  const { config, logger, spool, store, secret, metrics = new GatewayMetrics() } = parts;
  const { now = steadyUtcClock() } = parts;
  const inference = new InferencePool({ urls: config.inferenceUrls, logger, ...parts.relay });
  const reports = openReports(config, store);
  const keeper = openLater<CalibrationKeeper>({ depth: () => 0 }, async () => {
    const { openCalibrationKeeper } = await import('./delivery/calibrations.ts');
    return openCalibrationKeeper({ dataDir: config.dataDir, store, logger });
  });
  const calibrations = keeper.part;
  const streams = new Set<Stream>();
  const saving = new Set<Promise<void>>();
  let draining = false;
  let ticks = 0;
  let ticker: NodeJS.Timeout | null = null;
  let idleTimer: NodeJS.Timeout | null = null;

  const limits: Limits = {
    maxFps: config.maxFps,
    credit: CREDIT,
    imageSizePx: FACE_IMAGE_PX,
    maxFrameBytes: config.maxFrameBytes,
  };

  /** A full disk delays a window, it does not lose it: the window is kept and tried again. */
  const append = async (window: MetricsWindow): Promise<void> => {
    for (let attempt = 1; ; attempt += 1) {
      try {
        await spool.append(window);
        return;
      } catch (error) {
        logger.error(
          { code: 'spool_failed', attempt, reason: describeError(error) },
          'a window could not be written to DATA_DIR',
        );
        if (draining && attempt >= 5) throw error;
        await new Promise((resolve) => setTimeout(resolve, SAVE_RETRY_MS));
      }
    }
  };
  const save = (window: MetricsWindow): Promise<void> => {
    const saved = append(window);
    const settled = saved.catch(() => undefined).then(() => void saving.delete(settled));
    saving.add(settled);
    return saved;
  };
  const findReport = async (sessionId: string) => {
    await Promise.all(saving);
    await spool.flush(REPORT_FLUSH_MS);
    return store.sessionReport(sessionId);
  };
  /** For a session that is to go on: nothing, rather than half of what it has. */
  const findWholeReport = async (sessionId: string) => {
    const report = await findReport(sessionId);
    if ((await spool.pendingFor(sessionId)).length === 0) return report;
    throw new RelayError('store_unreachable', 'the session is still on its way to the store');
  };
  const sessions = new Sessions({
    secret,
    rule: config.rule,
    resumeGraceMs: config.resumeGraceMs,
    maxSessions: config.maxSessions,
    now,
    newSessionId: randomUUID,
    logger,
    save,
    hasConsent: (userId) => store.hasConsent(userId),
    findReport: findWholeReport,
    findCalibration: (userId, deviceId) => calibrations.newest(userId, deviceId),
  });

  const checkpointer = new Checkpointer({
    checkpoint: (open, goneSessionIds) => spool.checkpoint(open, goneSessionIds),
    sessions: function* () {
      for (const { countingAccount: account, isSaved } of streams) if (account !== null) yield { account, isSaved };
    },
    isAllSaved: () => saving.size === 0,
    saved: () => Promise.all([...saving, ...[...streams].map((stream) => stream.saved)]),
    everyMs: config.checkpointMs,
    logger,
  });

  metrics.watch({
    sessions: () => [...streams].map((stream) => stream.labels),
    detachedSessions: () => sessions.detachedCount,
    links: () => inference.states(),
    spoolDepth: () => spool.depth(),
    spoolOldestAgeMs: () => spool.oldestAgeMs(),
    spoolSetAside: () => spool.setAsideCount(),
    calibrationsWaiting: () => calibrations.depth(),
  });

  const retention = retentionSchedule(store, config.retention, logger);
  const tick = () => {
    ticks += 1;
    retention.tick(now());
    for (const stream of streams) {
      stream.dispatch({ type: 'tick' });
      if (ticks % PING_EVERY_TICKS === 0) stream.ping();
    }
  };
  const openStream = (socket: WebSocket, admitted: () => void): Stream => {
    if (idleTimer !== null) clearTimeout(idleTimer);
    idleTimer = null;
    ticker ??= setInterval(tick, TICK_MS);
    checkpointer.start();
    inference.open();
    const stream = new Stream(socket, {
      now,
      limits,
      windowMs: config.windowMs,
      inference,
      logger,
      metrics,
      admit: async (hello, from) => {
        const admission = await sessions.admit(hello, from);
        admitted();
        return admission;
      },
      save,
      keepCalibration: (record) => calibrations.keep(record),
      detach: (account, from) => sessions.detach(account, from),
    });
    streams.add(stream);
    if (draining) stream.dispatch({ type: 'drain' });
    return stream;
  };
  const closeStream = (stream: Stream) => {
    stream.dispatch({ type: 'closed' });
    streams.delete(stream);
    const saved = stream.saved.catch(() => undefined).then(() => void saving.delete(saved));
    saving.add(saved);
    if (streams.size > 0) return;
    if (ticker !== null) clearInterval(ticker);
    ticker = null;
    void checkpointer.stop();
    if (!draining) idleTimer = setTimeout(() => inference.release(), config.idleAfterMs);
  };

  const app = createApp({
    origins: { development: config.development, allowedOrigins: config.allowedOrigins },
    secret,
    now,
    newId: randomUUID,
    clientDir: parts.clientDir,
    clientAddressHeader: config.clientAddressHeader,
    logger,
    openStream,
    closeStream,
    findReport,
    reports,
    listLive: () => sessions.listLive(),
    writeAudit: (lines) => writeAudit(store, lines),
    privacy: privacyRequests({ store, spool, calibrations, sessions, allSaved: () => Promise.all(saving), now }),
    metricsRegistry: metrics.registry,
    metricsToken: config.metricsToken,
    metricsOpen: config.development,
    unreadyReasons: () => [...(draining ? ['draining'] : []), ...(parts.isStarting?.() === true ? ['starting'] : [])],
    status: () => ({
      sessions: sessions.liveCount,
      inference: inference.states().map(({ state }) => state),
      store: store.kind,
    }),
  });
  const listener = await listen(app, config);
  const { port } = listener;
  // What an earlier run left goes to the store; whatever needs the keeper before opens it by itself.
  keeper.open().catch((error: unknown) => {
    logger.error({ code: 'spool_failed', reason: describeError(error) }, 'calibrations cannot be kept');
  });

  const close = async (): Promise<void> => {
    if (draining) return;
    draining = true;
    logger.info({ sessions: sessions.liveCount }, 'gateway draining');
    if (idleTimer !== null) clearTimeout(idleTimer);
    const ending = [...streams];
    for (const stream of ending) stream.dispatch({ type: 'drain' });
    if (ticker !== null) clearInterval(ticker);
    sessions.forget();
    await Promise.all([...ending.map((stream) => stream.saved.catch(() => undefined)), ...saving]);
    await checkpointer.stop();
    inference.release();
    await spool.flush(SHUTDOWN_FLUSH_MS);
    await spool.close();
    await retention.idle();
    await calibrations.close();
    await reports.close();
    await store.close();
    await listener.close();
    logger.info({}, 'gateway ended');
  };
  const shown = config.host.includes(':') ? (config.host === '::' ? 'localhost' : `[${config.host}]`) : config.host;
  return { port, url: `http://${shown}:${port}/`, close };
}
