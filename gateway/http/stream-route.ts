import { upgradeWebSocket } from '@hono/node-server';
import type { Hono } from 'hono';
import type { WSContext } from 'hono/ws';
import type { WebSocket } from 'ws';
import { CLOSE } from '../../shared/protocol/errors.ts';
import { STREAM_PATH, SUBPROTOCOL } from '../../shared/protocol/version.ts';
import type { Logger } from '../logger.ts';
import type { Stream } from '../session/stream.ts';
import { fault } from './faults.ts';
import { isAllowedOrigin, type OriginPolicy } from './origins.ts';

export interface StreamRouteDependencies {
  readonly origins: OriginPolicy;
  readonly logger: Logger;
  readonly openStream: (socket: WebSocket) => Stream;
  readonly closeStream: (stream: Stream) => void;
}

/** Where students' WebSockets come in. */
export function mountStream(app: Hono, use: StreamRouteDependencies): void {
  const { origins, logger } = use;
  app.get(
    STREAM_PATH,
    async (context, next) => {
      const origin = context.req.header('origin');
      if (origin !== undefined && !isAllowedOrigin(origins, origin)) {
        logger.warn(
          { code: 'origin_not_allowed', origin: origin.slice(0, 200) },
          'connection refused; add the origin to ALLOWED_ORIGINS',
        );
        return context.json(fault('origin_not_allowed', 'this origin is not in ALLOWED_ORIGINS'), 403);
      }
      if (context.req.header('upgrade')?.toLowerCase() !== 'websocket') {
        return context.json(fault('upgrade_required', `connect a WebSocket with subprotocol ${SUBPROTOCOL}`), 426);
      }
      await next();
    },
    upgradeWebSocket(() => {
      let stream: Stream | null = null;
      return {
        onOpen: (_event, socket: WSContext) => {
          const raw = socket.raw as WebSocket;
          if (raw.protocol !== SUBPROTOCOL) {
            raw.close(CLOSE.protocolViolation, 'subprotocol_missing');
            return;
          }
          const opened = use.openStream(raw);
          stream = opened;
          // Not by onMessage: it makes a copy of each picture, and an event.
          raw.on('message', (data: Buffer, isBinary) => {
            if (isBinary) opened.receiveBinary(data);
            else opened.receiveText(data.toString('utf8'));
          });
        },
        onClose: () => {
          if (stream !== null) use.closeStream(stream);
        },
        onError: (event) => logger.debug({ reason: String(event.type) }, 'socket error'),
      };
    }),
  );
}
