import { randomBytes } from 'node:crypto';
import type { Socket } from 'node:net';
import { clientFrame, FrameReader, frameHeader, OPCODE, openRaw } from '../../harness/raw-websocket.ts';
import { encodeClientMessage, FRAME_HEADER_BYTES } from '../../shared/protocol/frames.ts';
import { OUTCOMES, UPDATE_BYTES } from '../../shared/protocol/update.ts';
import { STREAM_PATH, SUBPROTOCOL } from '../../shared/protocol/version.ts';

const CAMERA = { widthPx: 640, heightPx: 480 };
const CROP = { xPx: 200, yPx: 100, widthPx: 240, heightPx: 240 };
/** As a gateway's welcome says. */
const CREDIT = 2;
const SEQ_AT = 2;
const CAPTURE_AT = 4;
const OUTCOME_AT = 1;

/** A student who costs the load generator a few microseconds a frame: no library, one buffer, written over. */
export class LoadStudent {
  /** Updates by outcome, since the last take(). */
  #outcomes = new Map<string, number>();
  readonly #socket: Socket;
  readonly #frame: Buffer;
  readonly #payloadAt: number;
  #seq = 0;
  #unanswered = 0;
  #startedMs = 0;
  #wake: (text: string) => void = () => {};

  private constructor(socket: Socket, imageBytes: number) {
    this.#socket = socket;
    const message = encodeClientMessage({
      kind: 'frame',
      seq: 0,
      captureMs: 0,
      late: false,
      codec: 'jpeg',
      crop: CROP,
      fullFrame: false,
      // The gateway does not look into a picture; that each differs is all that matters to it.
      image: randomBytes(imageBytes),
    });
    const header = frameHeader(OPCODE.binary, message.byteLength);
    this.#frame = Buffer.concat([header, message]);
    this.#payloadAt = header.length;
  }

  /** Connects and says hello; rejects when it is not welcome. */
  static async open(url: string, ticket: string, imageBytes: number): Promise<LoadStudent> {
    const { socket, rest } = await openRaw(url, { path: STREAM_PATH, protocol: SUBPROTOCOL });
    const student = new LoadStudent(socket, imageBytes);
    const reader = new FrameReader((opcode, payload) => student.#receive(opcode, payload));
    socket.on('data', (chunk: Buffer) => reader.push(chunk));
    reader.push(rest);
    await student.#ask({ type: 'hello', protocol: SUBPROTOCOL, ticket, resume: null, client: 'bench' }, 'welcome');
    return student;
  }

  async start(): Promise<void> {
    this.#startedMs = performance.now();
    await this.#ask({ type: 'start', camera: CAMERA, sectionId: null, mode: 'server', atMs: 0 }, 'started');
  }

  /** Sends the next frame, unless as many as a student may have are unanswered. */
  sendFrame(nowMs: number): void {
    if (this.#unanswered >= CREDIT) return;
    this.#unanswered += 1;
    const at = this.#payloadAt;
    this.#seq = (this.#seq + 1) & 0xffff;
    this.#frame.writeUInt16BE(this.#seq, at + SEQ_AT);
    this.#frame.writeUInt32BE(Math.max(0, Math.floor(nowMs - this.#startedMs)), at + CAPTURE_AT);
    this.#frame.writeUInt16BE(this.#seq, at + FRAME_HEADER_BYTES);
    // A copy, for the socket may still hold the one before.
    this.#socket.write(Buffer.from(this.#frame));
  }

  take(): ReadonlyMap<string, number> {
    const taken = this.#outcomes;
    this.#outcomes = new Map();
    return taken;
  }

  close(): void {
    this.#socket.destroy();
  }

  #ask(message: object, type: string): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#wake = (text) => {
        const answer = JSON.parse(text) as { type: string };
        if (answer.type === type) resolve();
        else if (answer.type === 'error') reject(new Error(text));
      };
      this.#socket.once('close', () => reject(new Error(`the gateway closed before ${type}`)));
      this.#socket.write(clientFrame(OPCODE.text, JSON.stringify(message)));
    });
  }

  #receive(opcode: number, payload: Buffer): void {
    if (opcode === OPCODE.ping) this.#socket.write(clientFrame(OPCODE.pong, payload));
    if (opcode === OPCODE.text) this.#wake(payload.toString('utf8'));
    if (opcode !== OPCODE.binary || payload.length !== UPDATE_BYTES) return;
    this.#unanswered -= 1;
    const outcome = OUTCOMES[payload[OUTCOME_AT] ?? 0] ?? 'unknown';
    this.#outcomes.set(outcome, (this.#outcomes.get(outcome) ?? 0) + 1);
  }
}
