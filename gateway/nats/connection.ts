import { readFileSync } from 'node:fs';
import { isIP } from 'node:net';
import { checkServerIdentity } from 'node:tls';
import { type JetStreamClient, type JetStreamManager, jetstream, jetstreamManager } from '@nats-io/jetstream';
import { Kvm } from '@nats-io/kv';
import {
  type ConnectionOptions,
  connect,
  credsAuthenticator,
  errors,
  type NatsConnection,
  type TlsOptions,
} from '@nats-io/transport-node';
import { describeError, RelayError } from '../../shared/errors.ts';
import type { Logger } from '../lib/logger.ts';
import { within } from '../lib/timeout.ts';
import type { NatsConfig } from './config.ts';
import { natsFault } from './faults.ts';

/** Of a connection attempt and of each request. */
const TIMEOUT_MS = 3000;
const RECONNECT_EVERY_MS = 200;
const RECONNECT_JITTER_MS = 200;
/** While a connection is open: a server that answers two of these not is left for another. */
const PING_EVERY_MS = 5000;
const MAX_PINGS_OUT = 2;
/** How long a task waits for a connection that was lost. */
const BACK_WITHIN_MS = 2000;
/** A server that does not answer a ping for this long, after a request without an answer, is left for another. */
const PONG_WITHIN_MS = 1000;
const IDLE_CLOSE_MS = 2000;
const CLOSE_GRACE_MS = 1000;

/** An open connection and its clients. */
export interface OpenNats {
  readonly connection: NatsConnection;
  readonly js: JetStreamClient;
  readonly jsm: JetStreamManager;
  readonly kvm: Kvm;
}

/** `closed`: nothing needs it. `lost`: it is needed, and no server answers. */
export type NatsState = 'closed' | 'connecting' | 'open' | 'lost';

/**
 * The gateway's one connection to NATS: opened by the first task, closed when nothing uses it, so that a gateway
 * without students sends nothing. While it is used it reconnects by itself, to any of the servers.
 */
export interface NatsLink {
  readonly config: NatsConfig;
  /**
   * Runs a task with the connection, opening it if need be. Rejects with a RelayError of natsFault(), also for what
   * the task throws; a RelayError of the task stays as it is.
   */
  use<T>(task: (nats: OpenNats) => Promise<T>): Promise<T>;
  /**
   * Keeps the connection up, once it is open, until the returned function is called; opens nothing by itself.
   * Subscriptions and consumers end when nothing holds it any more.
   */
  hold(): () => void;
  state(): NatsState;
  /** What is wrong with the connection now; null where nothing is known to be. */
  fault(): RelayError | null;
  /** Calls `listener` after each new connection, the first and those after a loss; returns what ends that. */
  onConnected(listener: (nats: OpenNats) => void): () => void;
  /** Closes the connection for good; tasks reject with `nats_closed` from then on. */
  close(): Promise<void>;
}

function optionsOf(config: NatsConfig, timeoutMs: number): ConnectionOptions {
  const { tls, credsFile } = config;
  const identity =
    credsFile !== null
      ? { authenticator: credsAuthenticator(readOrFail(credsFile, 'nats_refused', 'NATS_CREDS_FILE')) }
      : config.token !== null
        ? { token: config.token }
        : config.user !== null && config.password !== null
          ? { user: config.user, pass: config.password }
          : {};
  return {
    servers: [...config.servers],
    name: 'gaze-relay gateway',
    timeout: timeoutMs,
    maxReconnectAttempts: -1,
    reconnectTimeWait: RECONNECT_EVERY_MS,
    reconnectJitter: RECONNECT_JITTER_MS,
    reconnectJitterTLS: RECONNECT_JITTER_MS,
    pingInterval: PING_EVERY_MS,
    maxPingOut: MAX_PINGS_OUT,
    ...identity,
    ...(tls === null ? {} : { tls: tlsOptionsOf(tls, config.servers) }),
  };
}

