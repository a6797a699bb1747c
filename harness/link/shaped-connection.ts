import { createConnection, type Socket } from 'node:net';
import type { EventQueue } from './events.ts';
import type { Path } from './path.ts';
import { HEADER_BYTES, TcpFlow } from './tcp-flow.ts';

/** What a sender may have written and not sent before it must wait: an operating system's send buffer. */
const SEND_BUFFER_BYTES = 64 * 1024;
/** How often a sender that must wait looks again. */
const LOOK_AGAIN_MS = 10;
/** A SYN that gets lost is sent again after this long, then after twice, four times… as long (RFC 6298). */
const SYN_RETRY_MS = 1000;

export interface Surroundings {
  readonly host: string;
  readonly targetPort: number;
  readonly up: Path;
  readonly down: Path;
  readonly events: EventQueue;
  /** To be called after anything from outside that may have added an event. */
  schedule(): void;
  /** Both sockets are gone. */
  onClosed(connection: ShapedConnection): void;
}

/** One connection through a link. `near` is the client's socket, `far` the one to the service. */
export class ShapedConnection {
  readonly #around: Surroundings;
  readonly #near: Socket;
  #far: Socket | null = null;
  readonly #up: TcpFlow;
  readonly #down: TcpFlow;
  #isRelayed = false;
  #isOver = false;

  constructor(near: Socket, around: Surroundings) {
    const { up, down, events } = around;
    this.#around = around;
    this.#near = near;
    this.#up = new TcpFlow(up, down, events, {
      deliver: (bytes) => this.#far?.write(bytes),
      end: () => this.#far?.end(),
    });
    this.#down = new TcpFlow(down, up, events, {
      deliver: (bytes) => {
        if (near.writable) near.write(bytes);
      },
      end: () => near.end(),
    });
    near.on('error', () => {});
    near.on('close', () => this.#onSocketClosed());
  }

  /** Payload bytes of both directions so far, each byte once. */
  get payloadBytes(): { readonly up: number; readonly down: number } {
    return { up: this.#up.payloadBytes, down: this.#down.payloadBytes };
  }

  /** The handshake: a round trip, tried again while its packets get lost. */
  open(nowMs: number, retryMs = SYN_RETRY_MS): void {
    const { up, down, events } = this.#around;
    if (this.#isOver || this.#isRelayed) return;
    const arrivesAtMs = up.offer(HEADER_BYTES, nowMs);
    if (arrivesAtMs !== null) {
      events.at(arrivesAtMs, (atMs) => {
        this.#connectFar();
        const answeredAtMs = down.offer(HEADER_BYTES, atMs);
        if (answeredAtMs !== null) events.at(answeredAtMs, () => this.#onHandshake());
      });
    }
    events.at(nowMs + retryMs, (atMs) => this.open(atMs, retryMs * 2));
  }

  /**
   * Cuts the connection for the client, and for the service too when `service` is 'told'. A service
   * that is 'left' keeps a socket over which nothing comes any more.
   */
  cut(service: 'told' | 'left'): void {
    this.#isOver = true;
    this.#up.close();
    this.#down.close();
    this.#near.resetAndDestroy();
    if (service === 'told') this.#far?.resetAndDestroy();
  }

  #connectFar(): void {
    if (this.#far !== null || this.#isOver) return;
    const { host, targetPort: port } = this.#around;
    const far = createConnection({ host, port, allowHalfOpen: true, noDelay: true });
    this.#far = far;
    far.on('error', () => {});
    far.on('close', () => this.#onSocketClosed());
    this.#relay(far, this.#down);
  }

  #onHandshake(): void {
    if (this.#isOver || this.#isRelayed) return;
    this.#isRelayed = true;
    this.#relay(this.#near, this.#up);
  }

  /** From a socket into its flow, no faster than the flow sends. */
  #relay(socket: Socket, flow: TcpFlow): void {
    const { events, schedule } = this.#around;
    let isEnded = false;
    const end = () => {
      if (isEnded) return;
      isEnded = true;
      flow.end(performance.now());
      schedule();
    };
    socket.on('data', (bytes) => {
      events.runUntil(performance.now());
      flow.write(bytes, performance.now());
      if (flow.unsentBytes > SEND_BUFFER_BYTES) {
        socket.pause();
        this.#resumeLater(socket, flow);
      }
      schedule();
    });
    socket.on('end', end);
    // A process that dies resets its connections; the other side sees the end of them.
    socket.on('close', end);
  }

  #resumeLater(socket: Socket, flow: TcpFlow): void {
    this.#around.events.at(performance.now() + LOOK_AGAIN_MS, () => {
      if (this.#isOver) return;
      if (flow.unsentBytes > SEND_BUFFER_BYTES / 2) this.#resumeLater(socket, flow);
      else socket.resume();
    });
  }

  #onSocketClosed(): void {
    if (!this.#near.closed || this.#far?.closed === false) return;
    this.#isOver = true;
    this.#up.close();
    this.#down.close();
    this.#around.onClosed(this);
  }
}
