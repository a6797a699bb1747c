import { createHash, timingSafeEqual } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import type { Logger } from 'pino';
import { type WebSocket, WebSocketServer } from 'ws';
import { LINK_PATH, LINK_SUBPROTOCOL, linkAuthorization } from '../shared/link.ts';
import { listenError } from '../shared/listen-error.ts';
import { asksForWebSocket, refuseUpgrade } from '../shared/refuse-upgrade.ts';
import { CLOSE, serveLink } from './link-session.ts';
import { InferenceMetrics } from './metrics.ts';
import type { WorkerPool } from './pool/pool.ts';

const MAX_MESSAGE_BYTES = 512 * 1024;
const MAX_FRAGMENTS = 16;
const CLOSE_TIMEOUT_MS = 1_000;
const DRAIN_MS = 5_000;
/** Slowloris guard. */
const HTTP_LIMITS = {
  headersTimeout: 5_000,
  requestTimeout: 10_000,
  connectionsCheckingInterval: 1_000,
  keepAlive: true,
};
/** Links of one address at most: a gateway holds one to each replica, and several gateways may stand behind one address. */
const MAX_LINKS_PER_ADDRESS = 16;
/** A probe on which nothing moves for so long is closed. */
const IDLE_TIMEOUT_MS = 30_000;

export interface InferenceServer {
  readonly port: number;
  /** Waits for the running requests, then closes links and port. A second call waits for the first. */
  close(): Promise<void>;
}

export interface ServerOptions {
  readonly host: string;
  /** 0 for any free port. */
  readonly port: number;
  readonly pool: WorkerPool;
  /** What a gateway must present to connect; null: every peer may connect. */
  readonly secret?: string | null;
  readonly logger: Pick<Logger, 'info' | 'warn'>;
}

/** Why the service cannot take requests; empty when it can. */
function reasonsNotReady(pool: WorkerPool, draining: boolean): string[] {
  const reasons: string[] = [];
  if (draining) reasons.push('draining');
  if (pool.state().workersReady === 0) reasons.push('no_worker_ready');
  return reasons;
}

function sendJson(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json', 'cache-control': 'no-store' });
  response.end(`${JSON.stringify(body)}\n`);
}

function listen(server: Server, host: string, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', (error) => reject(listenError(error, { host, port })));
    server.listen(port, host, () => resolve((server.address() as AddressInfo).port));
  });
}

function wantsLink(request: IncomingMessage): boolean {
  const offered = request.headers['sec-websocket-protocol']?.split(',').map((name) => name.trim()) ?? [];
  return offered.includes(LINK_SUBPROTOCOL);
}

/** True where the request names the secret. Takes the same time however much of it is right. */
function namesSecret(request: IncomingMessage, secret: string): boolean {
  const digest = (text: string) => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(request.headers.authorization ?? ''), digest(linkAuthorization(secret)));
}

/**
 * The service on a port: `/healthz` (alive), `/readyz` (ready, or why not), `/metrics` and the link. Rejects
 * with RelayError `port_in_use` or `listen_failed`.
 */
export async function startServer(options: ServerOptions): Promise<InferenceServer> {
  const { pool, logger, secret = null } = options;
  const linksOfAddress = new Map<string, number>();
  const links = new Set<WebSocket>();
  const metrics = new InferenceMetrics(pool, () => links.size);
  let draining = false;

  const server = createServer(HTTP_LIMITS, (request, response) => {
    const path = request.url?.split('?', 1)[0];
    if (path === '/healthz') sendJson(response, 200, { alive: true });
    else if (path === '/readyz') {
      const reasons = reasonsNotReady(pool, draining);
      const ready = reasons.length === 0;
      sendJson(response, ready ? 200 : 503, { ready, reasons, links: links.size, ...pool.state() });
    } else if (path === '/metrics') {
      metrics.registry.metrics().then(
        (text) => response.writeHead(200, { 'content-type': metrics.registry.contentType }).end(text),
        () => sendJson(response, 500, { error: 'metrics_failed' }),
      );
    } else sendJson(response, 404, { error: 'not_found' });
  });

  server.setTimeout(IDLE_TIMEOUT_MS);

  // closeTimeout is newer than the published types of ws.
  const socketOptions = {
    noServer: true,
    perMessageDeflate: false,
    maxPayload: MAX_MESSAGE_BYTES,
    maxFragments: MAX_FRAGMENTS,
    closeTimeout: CLOSE_TIMEOUT_MS,
    handleProtocols: () => LINK_SUBPROTOCOL,
  };
  const sockets = new WebSocketServer(socketOptions);
  server.on('upgrade', (request, socket, head) => {
    socket.on('error', () => {});
    if (!asksForWebSocket(request.headers.upgrade)) return refuseUpgrade(socket, '426 Upgrade Required');
    if (request.url?.split('?', 1)[0] !== LINK_PATH) return refuseUpgrade(socket, '404 Not Found');
    if (!wantsLink(request)) return refuseUpgrade(socket, '400 Bad Request');
    // Gateways name no origin: it is a web page on a machine in this network.
    if (request.headers.origin !== undefined) return refuseUpgrade(socket, '403 Forbidden');
    if (secret !== null && !namesSecret(request, secret)) return refuseUpgrade(socket, '401 Unauthorized');
    const address = request.socket.remoteAddress ?? '';
    const ofAddress = linksOfAddress.get(address) ?? 0;
    if (draining || ofAddress >= MAX_LINKS_PER_ADDRESS) return refuseUpgrade(socket, '503 Service Unavailable');
    sockets.handleUpgrade(request, socket, head, (link) => {
      links.add(link);
      linksOfAddress.set(address, (linksOfAddress.get(address) ?? 0) + 1);
      link.on('close', () => {
        links.delete(link);
        const left = (linksOfAddress.get(address) ?? 1) - 1;
        if (left === 0) linksOfAddress.delete(address);
        else linksOfAddress.set(address, left);
      });
      serveLink(link, {
        pool,
        isDraining: () => draining,
        onFailure: (reason) => logger.warn({ reason }, 'a request failed'),
        onAnswered: (status, serverMs) => metrics.answered(status, serverMs),
      });
    });
  });

  const port = await listen(server, options.host, options.port);
  let closed: Promise<void> | null = null;
  const close = async (): Promise<void> => {
    draining = true;
    await Promise.race([pool.idle(), delay(DRAIN_MS, undefined, { ref: false })]);
    for (const link of links) link.close(CLOSE.goingAway, 'draining');
    const ended = new Promise<void>((resolve) => server.close(() => resolve()));
    server.closeIdleConnections();
    const stragglers = setTimeout(() => {
      for (const link of links) link.terminate();
      server.closeAllConnections();
    }, CLOSE_TIMEOUT_MS);
    await ended;
    clearTimeout(stragglers);
  };
  return {
    port,
    close: () => {
      closed ??= close();
      return closed;
    },
  };
}