/** The client hands to Node what it does not know itself. */
type NodeTlsOptions = TlsOptions & { checkServerIdentity?: typeof checkServerIdentity };

function tlsOptionsOf(tls: NonNullable<NatsConfig['tls']>, servers: readonly string[]): NodeTlsOptions {
  const file = (variable: string, name: string, value: string | null) => {
    if (value === null) return {};
    readOrFail(value, 'nats_tls_failed', variable);
    return { [name]: value };
  };
  return {
    ...file('NATS_CA_FILE', 'caFile', tls.caFile),
    ...file('NATS_CERT_FILE', 'certFile', tls.certFile),
    ...file('NATS_KEY_FILE', 'keyFile', tls.keyFile),
    ...identityCheckOf(servers),
  };
}

/**
 * For servers that NATS_URL names by their IP addresses. The client gives no host for these, so that Node would take a certificate for
 * `localhost`: it must be for one of the addresses.
 */
function identityCheckOf(servers: readonly string[]): NodeTlsOptions {
  const hosts = servers.map((server) => server.replace(/:\d+$/, '').replace(/^\[(.*)\]$/, '$1'));
  const addresses = hosts.filter((host) => isIP(host) !== 0);
  if (addresses.length === 0) return {};
  return {
    checkServerIdentity(host, certificate) {
      if (hosts.includes(host)) return checkServerIdentity(host, certificate);
      const faults = addresses.map((address) => checkServerIdentity(address, certificate));
      return faults.includes(undefined) ? undefined : faults[0];
    },
  };
}

function readOrFail(file: string, code: 'nats_refused' | 'nats_tls_failed', variable: string): Uint8Array {
  try {
    return readFileSync(file);
  } catch (error) {
    throw new RelayError(code, `${variable} cannot be read: ${describeError(error)}`, {
      hint: 'name a file that the gateway may read',
    });
  }
}

/** A connection that is open or was lost and comes back by itself. */
interface Session {
  readonly nats: OpenNats;
  isUp: boolean;
  /** Resolves when it is up again. */
  back: Promise<void>;
}

export interface NatsLinkOptions {
  /** Limit of a connection attempt and of each request, ms. */
  readonly timeoutMs?: number;
  /** A connection that nothing uses is closed after this long, ms. */
  readonly idleMs?: number;
}

/** Where nothing answers for a stream, the client says that JetStream is not enabled; a server that has it is without a leader then. */
function leaderless(fault: RelayError, nats: OpenNats | null): RelayError {
  if (fault.code !== 'nats_without_jetstream' || nats?.connection.info?.jetstream !== true) return fault;
  return new RelayError('nats_unreachable', 'no server of NATS leads the stream at the moment', {
    hint: 'wait until most of the servers are there again',
    cause: fault,
  });
}

