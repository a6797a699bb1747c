import { deviceId } from '../session/device-memory.ts';
import { RelayConnection } from './connection.ts';
import type { ConnectionCallbacks } from './connection-options.ts';
import type { Outbox } from './outbox.ts';

/** No connection for this long ends tracking, so that no camera stays on for nothing. */
const OUTAGE_LIMIT_MS = 10 * 60_000;

export interface BrowserConnectionOptions extends ConnectionCallbacks {
  /** Address of the gateway's stream. */
  readonly url: string;
  readonly resumeToken: string | null;
  getTicket(): Promise<string>;
  readonly outbox: Outbox | null;
}

/** A connection over the browser's own socket, clock, chance and timers. */
export function createBrowserConnection(options: BrowserConnectionOptions): RelayConnection {
  return new RelayConnection({
    ...options,
    createSocket: (url, subprotocol) => new WebSocket(url, subprotocol),
    now: () => performance.now(),
    random: Math.random,
    setTimer: (callback, delayMs) => window.setTimeout(callback, delayMs),
    clearTimer: (handle) => window.clearTimeout(handle as number),
    client: 'gaze-relay-browser/1',
    device: deviceId(),
    outageLimitMs: OUTAGE_LIMIT_MS,
  });
}
