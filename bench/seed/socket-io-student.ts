import type { Socket } from 'node:net';
import { clientFrame, FrameReader, OPCODE, openRaw } from '../../harness/raw-websocket.ts';

const PATH = '/socket.io/?EIO=4&transport=websocket';

/** The seed's page: Socket.IO over WebSocket (Engine.IO protocol 4), without a library, so that sending costs little. */
export class SocketIoStudent {
  readonly #socket: Socket;
  #observations = 0;
  #latenciesMs: number[] = [];
  #wake: (text: string) => void = () => {};

  private constructor(socket: Socket) {
    this.#socket = socket;
  }

  /** Connects and starts tracking. Rejects when the connection closes before. */
  static async open(port: number, userId: number): Promise<SocketIoStudent> {
    const { socket, rest } = await openRaw(`http://127.0.0.1:${port}/`, { path: PATH });
    const student = new SocketIoStudent(socket);
    const reader = new FrameReader((opcode, payload) => student.#receive(opcode, payload));
    const opened = student.#until('0{');
    socket.on('data', (chunk: Buffer) => reader.push(chunk));
    reader.push(rest);
    await opened;
    await student.#ask('40', '40');
    const ids = { user_id: userId, module_id: 1, section_id: 1 };
    await student.#ask(`42${JSON.stringify(['start_tracking', ids])}`, '42["tracking_started"');
    return student;
  }

  get bytes(): { readonly up: number; readonly down: number } {
    return { up: this.#socket.bytesWritten, down: this.#socket.bytesRead };
  }

  /** The seed's page sends at its rate, whatever is answered. */
  sendFrame(dataUrl: string): void {
    // A data URL has no character that JSON escapes.
    this.#write(`42["video_frame",{"frame":"${dataUrl}","timestamp":${performance.now()}}]`);
  }

  async stop(): Promise<void> {
    await this.#ask('42["stop_tracking",{}]', '42["tracking_stopped"');
  }

  /** Updates since the last call. */
  takeObservations(): number {
    const taken = this.#observations;
    this.#observations = 0;
    return taken;
  }

  /** From sending a picture to its update, since the last call, ms. */
  takeLatenciesMs(): readonly number[] {
    const taken = this.#latenciesMs;
    this.#latenciesMs = [];
    return taken;
  }

  /** Resolves with the next update. */
  nextUpdate(): Promise<unknown> {
    return this.#until('42["tracking_update"');
  }

  close(): void {
    this.#socket.destroy();
  }

  #write(text: string): void {
    this.#socket.write(clientFrame(OPCODE.text, text));
  }

  #ask(text: string, answer: string): Promise<void> {
    const answered = this.#until(answer);
    this.#write(text);
    return answered;
  }

  #until(start: string): Promise<void> {
    return new Promise((resolve, reject) => {
      const closed = () => reject(new Error(`the service closed before ${start}`));
      this.#socket.once('close', closed);
      this.#wake = (text) => {
        if (!text.startsWith(start)) return;
        this.#socket.off('close', closed);
        this.#wake = () => {};
        resolve();
      };
    });
  }

  #receive(opcode: number, payload: Buffer): void {
    if (opcode !== OPCODE.text) return;
    const text = payload.toString('utf8');
    if (text === '2') this.#write('3');
    if (text.startsWith('42["tracking_update"')) {
      const [, { frame_timestamp: sentMs }] = JSON.parse(text.slice(2)) as [string, { frame_timestamp: number }];
      this.#observations += 1;
      this.#latenciesMs.push(performance.now() - sentMs);
    }
    this.#wake(text);
  }
}
