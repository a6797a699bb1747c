import { once } from 'node:events';
import { connect } from 'node:net';
import { expect, it } from 'vitest';

const NO_WEBSOCKET = ['h2c', 'websocket, ws', 'TLS/1.0', 'websocket/13'];

/** Sends a request head and resolves with all that came until the server closed its side; the client never does. */
async function answerOf(url: string, head: string): Promise<string> {
  const { hostname, port } = new URL(url);
  const socket = connect({ host: hostname, port: Number(port), allowHalfOpen: true });
  await once(socket, 'connect');
  socket.write(head);
  let text = '';
  for await (const chunk of socket) text += String(chunk);
  // A server that ended its side alone would still take this; one that has closed resets the connection.
  const gone = new Promise((resolve) => socket.once('close', resolve).once('error', resolve));
  const writing = setInterval(() => socket.writable && socket.write('x'), 20);
  await gone;
  clearInterval(writing);
  return text;
}

const request = (path: string, upgrade: string, more = '') =>
  `GET ${path} HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: ${upgrade}\r\n${more}\r\n`;

/** What every service of this project does with a connection that asks for an upgrade it does not serve. */
export function describeRefusedUpgrades(service: { readonly url: () => string; readonly path: string }): void {
  it.each(NO_WEBSOCKET)('upgrade to "%s" is answered 426, and the connection is closed', async (upgrade) => {
    for (const path of ['/', service.path]) {
      expect(await answerOf(service.url(), request(path, upgrade))).toMatch(/^HTTP\/1\.1 426 /);
    }
  });

  it('a refused WebSocket is closed, too, though the peer keeps its side open', async () => {
    expect(await answerOf(service.url(), request('/nothing-here', 'websocket'))).toMatch(/^HTTP\/1\.1 404 /);
    expect(await answerOf(service.url(), request(service.path, 'websocket'))).toMatch(/^HTTP\/1\.1 400 /);
    const foreign = request(service.path, 'websocket', 'Origin: https://elsewhere.example\r\n');
    expect(await answerOf(service.url(), foreign)).toMatch(/^HTTP\/1\.1 4\d\d /);
  });

  it('a connection that is reset after it asked for an upgrade does not end the service', async () => {
    const { hostname, port } = new URL(service.url());
    for (const upgrade of [...NO_WEBSOCKET, 'websocket']) {
      for (const path of ['/', service.path]) {
        const socket = connect({ host: hostname, port: Number(port) });
        socket.on('error', () => {});
        await once(socket, 'connect');
        await new Promise((resolve) => socket.write(request(path, upgrade), resolve));
        socket.resetAndDestroy();
      }
    }
    expect((await fetch(new URL('/healthz', service.url()))).status).toBe(200);
  });
}
