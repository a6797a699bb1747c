import type { AddressInfo } from 'node:net';
import { createAdaptorServer } from '@hono/node-server';
import type { Hono } from 'hono';
import { WebSocketServer } from 'ws';
import { listenError } from '../../shared/listen-error.ts';
import { SUBPROTOCOL } from '../../shared/protocol/version.ts';
import { MOST_NEWCOMERS } from './newcomers.ts';

/** Room beyond the picture for its header, and for the longest control message. */
const MESSAGE_EXTRA_BYTES = 1024;
/** Browsers send a message of this size in one piece, or a few. */
const MAX_FRAGMENTS = 32;
/** A peer that does not answer a close is gone after this. */
const CLOSE_TIMEOUT_MS = 3000;
/** Whoever takes longer to ask is not asking. */
const HEADERS_TIMEOUT_MS = 5000;
const REQUEST_TIMEOUT_MS = 30_000;
const CHECK_EVERY_MS = 1000;
/** Pages, reports and probes beside the students. */
const OTHER_CONNECTIONS = 1024;

export interface Listener {
  readonly port: number;
  /** Ends every connection and gives the port back. */
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
    },
  });
  server.maxConnections = options.maxSessions + MOST_NEWCOMERS + OTHER_CONNECTIONS;
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
