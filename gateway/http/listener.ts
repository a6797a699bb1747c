import type { IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import { createAdaptorServer } from '@hono/node-server';
import type { Hono } from 'hono';
import { WebSocketServer } from 'ws';
import { listenError } from '../../shared/listen-error.ts';
import { STREAM_PATH, SUBPROTOCOL } from '../../shared/protocol/version.ts';
import { asksForWebSocket, destroyOnceWritten, refuseUpgrade } from '../../shared/refuse-upgrade.ts';
import { MAX_PENDING_CONNECTIONS } from './pending-connections.ts';

/** Room beyond the picture for its header, and for the longest control message. */
const MESSAGE_EXTRA_BYTES = 1024;
/** Browsers send a message of this size in one piece, or a few. */
const MAX_FRAGMENTS = 32;
/** A peer that does not answer a close is disconnected after this. */
const CLOSE_TIMEOUT_MS = 3000;
/** Slowloris guard. */
const HEADERS_TIMEOUT_MS = 5000;
const REQUEST_TIMEOUT_MS = 30_000;
const CHECK_EVERY_MS = 1000;
/** A connection without traffic for so long, e.g. of a peer that does not read its answer, is closed. */
const IDLE_TIMEOUT_MS = 60_000;
/** A student's POSTs come every few seconds at least: each on a connection of its own would take round trips. */
const KEEP_ALIVE_MS = 15_000;
/** Pages, reports and probes beside the students. */
const OTHER_CONNECTIONS = 1024;

export interface Listener {
  readonly port: number;
  /** Ends every connection and frees the port. */
  readonly close: () => Promise<void>;
}

/** Puts the app on a port. Rejects with RelayError `port_in_use` or `listen_failed`. */
export async function listen(
  app: Hono,
  options: {
    readonly host: string;
    /** 0 for any free port. */
    readonly port: number;
    readonly maxFrameBytes: number;
    readonly maxSessions: number;
  },
): Promise<Listener> {
  // maxFragments and closeTimeout are newer than the published types of ws.
  const socketOptions = {
    noServer: true,
    perMessageDeflate: false,
    maxPayload: options.maxFrameBytes + MESSAGE_EXTRA_BYTES,
    maxFragments: MAX_FRAGMENTS,
    closeTimeout: CLOSE_TIMEOUT_MS,
    handleProtocols: (offered: Set<string>) => (offered.has(SUBPROTOCOL) ? SUBPROTOCOL : false),
  };
  const sockets = new WebSocketServer(socketOptions);
  const server = createAdaptorServer({
    fetch: app.fetch,
    websocket: { server: sockets as never },
    serverOptions: {
      headersTimeout: HEADERS_TIMEOUT_MS,
      requestTimeout: REQUEST_TIMEOUT_MS,
      connectionsCheckingInterval: CHECK_EVERY_MS,
      keepAlive: true,
      keepAliveTimeout: KEEP_ALIVE_MS,
    },
  });
  server.setTimeout(IDLE_TIMEOUT_MS);
  guardUpgrades(server);
  server.maxConnections = options.maxSessions + MAX_PENDING_CONNECTIONS + OTHER_CONNECTIONS;
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error) => reject(listenError(error, options)));
    server.listen(options.port, options.host, resolve);
  });
  return {
    port: (server.address() as AddressInfo).port,
    close: async () => {
      for (const socket of sockets.clients) socket.terminate();
      await new Promise<void>((resolve) => {
        server.close(() => resolve());
        if ('closeAllConnections' in server) server.closeAllConnections();
      });
    },
  };
}

/**
 * Puts a guard before the adaptor's upgrade listener. Node hands a socket over without an error listener or a
 * deadline, and the adaptor leaves every upgrade but a WebSocket's as it is and ends refused ones on one side only.
 */
function guardUpgrades(server: ReturnType<typeof createAdaptorServer>): void {
  const [upgradeOfAdaptor] = server.listeners('upgrade') as [
    (request: IncomingMessage, socket: Duplex, head: Buffer) => Promise<void>,
  ];
  server.removeAllListeners('upgrade');
  server.on('upgrade', async (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    socket.on('error', () => {});
    if (!asksForWebSocket(request.headers.upgrade)) return refuseUpgrade(socket, '426 Upgrade Required');
    if (request.url?.split('?', 1)[0] !== STREAM_PATH) return refuseUpgrade(socket, '404 Not Found');
    await upgradeOfAdaptor(request, socket, head);
    if (socket.writableEnded) destroyOnceWritten(socket);
  });
}
