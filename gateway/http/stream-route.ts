import { type HttpBindings, upgradeWebSocket } from '@hono/node-server';
import { type Context, Hono } from 'hono';
import type { WSContext } from 'hono/ws';
import type { WebSocket } from 'ws';
import { faultMessage } from '../../shared/protocol/control.ts';
import { CLOSE, ProtocolError } from '../../shared/protocol/errors.ts';
import { STREAM_PATH, SUBPROTOCOL } from '../../shared/protocol/version.ts';
import type { Logger } from '../lib/logger.ts';
import type { Stream } from '../session/stream.ts';
import { addressOwner } from './client-address.ts';
import { fault } from './faults.ts';
import { isAllowedOrigin, type OriginPolicy } from './origins.ts';
import { PendingConnections } from './pending-connections.ts';
import { refusedOrigins } from './refused-origins.ts';

export interface StreamRouteDependencies {
  readonly origins: OriginPolicy;
  readonly logger: Logger;
  /** Header in which a proxy names the client's address; null: the connection's own counts. */
  readonly clientAddressHeader: string | null;
  /** `identified` is called when the stream has shown a valid ticket. */
  readonly openStream: (socket: WebSocket, identified: () => void) => Stream;
  /** A connection without a ticket lost its place to another. */
  readonly onDisplaced: () => void;
  readonly closeStream: (stream: Stream) => void;
}

interface StreamEnvironment {
  Bindings: HttpBindings;
  Variables: { identified: () => void };
}

/** Where students' WebSockets come in. */
export function mountStream(app: Hono, deps: StreamRouteDependencies): void {
  const { origins, logger } = deps;
  const noteRefused = refusedOrigins(logger, () => performance.now());
  const pending = new PendingConnections();
  const addressOf = (context: Context<StreamEnvironment>): string => {
    const named = deps.clientAddressHeader === null ? undefined : context.req.header(deps.clientAddressHeader);
    return addressOwner(named ?? context.env.incoming.socket.remoteAddress ?? '');
  };
  const route = new Hono<StreamEnvironment>();
  route.get(
    STREAM_PATH,
    async (context, next) => {
      const origin = context.req.header('origin');
      if (origin !== undefined && !isAllowedOrigin(origins, origin)) {
        noteRefused(origin);
        return context.json(fault('origin_not_allowed', 'this origin is not in ALLOWED_ORIGINS'), 403);
      }
      if (context.req.header('upgrade')?.toLowerCase() !== 'websocket') {
        return context.json(fault('upgrade_required', `connect a WebSocket with subprotocol ${SUBPROTOCOL}`), 426);
      }
      const { socket } = context.env.incoming;
      // Destroyed, not closed: a peer that does not answer a close would hold its place for seconds.
      const identified = pending.enter(addressOf(context), () => {
        deps.onDisplaced();
        socket.destroy();
      });
      socket.once('close', identified);
      context.set('identified', identified);
      await next();
    },
    upgradeWebSocket((context: Context<StreamEnvironment>) => {
      let stream: Stream | null = null;
      return {
        onOpen: (_event, socket: WSContext) => {
          const raw = socket.raw as WebSocket;
          if (raw.protocol !== SUBPROTOCOL) {
            const error = new ProtocolError('subprotocol_missing', `name the subprotocol ${SUBPROTOCOL}`);
            raw.send(JSON.stringify(faultMessage(error)));
            raw.close(CLOSE.protocolViolation, error.fault);
            return;
          }
          const opened = deps.openStream(raw, context.get('identified'));
          stream = opened;
          // Not by onMessage: it makes a copy of each picture, and an event.
          raw.on('message', (data: Buffer, isBinary) => {
            if (isBinary) opened.receiveBinary(data);
            else opened.receiveText(data.toString('utf8'));
          });
        },
        onClose: () => {
          if (stream !== null) deps.closeStream(stream);
        },
        onError: (event) => logger.debug({ reason: String(event.type) }, 'socket error'),
      };
    }),
  );
  app.route('/', route);
}
