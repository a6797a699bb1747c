import { EventEmitter } from 'node:events';
import { describe, expect, it } from 'vitest';
import type { WebSocket } from 'ws';
import { WebSocketTransport } from '../../../gateway/http/websocket-transport.ts';

/** A socket whose peer answers pings when a test says so: none can be made to miss them within a test's time. */
class SilentSocket extends EventEmitter {
  pings = 0;
  isTerminated = false;
  ping(): void {
    this.pings += 1;
  }
  terminate(): void {
    this.isTerminated = true;
  }
}

function opened() {
  const socket = new SilentSocket();
  return { socket, transport: new WebSocketTransport(socket as unknown as WebSocket) };
}

describe('C-5 pings', () => {
  it('one without a pong does not end the connection, two do', () => {
    const { socket, transport } = opened();
    transport.checkAlive();
    transport.checkAlive();
    expect([socket.pings, socket.isTerminated]).toEqual([2, false]);
    transport.checkAlive();
    expect([socket.pings, socket.isTerminated]).toEqual([2, true]);
  });

  it('a pong answers for all before it', () => {
    const { socket, transport } = opened();
    for (let round = 0; round < 5; round++) {
      transport.checkAlive();
      transport.checkAlive();
      socket.emit('pong');
    }
    expect([socket.pings, socket.isTerminated]).toEqual([10, false]);
  });
});
