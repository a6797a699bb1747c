import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Server } from 'socket.io';

/**
 * A process of its own: the time account of the old design on Socket.IO, in the memory of the server, with Socket.IO's
 * connection-state recovery, which gives a session its data back where the same server still has it. Says its port to its parent.
 */
const MAX_COVER_MS = 2000;
const http = createServer((request, response) => {
  response.writeHead(request.url === '/readyz' ? 200 : 404).end();
});
const io = new Server(http, {
  transports: ['websocket'],
  connectionStateRecovery: { maxDisconnectionDuration: 120_000, skipMiddlewares: true },
});
io.on('connection', (socket) => {
  if (!socket.recovered) Object.assign(socket.data, { countedMs: 0, lastMs: null });
  socket.on('observation', (captureMs: number, acknowledge: (countedMs: number, recovered: boolean) => void) => {
    const data = socket.data as { countedMs: number; lastMs: number | null };
    const coveredMs = data.lastMs === null ? 0 : captureMs - data.lastMs;
    if (coveredMs <= MAX_COVER_MS) data.countedMs += coveredMs;
    data.lastMs = captureMs;
    acknowledge(data.countedMs, socket.recovered);
  });
});
http.listen(Number(process.env.PORT ?? 0), '127.0.0.1', () => {
  process.send?.({ type: 'ready', port: (http.address() as AddressInfo).port });
});
