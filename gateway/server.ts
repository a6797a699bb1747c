import { randomUUID } from 'node:crypto';
import { describeError } from '../shared/errors.ts';
import type { MetricsWindow } from '../shared/metrics-window.ts';
import { SpentTickets } from './auth/spent-tickets.ts';
import type { Secret } from './auth/tokens.ts';
import type { Cluster } from './cluster/cluster.ts';
import type { GatewayConfig } from './config.ts';
import type { CalibrationQueue } from './delivery/calibrations.ts';
import { folderRecords } from './delivery/folder-records.ts';
import type { DeliveryQueue } from './delivery/queue.ts';
import { waitingRecords } from './delivery/waiting-records.ts';
import { createApp } from './http/app.ts';
import { type Listener, listen } from './http/listener.ts';
import { lockDataDir } from './lib/data-dir-lock.ts';
import { type Lazy, lazy } from './lib/lazy.ts';
import type { Logger } from './lib/logger.ts';
import { runSteps, type Step } from './lib/run-steps.ts';
import { steadyClocks } from './lib/steady-clock.ts';
import type { NatsLink } from './nats/connection.ts';
import { isOperatorFault } from './nats/operator-faults.ts';
import { GatewayMetrics } from './observability/metrics.ts';
import { NO_PLATFORM, type Platform } from './platform.ts';
import { privacyRequests } from './privacy/requests.ts';
import { retentionSchedule } from './privacy/schedule.ts';
import { writeAudit } from './privacy/student.ts';
import { studentRecords } from './privacy/student-records.ts';
import { InferencePool, type PoolOptions } from './relay/inference-pool.ts';
import { openReports } from './reports/open.ts';
import { Checkpointer } from './session/checkpointer.ts';
import { LoadWatch } from './session/load-watch.ts';
import { ALONE } from './session/ownership.ts';
import { Saver } from './session/saver.ts';
import { Sessions } from './session/sessions.ts';
import { StoredSessions } from './session/stored-sessions.ts';
import { Streams } from './session/streams.ts';
import { bookedSpans } from './store/booked-spans.ts';
import { ClockWatch } from './store/clock-watch.ts';
import { DayEnds } from './store/day-ends.ts';
import { onFirstUse, repairStore } from './store/open.ts';
import type { MetricsStore } from './store/port.ts';
import { sessionTotals } from './store/session-totals.ts';

const SHUTDOWN_FLUSH_MS = 8000;
/** With other gateways: what is left is in NATS, and they deliver it. */
const SHARED_FLUSH_MS = 3000;
const CREDIT = 2;
/** Longer side of a face crop: the mesh's own input, more gains nothing. */
const FACE_IMAGE_PX = 192;

/** `starting`: it listens, store and spool are being opened. `draining`: it saves what is counted and closes everything. */
export type GatewayPhase = 'starting' | 'ready' | 'draining' | 'closed';

export interface GatewayParts {
  readonly config: GatewayConfig;
  /** Signs and checks tickets; minted at start in development. */
  readonly secret: Secret;
  readonly clientDir: string;
  readonly store: Lazy<MetricsStore>;
  readonly spool: Lazy<DeliveryQueue>;
  /** What several gateways share; null or absent: this one stands alone. */
  readonly nats?: NatsLink | null;
  /** The school's platform. Default: none. */
  readonly platform?: Platform;
  /** This gateway's part in a cluster; null or absent: it stands alone. */
  readonly cluster?: Cluster | null;
  readonly logger: Logger;
  readonly metrics?: GatewayMetrics;
  /** UTC ms, instead of the machine's clock. */
  readonly now?: () => number;
  /** How inference is found, where it is not the system's resolver. */
  readonly relay?: Pick<PoolOptions, 'resolve' | 'resolveEveryMs'>;
}

