import type { Socket } from 'node:net';
import { clientFrame, FrameReader, frameHeader, OPCODE, openRaw } from '../../harness/raw-websocket.ts';
import type { Mode } from '../../shared/direction.ts';
import { decodeUpdate, type Outcome, UPDATE_BYTES, type Update } from '../../shared/protocol/update.ts';
import { STREAM_PATH, SUBPROTOCOL } from '../../shared/protocol/version.ts';

const CAMERA = { widthPx: 640, heightPx: 480 };
/** As a gateway's welcome says. */
const CREDIT = 2;
const SEQ_AT = 2;
const CAPTURE_AT = 4;

/** A student who costs the load generator a few microseconds a message: no library, and messages that are encoded beforehand. */
export class LoadStudent {
  readonly #socket: Socket;
  /** When each message without an acknowledgement was sent. */
  readonly #sentMs = new Map<number, number>();
  #outcomes = new Map<Outcome, number>();
  #latenciesMs: number[] = [];
  #seq = 0;
  #captureMs = -1;
  #startedMs = 0;
  #sessionId = '';
  #newest: Update | null = null;
  #isLowered = false;
  #wake: (text: string) => void = () => {};
  #onUpdate: () => void = () => {};

  private constructor(socket: Socket) {
    this.#socket = socket;
  }

  /** Connects and says hello. Rejects when it is not welcome. */
  static async open(url: string, ticket: string, features: readonly string[] = []): Promise<LoadStudent> {
    const { socket, rest } = await openRaw(url, { path: STREAM_PATH, protocol: SUBPROTOCOL });
    const student = new LoadStudent(socket);
    const reader = new FrameReader((opcode, payload) => student.#receive(opcode, payload));
    socket.on('data', (chunk: Buffer) => reader.push(chunk));
    reader.push(rest);
    const hello = { type: 'hello', protocol: SUBPROTOCOL, ticket, resume: null, client: 'bench', features };
    const welcome = await student.#ask(hello, 'welcome');
    student.#sessionId = String(welcome.sessionId);
    return student;
  }

  get sessionId(): string {
    return this.#sessionId;
  }

  /** The newest update; null before the first. */
  get newest(): Update | null {
    return this.#newest;
  }

  /** True while the gateway is overloaded and has lowered the student's limits. */
  get isLowered(): boolean {
    return this.#isLowered;
  }

  get isOpen(): boolean {
    return !this.#socket.destroyed && this.#socket.readyState === 'open';
  }

  /** Bytes so far, with the headers of WebSocket, without those of TCP. */
  get bytes(): { readonly up: number; readonly down: number } {
    return { up: this.#socket.bytesWritten, down: this.#socket.bytesRead };
  }

  async start(mode: Mode = 'server'): Promise<void> {
    this.#startedMs = performance.now();
    await this.#ask({ type: 'start', camera: CAMERA, sectionId: null, mode, atMs: 0 }, 'started');
  }

  /** Resolves once the gateway has saved everything, and with how long the student was there, ms. */
  async stop(): Promise<number> {
    const atMs = Math.max(this.#captureMs, Math.floor(performance.now() - this.#startedMs));
    await this.#ask({ type: 'stop', atMs }, 'stopped');
    return atMs;
  }

  /**
   * Sends a copy of an encoded message with a sequence number of its own, captured at `capturedAtMs`. Returns its sequence
   * number, or null where as many as a student may have are unanswered.
   */
  send(message: Uint8Array, capturedAtMs: number): number | null {
    if (this.#sentMs.size >= CREDIT || !this.isOpen) return null;
    const header = frameHeader(OPCODE.binary, message.byteLength);
    const bytes = Buffer.allocUnsafe(header.length + message.byteLength);
    bytes.set(header);
    bytes.set(message, header.length);
    this.#seq = (this.#seq + 1) & 0xffff;
    this.#captureMs = Math.max(this.#captureMs + 1, Math.floor(capturedAtMs - this.#startedMs));
    bytes.writeUInt16BE(this.#seq, header.length + SEQ_AT);
    bytes.writeUInt32BE(this.#captureMs, header.length + CAPTURE_AT);
    this.#sentMs.set(this.#seq, performance.now());
    this.#socket.write(bytes);
    return this.#seq;
  }

  /** Resolves with the next update. */
  nextUpdate(): Promise<void> {
    return new Promise((resolve) => {
      this.#onUpdate = resolve;
    });
  }

  /** Updates by outcome since the last call. */
  takeOutcomes(): ReadonlyMap<Outcome, number> {
    const taken = this.#outcomes;
    this.#outcomes = new Map();
    return taken;
  }

  /** From sending to the update since the last call, of messages that were processed, ms. */
  takeLatenciesMs(): readonly number[] {
    const taken = this.#latenciesMs;
    this.#latenciesMs = [];
    return taken;
  }

  close(): void {
    this.#socket.destroy();
  }

  #ask(message: object, type: string): Promise<Record<string, unknown>> {
    return new Promise((resolve, reject) => {
      const closed = () => reject(new Error(`the gateway closed before ${type}`));
      this.#wake = (text) => {
        const answer = JSON.parse(text) as Record<string, unknown>;
        if (answer.type !== type && answer.type !== 'error') return;
        this.#socket.off('close', closed);
        if (answer.type === type) resolve(answer);
        else reject(new Error(text));
      };
      this.#socket.once('close', closed);
      this.#socket.write(clientFrame(OPCODE.text, JSON.stringify(message)));
    });
  }

  #control(text: string): void {
    if (text.startsWith('{"type":"limits"')) this.#isLowered = text.includes('"reason":"overloaded"');
    this.#wake(text);
  }

  #receive(opcode: number, payload: Buffer): void {
    if (opcode === OPCODE.ping) this.#socket.write(clientFrame(OPCODE.pong, payload));
    if (opcode === OPCODE.text) this.#control(payload.toString('utf8'));
    if (opcode !== OPCODE.binary || payload.length !== UPDATE_BYTES) return;
    const update = decodeUpdate(payload);
    const sentMs = this.#sentMs.get(update.seq);
    this.#sentMs.delete(update.seq);
    this.#newest = update;
    this.#outcomes.set(update.outcome, (this.#outcomes.get(update.outcome) ?? 0) + 1);
    if (sentMs !== undefined && update.outcome === 'processed') this.#latenciesMs.push(performance.now() - sentMs);
    this.#onUpdate();
  }
}
