import { RelayConnection } from '../connection/connection.ts';
import type { ConnectionCallbacks } from '../connection/connection-options.ts';
import type { Outbox } from '../connection/outbox.ts';
import { deviceId } from './device-memory.ts';

/** Without a connection for this long tracking ends, so that the camera does not stay on for nothing. */
const OUTAGE_LIMIT_MS = 10 * 60_000;

export interface BrowserConnectionOptions extends ConnectionCallbacks {
  /** Address of the gateway's stream. */
  readonly url: string;
  readonly resumeToken: string | null;
  getTicket(): Promise<string>;
  readonly outbox: Outbox | null;
}

/** A connection on the browser's socket, clock, randomness and timers. */
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
