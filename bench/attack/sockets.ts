import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { clientFrame, frameHeader, OPCODE, openRaw } from '../../harness/raw-websocket.ts';
import { LINK_PATH } from '../../shared/link.ts';
import { STREAM_PATH, SUBPROTOCOL } from '../../shared/protocol/version.ts';
import { type Attack, hold } from './context.ts';

const NO_WEBSOCKET = ['h2c', 'websocket, ws', 'TLS/1.0', 'websocket/13'];
/** The product's own deadlines are a few seconds; a socket that lives longer than this is leaked. */
const GONE_WITHIN_MS = 20_000;

async function open(url: string): Promise<Socket> {
  const { hostname, port } = new URL(url);
  const socket = connect({ host: hostname, port: Number(port) });
  socket.on('error', () => {});
  await once(socket, 'connect');
  return socket;
}

/** True when the other side has closed the socket in time. */
async function isGone(socket: Socket): Promise<boolean> {
  if (socket.destroyed) return true;
  socket.resume();
  const timer = setTimeout(() => socket.destroy(new Error('kept open')), GONE_WITHIN_MS);
  let isKept = false;
  socket.once('error', (error) => (isKept = error.message === 'kept open'));
  await new Promise((resolve) => socket.once('close', resolve));
  clearTimeout(timer);
  return !isKept;
}

const upgrade = (path: string, to: string) =>
  `GET ${path} HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: ${to}\r\n\r\n`;

const upgrades: Attack = {
  name: 'upgrades to what is no WebSocket, reset, closed or held',
  async run({ url, inferenceUrl, times }) {
    const count = times(400, 40);
    const held: Socket[] = [];
    for (let index = 0; index < count; index += 1) {
      const [target, path] = index % 2 === 0 ? [url, STREAM_PATH] : [inferenceUrl, LINK_PATH];
      const socket = await open(target);
      socket.write(upgrade(index % 3 === 0 ? '/' : path, NO_WEBSOCKET[index % NO_WEBSOCKET.length] ?? 'h2c'));
      if (index % 4 < 2) socket.resetAndDestroy();
      else if (index % 4 === 2) socket.end();
      else held.push(socket);
    }
    const gone = await Promise.all(held.map(isGone));
    hold(gone.every(Boolean), `${gone.filter((one) => !one).length} held sockets are kept open`);
    return `${count} upgrades, ${held.length} held and all closed`;
  },
};

const slowHeads: Attack = {
  name: 'request heads and hellos a byte at a time',
  async run({ url, times }) {
    const count = times(200, 20);
    const sockets = await Promise.all(Array.from({ length: count }, () => open(url)));
    for (const socket of sockets) socket.write(`GET ${STREAM_PATH} HTTP/1.1\r\nHost: localhost\r\n`);
    const timer = setInterval(() => {
      for (const socket of sockets) if (socket.writable) socket.write('x: y\r\n');
    }, 500);
    const gone = await Promise.all(sockets.map(isGone));
    clearInterval(timer);
    hold(gone.every(Boolean), `${gone.filter((one) => !one).length} slow heads are kept open`);
    return `${count} slow heads, all closed`;
  },
};

const silent: Attack = {
  name: 'WebSockets that never say hello',
  async run({ url, times }) {
    const count = times(400, 300);
    const opened = await Promise.all(
      Array.from({ length: count }, () => openRaw(url, { path: STREAM_PATH, protocol: SUBPROTOCOL }).catch(() => null)),
    );
    const sockets = opened.flatMap((one) => (one === null ? [] : [one.socket]));
    const gone = await Promise.all(sockets.map(isGone));
    hold(gone.every(Boolean), `${gone.filter((one) => !one).length} silent sockets are kept open`);
    return `${count} sockets of one address, all closed`;
  },
};

const frames: Attack = {
  name: 'WebSocket frames that no library sends',
  async run({ url, below, times }) {
    const count = times(400, 60);
    for (let index = 0; index < count; index += 1) {
      const { socket } = await openRaw(url, { path: STREAM_PATH, protocol: SUBPROTOCOL });
      const length = below(2000);
      const payload = Buffer.from(Array.from({ length }, () => below(256)));
      const bytes = [
        () => Buffer.concat([frameHeader(below(16), length, { fin: below(2) === 0, masked: below(2) === 0 }), payload]),
        () => frameHeader(OPCODE.binary, 2 ** 31 + below(1000)),
        () => Buffer.concat(Array.from({ length: 100 }, () => clientFrame(OPCODE.continuation, 'x', false))),
        () => Buffer.concat([Buffer.of(0xf2 | below(8)), payload]),
        () => payload,
      ];
      socket.write(bytes[below(bytes.length)]?.() ?? payload);
      if (below(2) === 0) socket.resetAndDestroy();
      else socket.destroy();
    }
    return `${count} connections with broken frames`;
  },
};

export const SOCKET_ATTACKS: readonly Attack[] = [upgrades, slowHeads, silent, frames];
