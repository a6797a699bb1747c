import { once } from 'node:events';
import { createConnection, createServer, type Socket } from 'node:net';

const HOST = '127.0.0.1';

/** A port that leads to another one for as long as the link is up. */
export interface TcpLink {
  readonly port: number;
  /** Cuts every connection and refuses new ones. */
  cut(): Promise<void>;
  restore(): Promise<void>;
  close(): Promise<void>;
}

/** Opens a link on a free port of loopback to `targetPort`. */
export async function openTcpLink(targetPort: number): Promise<TcpLink> {
  const sockets = new Set<Socket>();
  const server = createServer((near) => {
    const far = createConnection(targetPort, HOST);
    for (const [one, other] of [
      [near, far],
      [far, near],
    ] as const) {
      sockets.add(one);
      one.on('error', () => undefined);
      one.on('close', () => {
        sockets.delete(one);
        other.destroy();
      });
      one.pipe(other);
    }
  });
  let port = 0;
  const listen = async () => {
    server.listen(port, HOST);
    await once(server, 'listening');
    const address = server.address();
    if (address !== null && typeof address === 'object') port = address.port;
  };
  const cut = async () => {
    if (!server.listening) return;
    const closed = once(server, 'close');
    server.close();
    for (const socket of sockets) socket.resetAndDestroy();
    await closed;
  };
  await listen();
  return {
    get port() {
      return port;
    },
    cut,
    restore: async () => {
      if (!server.listening) await listen();
    },
    close: cut,
  };
}
