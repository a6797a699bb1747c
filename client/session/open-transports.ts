import { SUBPROTOCOL } from '../../shared/protocol/version.ts';
import type { GatewayAddresses } from '../connection/addresses.ts';
import type { WebSocketLike } from '../connection/socket.ts';
import { newRecord, type TransportRecord } from '../connection/transport-choice.ts';
import type { Transports, TransportsOptions } from '../connection/transports.ts';
import { loadAsset } from '../lib/gateway-assets.ts';

/** Earlier than this a WebSocket that ends has not shown that it works. */
const WORKS_AFTER_MS = 10_000;

/** Where it is stored that POSTs were the way through to a gateway. */
const memoryKey = (httpOrigin: string): string => `gaze-relay:post:${httpOrigin}`;

/** The gateway waits 5 s for the first message: a socket that is not used by then is closed before. */
const AHEAD_MS = 4000;

let ahead: WebSocket | null = null;

/** Opens a WebSocket while the ticket is fetched and the camera opened: the session's first connection takes it. */
export function openAhead({ streamUrl, httpOrigin }: GatewayAddresses): void {
  takeAhead('');
  try {
    if (memoryKey(httpOrigin) in localStorage) return;
    const socket = new WebSocket(streamUrl, SUBPROTOCOL);
    ahead = socket;
    setTimeout(() => {
      if (ahead === socket) takeAhead('');
    }, AHEAD_MS);
  } catch {
    // The session's own attempt says what is wrong.
  }
}

/** The socket that was opened ahead, if it is of this address and not closed. It is used once. */
function takeAhead(url: string): WebSocket | null {
  const socket = ahead;
  ahead = null;
  if (socket?.url !== url) {
    socket?.close();
    return null;
  }
  if (socket.readyState > WebSocket.OPEN) return null;
  // The listeners are added after this.
  if (socket.readyState === WebSocket.OPEN) setTimeout(() => socket.dispatchEvent(new Event('open')));
  return socket;
}

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
      const socket = takeAhead(url) ?? new WebSocket(url, subprotocol);
      const record = newRecord('websocket', now());
      last = record;
      socket.onopen = () => {
        record.opened = true;
      };
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
