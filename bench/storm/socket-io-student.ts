import { WebSocket } from 'ws';
import { OBSERVE_EVERY_MS } from './storm-student.ts';

/** How Socket.IO's client waits by default (socket.io-client 4, Manager: reconnectionDelay, -DelayMax, randomizationFactor). */
const FIRST_DELAY_MS = 1000;
const MAX_DELAY_MS = 5000;
const RANDOMIZATION = 0.5;

/** A client of Socket.IO 4 over WebSocket alone, by the words of its protocol (Engine.IO 4, Socket.IO 5), with recovery. */
export class SocketIoStudent {
  readonly #url: string;
  readonly #localAddress: string;
  readonly #random: () => number;
  #socket: WebSocket | null = null;
  #timer: NodeJS.Timeout | null = null;
  #recovery: { readonly pid: string; readonly offset: string } | null = null;
  #attempts = 0;
  #ackId = 0;
  #isEnding = false;
  #onAnswer: () => void = () => {};
  readonly #zeroMs = performance.now();
  /** Name of the server, as the proxy says it. */
  gateway: string | null = null;
  /** What the server says that it has counted, ms. */
  countedMs = 0;
  /** The most that a server has said. */
  mostMs = 0;
  recovered = 0;
  reconnects = -1;

  constructor(url: string, localAddress: string, random: () => number) {
    this.#url = url;
    this.#localAddress = localAddress;
    this.#random = random;
    this.#connect();
  }

  nextUpdate(): Promise<void> {
    return new Promise((resolve) => {
      this.#onAnswer = resolve;
    });
  }

  stop(): void {
    this.#isEnding = true;
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#socket?.close();
  }

  #connect(): void {
    const address = new URL('/socket.io/?EIO=4&transport=websocket', this.#url).toString().replace('http', 'ws');
    const socket = new WebSocket(address, { localAddress: this.#localAddress, perMessageDeflate: false });
    this.#socket = socket;
    socket.on('upgrade', ({ headers }) => {
      this.gateway = String(headers['x-gateway']);
    });
    socket.on('message', (data) => this.#receive(socket, String(data)));
    socket.on('error', () => {});
    socket.on('close', () => {
      if (this.#timer !== null) clearInterval(this.#timer);
      if (this.#isEnding) return;
      const delayMs = FIRST_DELAY_MS * 2 ** this.#attempts;
      const jitterMs = (2 * this.#random() - 1) * RANDOMIZATION * delayMs;
      this.#attempts += 1;
      setTimeout(() => this.#connect(), Math.min(MAX_DELAY_MS, delayMs + jitterMs));
    });
  }

  #receive(socket: WebSocket, text: string): void {
    if (text === '2') socket.send('3');
    else if (text.startsWith('0')) socket.send(`40${this.#recovery === null ? '' : JSON.stringify(this.#recovery)}`);
    else if (text.startsWith('40')) {
      const { pid } = JSON.parse(text.slice(2)) as { pid: string };
      this.#recovery = { pid, offset: '' };
      this.#attempts = 0;
      this.reconnects += 1;
      this.#observe(socket);
      this.#timer = setInterval(() => this.#observe(socket), OBSERVE_EVERY_MS);
    } else if (text.startsWith('43')) {
      const [countedMs, isRecovered] = JSON.parse(text.slice(text.indexOf('['))) as [number, boolean];
      this.countedMs = countedMs;
      this.mostMs = Math.max(this.mostMs, countedMs);
      if (isRecovered) this.recovered += 1;
      this.#onAnswer();
    }
  }

  #observe(socket: WebSocket): void {
    const captureMs = Math.round(performance.now() - this.#zeroMs);
    socket.send(`42${this.#ackId++}["observation",${captureMs}]`);
  }
}
