import type { WebSocketLike } from '../connection/socket.ts';
import type { TransportRecord } from '../connection/transport-choice.ts';
import type { Transports, TransportsOptions } from '../connection/transports.ts';
import { loadAsset } from '../lib/gateway-assets.ts';

/** Earlier than this a WebSocket that ends has not shown that it works. */
const WORKS_AFTER_MS = 10_000;

/** Where it is stored that POSTs were the way through to a gateway. */
const memoryKey = (httpOrigin: string): string => `gaze-relay:post:${httpOrigin}`;

/**
 * WebSockets, until one of them, or an earlier page, gives a reason to load what chooses between them and POSTs: few
 * networks do.
 */
export function openTransports(options: Omit<TransportsOptions, 'last' | 'memoryKey'>): {
  /** Before each connection. Never rejects. */
  prepare(): Promise<void>;
  open(url: string, subprotocol: string): WebSocketLike;
} {
  const { httpOrigin, now } = options;
  const key = memoryKey(httpOrigin);
  let chosen: Transports | null = null;
  let last: TransportRecord | null = null;
  return {
    prepare: async () => {
      try {
        const isDoubtful =
          last === null ? key in localStorage : last.updates === 0 || now() - last.startedAtMs < WORKS_AFTER_MS;
        if (chosen !== null || !isDoubtful) return;
        const module = await loadAsset<typeof import('../connection/transports.ts')>('transports', httpOrigin);
        chosen = new module.Transports({ ...options, memoryKey: key, last });
      } catch {
        // No storage, or no way to the gateway: a WebSocket is tried again.
      }
    },
    open: (url, subprotocol) => {
      if (chosen !== null) return chosen.open(url, subprotocol);
      const socket = new WebSocket(url, subprotocol);
      const record: TransportRecord = {
        kind: 'websocket',
        startedAtMs: now(),
        messages: 0,
        updates: 0,
        closeCode: null,
      };
      last = record;
      socket.onmessage = ({ data }) => {
        record.messages++;
        if (typeof data !== 'string') record.updates++;
      };
      socket.onclose = ({ code }) => {
        record.closeCode = code;
      };
      return socket;
    },
  };
}
