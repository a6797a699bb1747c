import type { WebSocket } from 'ws';
import { MAX_MISSED_CHECKS, type Transport } from '../session/transport.ts';

/** A student's WebSocket. */
export class WebSocketTransport implements Transport {
  readonly kind = 'websocket';
  readonly #socket: WebSocket;
  #unansweredPings = 0;

  constructor(socket: WebSocket) {
    this.#socket = socket;
    socket.on('pong', () => {
      this.#unansweredPings = 0;
    });
  }

  get isOpen(): boolean {
    return this.#socket.readyState === this.#socket.OPEN;
  }

  get bufferedAmount(): number {
    return this.#socket.bufferedAmount;
  }

  send(data: string | Uint8Array): void {
    this.#socket.send(data);
  }

  close(code: number, reason: string): void {
    this.#socket.close(code, reason);
  }

  checkAlive(): void {
    if (this.#unansweredPings >= MAX_MISSED_CHECKS) {
      this.#socket.terminate();
      return;
    }
    this.#unansweredPings += 1;
    this.#socket.ping();
  }
}
