import { once } from 'node:events';
import { type ClientOptions, WebSocket } from 'ws';
import type { Mode } from '../shared/direction.ts';
import { parseServerControl, type ServerControl } from '../shared/protocol/control.ts';
import { type ClientMessage, encodeClientMessage } from '../shared/protocol/frames.ts';
import { decodeUpdate, type Update } from '../shared/protocol/update.ts';
import { STREAM_PATH, SUBPROTOCOL } from '../shared/protocol/version.ts';

type ControlOf<T extends ServerControl['type']> = Extract<ServerControl, { type: T }>;

/** A bare WebSocket that speaks the protocol only where a test tells it to. */
export class Peer {
  readonly socket: WebSocket;
  readonly controls: ServerControl[] = [];
  readonly updates: Update[] = [];
  readonly closed: Promise<number>;
  readonly #waiters = new Set<() => void>();

  constructor(url: string, options: ClientOptions & { subprotocol?: string | null } = {}) {
    const { subprotocol = SUBPROTOCOL, ...rest } = options;
    const address = new URL(STREAM_PATH, url).toString().replace('http', 'ws');
    this.socket = subprotocol === null ? new WebSocket(address, rest) : new WebSocket(address, subprotocol, rest);
    this.socket.on('message', (data, isBinary) => {
      if (isBinary) this.updates.push(decodeUpdate(data as Buffer));
      else this.controls.push(parseServerControl(String(data)));
      for (const wake of [...this.#waiters]) wake();
    });
    this.socket.on('error', () => {});
    this.closed = new Promise((resolve) => this.socket.on('close', resolve));
  }

  static async open(url: string, options?: ConstructorParameters<typeof Peer>[1]): Promise<Peer> {
    const peer = new Peer(url, options);
    await once(peer.socket, 'open');
    return peer;
  }

  /** Resolves with what `find` returns as soon as it is not undefined. Rejects when the socket closes first. */
  async until<T>(find: () => T | undefined): Promise<T> {
    const there = find();
    if (there !== undefined) return there;
    return new Promise<T>((resolve, reject) => {
      const wake = () => {
        const found = find();
        if (found === undefined) return;
        this.#waiters.delete(wake);
        resolve(found);
      };
      this.#waiters.add(wake);
      this.closed.then((code) => {
        wake();
        reject(new Error(`the socket closed with ${code} while waiting`));
      });
    });
  }

  control<T extends ServerControl['type']>(type: T): Promise<ControlOf<T>> {
    return this.until(() => this.controls.find((message): message is ControlOf<T> => message.type === type));
  }

  fault(code: string): Promise<ControlOf<'error'>> {
    return this.until(() =>
      this.controls.find((message): message is ControlOf<'error'> => message.type === 'error' && message.code === code),
    );
  }

  update(seq: number): Promise<Update> {
    return this.until(() => this.updates.find((update) => update.seq === seq));
  }

  sendControl(message: object): void {
    this.socket.send(JSON.stringify(message));
  }

  send(message: ClientMessage): void {
    this.socket.send(encodeClientMessage(message));
  }

  async hello(
    ticket: string,
    resume: string | null = null,
    device: string | null = null,
  ): Promise<ControlOf<'welcome'>> {
    this.sendControl({ type: 'hello', protocol: SUBPROTOCOL, ticket, resume, client: 'test', device });
    return this.control('welcome');
  }

  async start(atMs = 0, camera = { widthPx: 400, heightPx: 300 }, mode: Mode = 'server'): Promise<void> {
    this.sendControl({ type: 'start', camera, sectionId: null, mode, atMs });
    await this.control('started');
  }

  async stop(atMs: number): Promise<ControlOf<'stopped'>> {
    this.sendControl({ type: 'stop', atMs });
    return this.control('stopped');
  }

  async close(): Promise<void> {
    this.socket.close();
    await this.closed;
  }
}

/** A whole camera frame as a message. */
export function frameMessage(
  seq: number,
  captureMs: number,
  image: Uint8Array,
  camera = { widthPx: 400, heightPx: 300 },
): ClientMessage {
  return {
    kind: 'frame',
    seq,
    captureMs,
    late: false,
    codec: 'jpeg',
    crop: { xPx: 0, yPx: 0, ...camera },
    fullFrame: true,
    image,
  };
}
