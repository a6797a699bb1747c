import { WebSocket } from 'ws';
import { RECONNECT } from '../../client/connection/connection.ts';
import { faceAtScreen } from '../../harness/observations.ts';
import { backoffMs } from '../../shared/backoff.ts';
import { encodeClientMessage } from '../../shared/protocol/frames.ts';
import { decodeUpdate } from '../../shared/protocol/update.ts';
import { STREAM_PATH, SUBPROTOCOL } from '../../shared/protocol/version.ts';

export const OBSERVE_EVERY_MS = 1000;
const CAMERA = { widthPx: 640, heightPx: 480 };
/** An observation covers no longer time (docs/accuracy.md). */
const MAX_COVER_MS = 2000;

export interface StormStudentOptions {
  readonly url: string;
  readonly getTicket: () => string;
  /** The client's own address: students come from several. */
  readonly localAddress: string;
  readonly random: () => number;
}

/** A student in device mode, an observation a second, who reconnects as the client does: with full jitter. */
export class StormStudent {
  readonly #options: StormStudentOptions;
  #socket: WebSocket | null = null;
  #timer: NodeJS.Timeout | null = null;
  #resume: string | null = null;
  #zeroMs: number | null = null;
  #failures = 0;
  #seq = 0;
  #ackedMs: number | null = null;
  /** The newest acknowledged moment, also of a connection before. */
  #lastAckedMs = 0;
  #isStarted = false;
  #isEnding = false;
  #isStopped = false;
  #onStopped: () => void = () => {};
  #onUpdate: () => void = () => {};
  /** Name of the gateway, as the proxy says it. */
  gateway: string | null = null;
  /** Time between acknowledged observations, ms. */
  countedMs = 0;
  resumes = 0;
  restarts = 0;

  constructor(options: StormStudentOptions) {
    this.#options = options;
    this.#connect();
  }

  /** Resolves with the next update. */
  nextUpdate(): Promise<void> {
    return new Promise((resolve) => {
      this.#onUpdate = resolve;
    });
  }

  /** Ends the session; resolves when a gateway says that it has ended. A connection that breaks before is resumed, and the end said again. */
  async stop(): Promise<void> {
    if (this.#timer !== null) clearInterval(this.#timer);
    const stopped = new Promise<void>((resolve) => {
      this.#onStopped = resolve;
    });
    this.#isEnding = true;
    if (this.#isStarted) this.#sendStop();
    await stopped;
    this.#socket?.close();
  }

  #sendStop(): void {
    this.#socket?.send(JSON.stringify({ type: 'stop', atMs: this.#lastAckedMs }));
  }

  #connect(): void {
    const { url, getTicket, localAddress, random } = this.#options;
    const address = new URL(STREAM_PATH, url).toString().replace('http', 'ws');
    const socket = new WebSocket(address, SUBPROTOCOL, { localAddress, perMessageDeflate: false });
    this.#socket = socket;
    socket.on('upgrade', ({ headers }) => {
      this.gateway = String(headers['x-gateway']);
    });
    socket.on('open', () => {
      const hello = {
        type: 'hello',
        protocol: SUBPROTOCOL,
        ticket: getTicket(),
        resume: this.#resume,
        client: 'storm',
      };
      socket.send(JSON.stringify(hello));
    });
    socket.on('message', (data: Buffer, isBinary) => this.#receive(socket, data, isBinary));
    socket.on('error', () => {});
    socket.on('close', () => {
      if (this.#timer !== null) clearInterval(this.#timer);
      this.#timer = null;
      this.#isStarted = false;
      if (this.#isStopped) return;
      setTimeout(() => this.#connect(), backoffMs(RECONNECT, this.#failures, random));
      this.#failures += 1;
    });
  }

  #receive(socket: WebSocket, data: Buffer, isBinary: boolean): void {
    if (isBinary) {
      const { outcome, captureMs } = decodeUpdate(data);
      this.#onUpdate();
      if (outcome !== 'processed') return;
      const coveredMs = this.#ackedMs === null ? 0 : captureMs - this.#ackedMs;
      if (coveredMs <= MAX_COVER_MS) this.countedMs += coveredMs;
      this.#ackedMs = captureMs;
      this.#lastAckedMs = captureMs;
      return;
    }
    const message = JSON.parse(data.toString()) as { type: string; [field: string]: unknown };
    if (message.type === 'welcome') {
      if (this.#resume !== null) {
        if (message.resumed === true) this.resumes += 1;
        else this.restarts += 1;
      }
      this.#resume = String(message.resume);
      this.#failures = 0;
      const clockMs = Number(message.clockMs);
      this.#zeroMs ??= performance.now() - clockMs;
      // What lies between the last acknowledgement and the resumption is not the student's to count.
      this.#ackedMs = null;
      const start = { type: 'start', camera: CAMERA, sectionId: null, mode: 'device', atMs: this.#clockMs(clockMs) };
      socket.send(JSON.stringify(start));
    } else if (message.type === 'started') {
      this.#isStarted = true;
      if (this.#isEnding) {
        this.#sendStop();
        return;
      }
      this.#observe(socket);
      this.#timer = setInterval(() => this.#observe(socket), OBSERVE_EVERY_MS);
    } else if (message.type === 'stopped') {
      this.#isStopped = true;
      this.#onStopped();
    }
  }

  #clockMs(leastMs = 0): number {
    return Math.max(leastMs, Math.round(performance.now() - (this.#zeroMs ?? performance.now())));
  }

  #observe(socket: WebSocket): void {
    const seq = this.#seq;
    this.#seq = (seq + 1) & 0xffff;
    const observation = faceAtScreen({ headYawDeg: 0.4 * (seq % 7) + (this.#clockMs() % 13) / 20 });
    socket.send(
      encodeClientMessage({ kind: 'observation', seq, captureMs: this.#clockMs(), late: false, observation }),
    );
  }
}