export interface Gateway {
  readonly port: number;
  readonly url: string;
  readonly phase: () => GatewayPhase;
  /**
   * Asks clients to reconnect, saves what is counted and closes everything, also what follows a part that fails to close.
   * A second call resolves with the first. Never rejects: what failed is in the log.
   */
  readonly close: () => Promise<void>;
}

/**
 * Puts the parts together, listens, then opens store and spool; resolves when the gateway is ready. Students who connect in
 * between wait for what they need of these. Rejects with RelayError `port_in_use` or `listen_failed`, or as store or spool do.
 * Store and spool are closed with the gateway, also where it does not start.
 */
export async function startGateway(parts: GatewayParts): Promise<Gateway> {
  const { config, logger } = parts;
  let phase: GatewayPhase = 'starting';
  let listener: Listener | null = null;
  let closing: Promise<void> | null = null;
  const { app, store, spool, calibrations, clockWatch, dayEnds, retention, closeSteps, stopWaiting } = compose(parts, {
    phase: () => phase,
    port: () => listener?.port ?? config.port,
  });
  const close = (): Promise<void> => {
    closing ??= (async () => {
      phase = 'draining';
      stopWaiting();
      await runSteps([...closeSteps, ['listener', async () => listener?.close()]], logger);
      phase = 'closed';
      logger.info({}, 'gateway closed');
    })();
    return closing;
  };
  try {
    listener = await listen(app, config);
    const { port } = listener;
    logger.info({ port, development: config.development, rule: config.rule }, 'gateway listening');
    // What an earlier run left goes to the store. A gateway without calibrations still serves.
    calibrations.open().catch((error: unknown) => {
      logger.error({ code: 'spool_failed', reason: describeError(error) }, 'calibrations cannot be saved');
    });
    await Promise.all([spool.open(), store.open()]);
    void clockWatch.tick();
    void dayEnds.tick();
    phase = 'ready';
    logger.info({ port, store: storeKind(config) }, 'gateway ready');
    void retention.announce(parts.now?.() ?? Date.now());
    return { port, url: urlOf(config.host, port), phase: () => phase, close };
  } catch (error) {
    await close();
    throw error;
  }
}

function storeKind({ mysqlUrl }: GatewayConfig): 'libsql' | 'mysql' {
  return mysqlUrl === null ? 'libsql' : 'mysql';
}

function urlOf(host: string, port: number): string {
  const shown = host.includes(':') ? (host === '::' ? 'localhost' : `[${host}]`) : host;
  return `http://${shown}:${port}/`;
}

