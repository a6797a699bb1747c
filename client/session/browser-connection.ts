import type { Mode } from '../../shared/direction.ts';
import type { GatewayAddresses } from '../connection/addresses.ts';
import { RelayConnection } from '../connection/connection.ts';
import type { ConnectionCallbacks } from '../connection/connection-options.ts';
import type { Outbox } from '../connection/outbox.ts';
import { deviceId } from './device-memory.ts';
import { openTransports } from './open-transports.ts';

/** Without a connection for this long server mode ends, so that the camera does not stay on for nothing. */
const OUTAGE_LIMIT_MS = 10 * 60_000;

export interface BrowserConnectionOptions extends ConnectionCallbacks {
  readonly addresses: GatewayAddresses;
  readonly resumeToken: string | null;
  getTicket(): Promise<string>;
  readonly outbox: Outbox | null;
  /** Where observations are made now. */
  mode(): Mode;
}

/** A connection on the browser's transports, clock, randomness and timers. */
export function createBrowserConnection({ addresses, ...options }: BrowserConnectionOptions): RelayConnection {
  const browser = {
    now: () => performance.now(),
    setTimer: (callback: () => void, delayMs: number) => window.setTimeout(callback, delayMs),
    clearTimer: (handle: unknown) => window.clearTimeout(handle as number),
  };
  const transports = openTransports({ ...browser, httpOrigin: addresses.httpOrigin, mode: options.mode });
  return new RelayConnection({
    ...options,
    ...browser,
    url: addresses.streamUrl,
    getTicket: async () => {
      const [ticket] = await Promise.all([options.getTicket(), transports.prepare()]);
      return ticket;
    },
    createSocket: transports.open,
    random: Math.random,
    client: 'gaze-relay-browser/1',
    device: deviceId(),
    // The device keeps a whole lesson.
    outageLimitMs: () => (options.mode() === 'device' ? null : OUTAGE_LIMIT_MS),
  });
}
