import { once } from 'node:events';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { faceAtScreen } from '../../harness/observations.ts';
import { acceptKey, FrameReader, frameHeader, OPCODE } from '../../harness/raw-websocket.ts';
import { encodeInferenceResponse, LINK_SUBPROTOCOL } from '../../shared/link.ts';

const REQUEST_ID_AT = 4;

/** Answers every request of the link at once with the same observation: it costs next to nothing, so that the gateway is what is measured. */
export async function startInferenceStandIn(): Promise<{ readonly port: number; readonly close: () => void }> {
  const payload = encodeInferenceResponse({ requestId: 0, status: 'ok', serverMs: 2, observation: faceAtScreen() });
  const header = frameHeader(OPCODE.binary, payload.byteLength, { masked: false });
  const idAt = header.length + REQUEST_ID_AT;
  const sockets = new Set<Socket>();
  const server = createServer();
  server.on('upgrade', (request: IncomingMessage, socket: Socket) => {
    sockets.add(socket);
    socket.setNoDelay(true);
    socket.on('error', () => {});
    socket.on('close', () => sockets.delete(socket));
    socket.write(
      [
        'HTTP/1.1 101 Switching Protocols',
        'Upgrade: websocket',
        'Connection: Upgrade',
        `Sec-WebSocket-Accept: ${acceptKey(request.headers['sec-websocket-key'] ?? '')}`,
        `Sec-WebSocket-Protocol: ${LINK_SUBPROTOCOL}`,
        '\r\n',
      ].join('\r\n'),
    );
    const reader = new FrameReader((opcode, request, key) => {
      if (opcode === OPCODE.ping) socket.write(frameHeader(OPCODE.pong, 0, { masked: false }));
      if (opcode !== OPCODE.binary) return;
      const answer = Buffer.concat([header, payload]);
      for (let index = 0; index < 4; index += 1) {
        answer[idAt + index] = (request[REQUEST_ID_AT + index] ?? 0) ^ (key?.[index] ?? 0);
      }
      socket.write(answer);
    });
    // What arrived together is answered together.
    socket.on('data', (chunk: Buffer) => {
      socket.cork();
      reader.push(chunk);
      socket.uncork();
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    close: () => {
      for (const socket of sockets) socket.destroy();
      server.close();
    },
  };
}