/** The parts wired to each other: the app, and what ends them, in order. */
function compose(parts: GatewayParts, at: { readonly phase: () => GatewayPhase; readonly port: () => number }) {
  const { phase } = at;
  const { config, logger, secret, metrics = new GatewayMetrics() } = parts;
  const { platform = NO_PLATFORM, nats = null, cluster = null } = parts;
  const systemNow = parts.now ?? Date.now;
  const openClock = parts.now === undefined ? steadyClocks() : () => ({ now: systemNow, offsetMs: 0 });
  const { now } = openClock();
  const tickets = {
    secret,
    ticketMaxLifeS: config.ticketMaxLifeS,
    lateMaxMs: config.lateMaxMs,
    spentTickets: cluster?.spentTickets ?? new SpentTickets(),
  };
  const waiting = new AbortController();
  const isEmbedded = config.mysqlUrl === null;
  const lock = lazy(async () => {
    const held = await lockDataDir(config.dataDir, { logger, signal: waiting.signal });
    try {
      if (isEmbedded) await repairStore(config.dataDir, logger, systemNow());
    } catch (error) {
      await held.close();
      throw error;
    }
    return held;
  });
  const store: Lazy<MetricsStore> = {
    ...parts.store,
    async open() {
      if (isEmbedded) await lock.open();
      return parts.store.open();
    },
  };
  const spool: Lazy<DeliveryQueue> = {
    ...parts.spool,
    async open() {
      await lock.open();
      return parts.spool.open();
    },
  };
  const inference = new InferencePool({
    urls: config.inferenceUrls,
    secret: config.inferenceSecret,
    logger,
    ...parts.relay,
  });
  const database = onFirstUse(config, store.open);
  const calibrations = lazy<CalibrationQueue>(async () => {
    await lock.open();
    const { openCalibrationQueue } = await import('./delivery/calibrations.ts');
    return openCalibrationQueue({ dataDir: config.dataDir, store: database, logger });
  });
  const reports = openReports(config, database);
  const append = async (window: MetricsWindow) => (await spool.open()).append(window);
  const saver = new Saver({
    append: async (window) => {
      if (cluster === null || (await cluster.maySave(window))) await append(window);
    },
    logger,
  });
  const stored = new StoredSessions({
    saver,
    spool: spool.open,
    sessionReport: async (sessionId) => (await store.open()).sessionReport(sessionId),
    sessionTotals: async (sessionId) => sessionTotals(await store.open(), sessionId),
  });
  const sessions = new Sessions({
    ...tickets,
    ownership: cluster?.ownership ?? ALONE,
    rule: config.rule,
    resumeGraceMs: config.resumeGraceMs,
    maxSessions: config.maxSessions,
    systemNow,
    newSessionId: randomUUID,
    logger,
    save: (window) => saver.save(window),
    hasConsent: (userId) => platform.hasConsent(database, userId),
    findTotals: (sessionId) => stored.findWhole(sessionId),
    findBooked: async (of) => bookedSpans(await store.open(), of),
    findCalibration: async (userId, deviceId) => (await calibrations.open()).newest(userId, deviceId),
  });
  const checkpointer = new Checkpointer({
    checkpoint: async (open, goneSessionIds) => (await spool.open()).checkpoint(open, goneSessionIds),
    sessions: () => streams.counting(),
    isAllSaved: () => saver.isIdle,
    saved: () => saver.whenIdle(),
    everyMs: config.checkpointMs,
    logger,
  });
  const natsFaultCode = () => spool.opened()?.fault()?.code ?? nats?.fault()?.code ?? null;
  const folder = folderRecords(config.dataDir);
  const undelivered = waitingRecords(folder, nats);
  const queue: Pick<DeliveryQueue, 'forgetStudent'> = {
    forgetStudent: async (...given) => (await spool.open()).forgetStudent(...given),
  };
  const records = studentRecords({
    folder,
    queue,
    calibrations: { forgetStudent: async (userId) => (await calibrations.open()).forgetStudent(userId) },
    allSaved: () => saver.whenIdle(),
  });
  const clockWatch = new ClockWatch(database, systemNow, logger);
  const dayEnds = new DayEnds(database, systemNow, logger);
  const retention = retentionSchedule(database, platform.records, folder, config.retention, logger);
  const limits = {
    maxFps: config.maxFps,
    credit: CREDIT,
    imageSizePx: FACE_IMAGE_PX,
    maxFrameBytes: config.maxFrameBytes,
  };
  const streams: Streams = new Streams({
    now,
    openClock,
    maxFps: config.maxFps,
    allowedModes: config.allowedModes,
    lateMaxMs: config.lateMaxMs,
    dayEndsMs: () => dayEnds.knownMs,
    load: new LoadWatch(limits, logger),
    onActive: () => cluster?.wake(),
    onIdle: () => void cluster?.rest(),
    windowMs: config.windowMs,
    idleAfterMs: config.idleAfterMs,
    inference,
    sessions,
    checkpointer,
    logger,
    metrics,
    save: (window) => saver.save(window),
    keepCalibration: async (record) => (await calibrations.open()).enqueue(record),
    onTick: () => {
      retention.tick(systemNow());
      void clockWatch.tick();
      void dayEnds.tick();
    },
  });
  cluster?.attach({
    sessions,
    append,
    counting: () => streams.counting(),
    isSaved: (sessionId) => saver.isSaved(sessionId),
    storedReport: async (sessionId) => (await store.open()).sessionReport(sessionId),
    pendingFor: async (sessionId) => (await spool.open()).pendingFor(sessionId),
    forget: (userId) => records.forget(userId),
    offsetMs: () => openClock().offsetMs,
    port: at.port,
  });
  metrics.watch({
    sessions: () => streams.labels(),
    detachedSessions: () => sessions.detachedCount,
    links: () => inference.states(),
    spoolDepth: () => spool.opened()?.depth() ?? 0,
    spoolOldestAgeMs: () => spool.opened()?.oldestAgeMs() ?? null,
    spoolSetAside: () => spool.opened()?.setAsideCount() ?? 0,
    cluster:
      cluster === null
        ? null
        : () => {
            const { windows, oldestAgeMs } = spool.opened()?.streamLag() ?? { windows: 0, oldestAgeMs: 0 };
            return { ...cluster.readings(), streamWindows: windows, streamOldestAgeMs: oldestAgeMs };
          },
    calibrationsWaiting: () => calibrations.opened()?.depth() ?? 0,
  });
  const app = createApp({
    origins: { development: config.development, allowedOrigins: config.allowedOrigins },
    ...tickets,
    now: systemNow,
    newId: randomUUID,
    minGroup: config.minGroup,
    clientDir: parts.clientDir,
    clientAddressHeader: config.clientAddressHeader,
    logger,
    openStream: (transport, identified) => streams.open(transport, identified),
    onDisplaced: () => metrics.displaced(),
    onRefusedOrigin: () => metrics.refusedOrigin(),
    closeStream: (stream) => streams.close(stream),
    maxFrameBytes: config.maxFrameBytes,
    gateways: cluster,
    revoked: cluster?.revokedReaders,
    findReport: (sessionId) => stored.find(sessionId),
    reports,
    listLive: async () => [...sessions.listLive(), ...((await cluster?.listLive()) ?? [])],
    writeAudit: (lines) => writeAudit(database, lines),
    privacy: privacyRequests({
      store: database,
      platform: platform.records,
      undelivered,
      records,
      sessions,
      cluster,
      now: systemNow,
    }),
    metricsRegistry: metrics.registry,
    metricsToken: config.metricsToken,
    metricsOpen: config.development,
    unreadyReasons: () => [
      ...(phase() === 'ready' ? [] : [phase()]),
      ...(saver.isFailing ? ['spool_failed'] : []),
      // While NATS is unavailable the file takes the windows; a fault of the configuration would last.
      ...[natsFaultCode()].filter((code) => code !== null).filter(isOperatorFault),
    ],
    status: () => ({
      sessions: sessions.liveCount,
      inference: inference.states().map(({ state }) => state),
      store: database.kind,
      databaseAheadMs: clockWatch.skewMs,
      ...(nats === null ? {} : { nats: nats.state(), natsFault: natsFaultCode() }),
    }),
  });
  const drain = () => {
    logger.info({ sessions: sessions.liveCount }, 'gateway draining');
    streams.drain();
    if (cluster === null) sessions.forget();
  };
  const closeSteps: readonly Step[] = [
    ['streams', drain],
    ['windows', () => saver.close()],
    ['cluster', async () => cluster?.close()],
    ['checkpoints', () => checkpointer.stop()],
    ['inference', () => inference.release()],
    [
      'delivery',
      async () => void (await spool.opened()?.flush(cluster === null ? SHUTDOWN_FLUSH_MS : SHARED_FLUSH_MS)),
    ],
    ['spool', () => spool.close()],
    ['retention', () => retention.idle()],
    ['calibrations', () => calibrations.close()],
    ['reports', () => reports.close()],
    ['NATS', async () => nats?.close()],
    ['store', () => store.close()],
    ['data folder', () => lock.close()],
  ];
  return {
    app,
    store,
    spool,
    calibrations,
    clockWatch,
    dayEnds,
    retention,
    closeSteps,
    stopWaiting: () => waiting.abort(),
  };
}
