import { once } from 'node:events';
import { type AddressInfo, createConnection, createServer, type Server, type Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openShapedLink, type ShapedLink } from '../../harness/link/shaped-link.ts';
import { symmetricLink } from '../../harness/link/shapes.ts';

let echo: Server;
let atService: Socket[];
let link: ShapedLink;

async function connect(): Promise<Socket> {
  const socket = createConnection(link.port, '127.0.0.1');
  socket.on('error', () => {});
  await once(socket, 'connect');
  return socket;
}

/** Resolves when the socket is closed, also by a reset. */
function closed(socket: Socket): Promise<void> {
  return new Promise((resolve) => socket.once('close', () => resolve()));
}

async function read(socket: Socket, bytes: number): Promise<Buffer> {
  const parts: Buffer[] = [];
  let length = 0;
  while (length < bytes) {
    const [part] = (await once(socket, 'data')) as [Buffer];
    parts.push(part);
    length += part.length;
  }
  return Buffer.concat(parts);
}

beforeEach(async () => {
  atService = [];
  echo = createServer({ allowHalfOpen: true }, (socket) => {
    atService.push(socket);
    socket.on('error', () => {});
    socket.pipe(socket);
  }).listen(0, '127.0.0.1');
  await once(echo, 'listening');
  link = await openShapedLink((echo.address() as AddressInfo).port, symmetricLink({ kbps: 4000, rttMs: 10 }));
});

afterEach(async () => {
  await link.close();
  for (const socket of atService) socket.destroy();
  echo.close();
});

describe('a shaped link', () => {
  it('carries bytes both ways unharmed, counts them, and passes on the end', async () => {
    const socket = await connect();
    const sent = Buffer.from(Array.from({ length: 50_000 }, (_, index) => index & 255));
    const answer = read(socket, sent.length);
    socket.end(sent);
    expect((await answer).equals(sent)).toBe(true);
    await closed(socket);
    const { up, down } = link.counts();
    expect(up.payloadBytes).toBe(sent.length);
    expect(down.payloadBytes).toBe(sent.length);
    expect(up.wireBytes).toBeGreaterThan(sent.length);
  });

  it('continues after an outage where it was, and lets nothing through meanwhile', async () => {
    const socket = await connect();
    socket.write('before');
    await read(socket, 6);
    const { packets } = link.counts().up;
    link.setOutage(true);
    socket.write('after');
    // The first packet and its first repetition.
    while (link.counts().up.packets < packets + 2) await new Promise((resolve) => setImmediate(resolve));
    expect(link.counts().up.lost).toBeGreaterThanOrEqual(2);
    link.setOutage(false);
    expect(String(await read(socket, 5))).toBe('after');
    socket.destroy();
  });

  it('cuts connections for both, or for the client alone', async () => {
    for (const service of ['told', 'left'] as const) {
      const socket = await connect();
      socket.write('x');
      await read(socket, 1);
      const far = atService.at(-1) as Socket;
      const gone = service === 'told' ? [closed(socket), closed(far)] : [closed(socket)];
      link.drop(service);
      await Promise.all(gone);
      expect(far.destroyed).toBe(service === 'told');
    }
    const again = await connect();
    again.write('back');
    expect(String(await read(again, 4))).toBe('back');
    again.destroy();
  });
});
