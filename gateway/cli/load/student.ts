import { WebSocket } from 'ws';
import { RelayError } from '../../../shared/errors.ts';
import { parseServerControl } from '../../../shared/protocol/control.ts';
import { encodeClientMessage } from '../../../shared/protocol/frames.ts';
import { decodeUpdate } from '../../../shared/protocol/update.ts';
import { STREAM_PATH, SUBPROTOCOL } from '../../../shared/protocol/version.ts';
import { CROPS, STILL_CROPS } from './crops.ts';

const CAMERA = { widthPx: 640, heightPx: 480 };
/** Pictures per second of a page, where the gateway does not ask for fewer. */
const PAGE_FPS = 5;
/** Of every 40 s a student moves for 8. */
const TURN_MS = 40_000;
const MOVING_MS = 8000;
const STOP_WITHIN_MS = 10_000;
/** Spreads students, and pictures, without a pattern: 2^32 by the golden ratio. */
const MIX = 0x9e3779b1;

const IMAGES = CROPS.map(({ webp }) => Buffer.from(webp, 'base64'));

/** What a student had since the last call. */
export interface LoadTaken {
  /** Pictures that were due, whether or not one could be sent. */
  readonly wanted: number;
  readonly observations: number;
  readonly latenciesMs: readonly number[];
  readonly isConnected: boolean;
  readonly isLowered: boolean;
}

/** One student who sends real face crops at the rate that the gateway asks for. */
export class LoadStudent {
  readonly #socket: WebSocket;
  readonly #index: number;
  readonly #sentMs = new Map<number, number>();
  #timer: NodeJS.Timeout | null = null;
  #startedMs = 0;
  #seq = 0;
  #captureMs = -1;
  #maxFps = PAGE_FPS;
  #credit = 1;
  #wanted = 0;
  #observations = 0;
  #latenciesMs: number[] = [];
  #isLowered = false;
  #onControl: (type: string, text: string) => void = () => {};

  private constructor(socket: WebSocket, index: number) {
    this.#socket = socket;
    this.#index = index;
  }

  /** Connects, is admitted and begins. Rejects with RelayError `load_refused`. */
  static async open(gatewayUrl: string, ticket: string, index: number): Promise<LoadStudent> {
    const address = new URL(STREAM_PATH, gatewayUrl);
    address.protocol = address.protocol.replace('http', 'ws');
    // The keyless mask: a load generator should not pay for what no proxy reads.
    const socket = new WebSocket(address, SUBPROTOCOL, {
      perMessageDeflate: false,
      generateMask: (mask) => mask.fill(0),
    });
    const student = new LoadStudent(socket, index);
    socket.on('message', (data: Buffer, isBinary) => student.#receive(data, isBinary));
    await new Promise((resolve, reject) => {
      socket.once('open', resolve);
      socket.on('error', (error) => reject(new RelayError('load_refused', `${address}: ${error.message}`)));
    });
    const hello = { type: 'hello', protocol: SUBPROTOCOL, ticket, resume: null, client: 'gaze-relay load' };
    await student.#ask({ ...hello, features: ['calm'] }, 'welcome');
    await student.#ask({ type: 'start', camera: CAMERA, sectionId: null, mode: 'server', atMs: 0 }, 'started');
    student.#startedMs = performance.now();
    student.#arm(performance.now() + (((Math.imul(index, MIX) >>> 16) & 1023) / 1024) * (1000 / PAGE_FPS));
    return student;
  }

  take(): LoadTaken {
    const taken = {
      wanted: this.#wanted,
      observations: this.#observations,
      latenciesMs: this.#latenciesMs,
      isConnected: this.#socket.readyState === WebSocket.OPEN,
      isLowered: this.#isLowered,
    };
    this.#wanted = 0;
    this.#observations = 0;
    this.#latenciesMs = [];
    return taken;
  }

  /** Ends the session. Resolves once it is saved, or the connection is closed, or neither for ten seconds. */
  async stop(): Promise<void> {
    if (this.#timer !== null) clearTimeout(this.#timer);
    const timer = setTimeout(() => this.#socket.terminate(), STOP_WITHIN_MS);
    await this.#ask({ type: 'stop', atMs: Math.max(0, this.#captureMs) }, 'stopped').catch(() => undefined);
    clearTimeout(timer);
    this.#socket.close();
  }

  #arm(dueMs: number): void {
    this.#timer = setTimeout(() => {
      const nowMs = performance.now();
      this.#send(nowMs);
      if (this.#socket.readyState === WebSocket.OPEN) this.#arm(Math.max(dueMs + 1000 / this.#maxFps, nowMs));
    }, dueMs - performance.now());
  }

  #send(nowMs: number): void {
    this.#wanted += 1;
    if (this.#sentMs.size >= this.#credit || this.#socket.readyState !== WebSocket.OPEN) return;
    const number = Math.imul(this.#seq + this.#index, MIX) >>> 16;
    const moves = (nowMs + this.#index * MOVING_MS) % TURN_MS < MOVING_MS;
    const at = moves ? STILL_CROPS + (number % (CROPS.length - STILL_CROPS)) : number % STILL_CROPS;
    const [picture, image] = [CROPS[at], IMAGES[at]];
    if (picture === undefined || image === undefined) return;
    this.#seq = (this.#seq + 1) & 0xffff;
    this.#captureMs = Math.max(this.#captureMs + 1, Math.floor(nowMs - this.#startedMs));
    this.#sentMs.set(this.#seq, nowMs);
    const header = { seq: this.#seq, captureMs: this.#captureMs, late: false } as const;
    const { crop } = picture;
    this.#socket.send(encodeClientMessage({ kind: 'frame', ...header, codec: 'webp', crop, fullFrame: false, image }));
  }

  #receive(data: Buffer, isBinary: boolean): void {
    if (!isBinary) {
      const text = data.toString('utf8');
      const control = parseServerControl(text);
      if (control.type === 'welcome' || control.type === 'limits') {
        this.#maxFps = Math.min(PAGE_FPS, control.limits.maxFps);
        this.#credit = control.limits.credit;
      }
      if (control.type === 'limits') this.#isLowered = control.reason === 'overloaded';
      this.#onControl(control.type, text);
      return;
    }
    const update = decodeUpdate(data);
    const sentMs = this.#sentMs.get(update.seq);
    this.#sentMs.delete(update.seq);
    this.#maxFps = Math.min(PAGE_FPS, update.maxFps);
    this.#credit = Math.max(1, update.credit);
    if (update.outcome !== 'processed' || sentMs === undefined) return;
    this.#observations += 1;
    this.#latenciesMs.push(performance.now() - sentMs);
  }

  #ask(message: object, wanted: string): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#onControl = (type, text) => {
        if (type === wanted) resolve();
        else if (type === 'error') reject(new RelayError('load_refused', `the gateway answers ${text}`));
      };
      this.#socket.once('close', (code) => reject(new RelayError('load_refused', `the gateway closed with ${code}`)));
      this.#socket.send(JSON.stringify(message));
    });
  }
}
