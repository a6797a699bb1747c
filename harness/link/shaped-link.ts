import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { EventQueue } from './events.ts';
import { Path, type PathCounts, type PathShape } from './path.ts';
import { ShapedConnection } from './shaped-connection.ts';

const HOST = '127.0.0.1';

/** A link as its user sees it: up is from the client to the service. */
export interface LinkShape {
  readonly up: PathShape;
  readonly down: PathShape;
}

/** Traffic of one direction. `payloadBytes` are TCP payload: HTTP, WebSocket framing and messages. */
export interface LinkCounts extends PathCounts {
  readonly payloadBytes: number;
}

/** A port that leads to a service over a shaped link. */
export interface ShapedLink {
  readonly port: number;
  counts(): { readonly up: LinkCounts; readonly down: LinkCounts };
  reshape(shape: LinkShape): void;
  /** While true, nothing passes and neither end is notified. */
  setOutage(out: boolean): void;
  /**
   * Cuts every connection. The client always learns of it; the service does with 'told'. One that is
   * 'left' keeps connections whose client is gone, as after a change of network.
   */
  drop(service: 'told' | 'left'): void;
  close(): Promise<void>;
}

/**
 * Opens a link on a free port of loopback to `targetPort`: a TCP proxy in user space. Each connection
 * through it is a simulated TCP connection (TcpFlow) over the link's two shared paths, from its
 * handshake on. `random` decides on losses.
 */
export async function openShapedLink(
  targetPort: number,
  shape: LinkShape,
  random: () => number = Math.random,
): Promise<ShapedLink> {
  const events = new EventQueue();
  const up = new Path(shape.up, random);
  const down = new Path(shape.down, random);
  const connections = new Set<ShapedConnection>();
  const retired = { up: 0, down: 0 };
  let timer: NodeJS.Timeout | undefined;
  let timerAtMs = Number.POSITIVE_INFINITY;

  const schedule = () => {
    const { nextAtMs } = events;
    if (nextAtMs === null || nextAtMs >= timerAtMs) return;
    clearTimeout(timer);
    timerAtMs = nextAtMs;
    timer = setTimeout(turn, Math.max(0, Math.ceil(nextAtMs - performance.now())));
  };
  const turn = () => {
    timerAtMs = Number.POSITIVE_INFINITY;
    events.runUntil(performance.now());
    schedule();
  };
  const onClosed = (connection: ShapedConnection) => {
    if (!connections.delete(connection)) return;
    retired.up += connection.payloadBytes.up;
    retired.down += connection.payloadBytes.down;
  };

  const server = createServer({ allowHalfOpen: true, noDelay: true }, (near) => {
    const connection = new ShapedConnection(near, { host: HOST, targetPort, up, down, events, schedule, onClosed });
    connections.add(connection);
    connection.open(performance.now());
    schedule();
  });
  server.listen(0, HOST);
  await once(server, 'listening');

  return {
    port: (server.address() as AddressInfo).port,
    counts: () => {
      const payload = { ...retired };
      for (const { payloadBytes } of connections) {
        payload.up += payloadBytes.up;
        payload.down += payloadBytes.down;
      }
      return {
        up: { ...up.counts, payloadBytes: payload.up },
        down: { ...down.counts, payloadBytes: payload.down },
      };
    },
    reshape: (next) => {
      up.reshape(next.up);
      down.reshape(next.down);
    },
    setOutage: (out) => {
      up.outage = out;
      down.outage = out;
    },
    drop: (service) => {
      for (const connection of connections) connection.cut(service);
    },
    close: async () => {
      clearTimeout(timer);
      const closed = once(server, 'close');
      server.close();
      for (const connection of connections) connection.cut('told');
      await closed;
    },
  };
}