/** A link that opens nothing yet. */
export function natsLink(config: NatsConfig, logger: Logger, options: NatsLinkOptions = {}): NatsLink {
  const { timeoutMs = TIMEOUT_MS, idleMs = IDLE_CLOSE_MS } = options;
  let opening: Promise<Session> | null = null;
  let session: Session | null = null;
  let fault: RelayError | null = null;
  let users = 0;
  let idleTimer: NodeJS.Timeout | null = null;
  let isClosed = false;
  const listeners = new Set<(nats: OpenNats) => void>();

  const announce = (nats: OpenNats) => {
    fault = null;
    for (const listener of listeners) listener(nats);
  };

  async function follow(opened: Session): Promise<void> {
    let isBack: () => void = () => undefined;
    for await (const { type } of opened.nats.connection.status()) {
      if (type === 'disconnect' && opened.isUp) {
        opened.isUp = false;
        opened.back = new Promise((resolve) => {
          isBack = resolve;
        });
        fault = natsFault(new errors.ConnectionError('the connection was lost'), config.servers);
        logger.warn({ code: 'nats_unreachable' }, 'the connection to NATS was lost');
      }
      if (type === 'reconnect') {
        opened.isUp = true;
        isBack();
        logger.info({ server: opened.nats.connection.getServer() }, 'connected to NATS again');
        announce(opened.nats);
      }
    }
  }

  async function open(): Promise<Session> {
    const connection = await connect(optionsOf(config, timeoutMs));
    const js = jetstream(connection, { timeout: timeoutMs });
    const jsm = await jetstreamManager(connection, { timeout: timeoutMs, checkAPI: false });
    const opened: Session = {
      nats: { connection, js, jsm, kvm: new Kvm(js) },
      isUp: true,
      back: Promise.resolve(),
    };
    session = opened;
    void follow(opened);
    void connection.closed().then((error) => {
      if (session === opened) {
        session = null;
        opening = null;
      }
      if (error instanceof Error) {
        fault = natsFault(error, config.servers);
        logger.warn({ code: fault.code, reason: fault.message }, 'the connection to NATS ended');
      }
    });
    logger.info({ server: connection.getServer() }, 'connected to NATS');
    announce(opened.nats);
    return opened;
  }

  async function ready(): Promise<OpenNats> {
    if (isClosed) throw new RelayError('nats_closed', 'the connection to NATS is closed');
    opening ??= open().catch((error: unknown) => {
      opening = null;
      throw error;
    });
    const opened = await opening;
    if (!opened.isUp) {
      const isBack = await within(
        opened.back.then(() => true),
        BACK_WITHIN_MS,
        false,
      );
      if (!isBack) throw natsFault(new errors.ConnectionError('the connection was lost'), config.servers);
    }
    return opened.nats;
  }

  /** A request got no answer: a server that does not answer a ping either is left for another. */
  async function leaveSilentServer({ connection }: OpenNats): Promise<void> {
    const pong = connection.flush().then(
      () => true,
      () => true,
    );
    if (await within(pong, PONG_WITHIN_MS, false)) return;
    logger.warn({ server: connection.getServer() }, 'NATS does not answer, another server is tried');
    await connection.reconnect().catch(() => undefined);
  }

  function begin(): void {
    users += 1;
    if (idleTimer !== null) clearTimeout(idleTimer);
    idleTimer = null;
  }

  function end(): void {
    users -= 1;
    if (users > 0 || isClosed) return;
    idleTimer = setTimeout(() => void closeConnection(), idleMs);
    idleTimer.unref();
  }

  async function closeConnection(): Promise<void> {
    const closing = session;
    session = null;
    opening = null;
    fault = null;
    if (closing === null) return;
    await within(closing.nats.connection.close(), CLOSE_GRACE_MS, undefined);
    logger.debug({}, 'connection to NATS closed');
  }

  return {
    config,
    async use(task) {
      begin();
      let nats: OpenNats | null = null;
      try {
        nats = await ready();
        const result = await task(nats);
        if (session?.isUp === true) fault = null;
        return result;
      } catch (error) {
        const found = leaderless(natsFault(error, config.servers), nats);
        if (found.code.startsWith('nats_') && (nats === null || found.code === 'nats_unreachable')) fault = found;
        if (nats !== null && error instanceof errors.TimeoutError) void leaveSilentServer(nats);
        throw found;
      } finally {
        end();
      }
    },
    hold() {
      begin();
      let isHeld = true;
      return () => {
        if (isHeld) end();
        isHeld = false;
      };
    },
    state() {
      if (session !== null) return session.isUp ? 'open' : 'lost';
      if (opening !== null) return 'connecting';
      return fault === null ? 'closed' : 'lost';
    },
    fault: () => fault,
    onConnected(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    async close() {
      isClosed = true;
      if (idleTimer !== null) clearTimeout(idleTimer);
      await opening?.catch(() => undefined);
      await closeConnection();
    },
  };
}
