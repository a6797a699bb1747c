import { type HttpBindings, upgradeWebSocket } from '@hono/node-server';
import { type Context, Hono } from 'hono';
import type { WSContext } from 'hono/ws';
import type { WebSocket } from 'ws';
import { faultMessage } from '../../shared/protocol/control.ts';
import { CLOSE, ProtocolError } from '../../shared/protocol/errors.ts';
import { STREAM_PATH, SUBPROTOCOL } from '../../shared/protocol/version.ts';
import type { Logger } from '../lib/logger.ts';
import type { Stream } from '../session/stream.ts';
import type { Transport } from '../session/transport.ts';
import { fault } from './faults.ts';
import type { StreamGuard, StreamGuardDependencies } from './stream-guard.ts';
import { WebSocketTransport } from './websocket-transport.ts';

export interface StreamRouteDependencies extends StreamGuardDependencies {
  readonly logger: Logger;
  /** `identified` is called when the stream has shown a valid ticket. */
  readonly openStream: (transport: Transport, identified: () => void) => Stream;
  readonly closeStream: (stream: Stream) => void;
}

interface StreamEnvironment {
  Bindings: HttpBindings;
  Variables: { identified: () => void };
}

/** Where students' WebSockets come in. */
export function mountStream(app: Hono, deps: StreamRouteDependencies, guard: StreamGuard): void {
  const { logger } = deps;
  const route = new Hono<StreamEnvironment>();
  route.get(
    STREAM_PATH,
    async (context, next) => {
      const refusal = guard.refusal(context);
      if (refusal !== null) return refusal;
      if (context.req.header('upgrade')?.toLowerCase() !== 'websocket') {
        return context.json(fault('upgrade_required', `connect a WebSocket with subprotocol ${SUBPROTOCOL}`), 426);
      }
      const { socket } = context.env.incoming;
      // Destroyed, not closed: a peer that does not answer a close would hold its place for seconds.
      const identified = guard.enter(context, () => socket.destroy());
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
          const opened = deps.openStream(new WebSocketTransport(raw), context.get('identified'));
          stream = opened;
          // Not by onMessage: it makes a copy of each picture, and an event.
          raw.on('message', (data: Buffer, isBinary) => {
            if (isBinary) opened.receiveBinary(data);
            else opened.receiveText(data.toString('utf8'));
          });
          // The library has answered it already.
          raw.on('ping', () => opened.dispatch({ type: 'ping' }));
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
