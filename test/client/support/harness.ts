import { RelayConnection } from '../../../client/connection/connection.ts';
import type { ConnectionOptions, Welcome } from '../../../client/connection/connection-options.ts';
import type { ConnectionPhase, EndReason, Fault } from '../../../client/connection/link-state.ts';
import type { SocketEvent, SocketEventName, WebSocketLike } from '../../../client/connection/socket.ts';
import { ManualTime } from '../../../harness/manual-time.ts';
import { type ClientControl, parseClientControl, type ServerControl } from '../../../shared/protocol/control.ts';
import { type ClientMessage, decodeClientMessage } from '../../../shared/protocol/frames.ts';
import { encodeUpdate, type Update } from '../../../shared/protocol/update.ts';

/** The gateway's end of a socket in memory. What arrives is read with the real codec. */
export class PeerSocket implements WebSocketLike {
  readonly url: string;
  readonly subprotocol: string;
  binaryType = 'blob';
  bufferedAmount = 0;
  /** Close code that the client gave; undefined while it has not closed. */
  closedWith: number | null | undefined;
  readonly controls: ClientControl[] = [];
  readonly messages: ClientMessage[] = [];
  /** Features that the gateway's welcome named. */
  #agreed: readonly string[] = [];
  readonly #listeners = new Map<SocketEventName, ((event: SocketEvent) => void)[]>();

  constructor(url: string, subprotocol: string) {
    this.url = url;
    this.subprotocol = subprotocol;
  }

  send(data: string | Uint8Array<ArrayBuffer>): void {
    if (typeof data === 'string') this.controls.push(parseClientControl(data, this.#agreed));
    else this.messages.push(decodeClientMessage(data));
  }

  close(code?: number): void {
    this.closedWith = code ?? null;
  }

  addEventListener(type: SocketEventName, listener: (event: SocketEvent) => void): void {
    this.#listeners.set(type, [...(this.#listeners.get(type) ?? []), listener]);
  }

  open(): void {
    this.#fire({ type: 'open' });
  }

  say(message: ServerControl): void {
    if (message.type === 'welcome') this.#agreed = message.features;
    this.#fire({ type: 'message', data: JSON.stringify(message) });
  }

  update(update: Partial<Update> & Pick<Update, 'seq'>): void {
    const bytes = encodeUpdate({ ...IDLE_UPDATE, ...update });
    this.#fire({ type: 'message', data: bytes.buffer });
  }

  raw(data: unknown): void {
    this.#fire({ type: 'message', data });
  }

  drop(code = 1006): void {
    this.#fire({ type: 'close', code });
  }

  #fire(event: SocketEvent & { type: SocketEventName | string }): void {
    for (const listener of this.#listeners.get(event.type as SocketEventName) ?? []) listener(event);
  }
}

export const IDLE_UPDATE: Update = {
  seq: 0,
  captureMs: 0,
  outcome: 'processed',
  state: 'focused',
  direction: 'centered',
  confidence: 1,
  focusedMs: 0,
  unfocusedMs: 0,
  unknownMs: 0,
  untrackedMs: 0,
  focusBouts: 0,
  unfocusBouts: 0,
  nextCrop: null,
  maxFps: 5,
  credit: 2,
  imageSizePx: 192,
};

export const SESSION = '00000000-0000-4000-8000-000000000001';

export function welcome(overrides: Partial<Welcome> = {}): Welcome {
  return {
    type: 'welcome',
    sessionId: SESSION,
    epoch: 0,
    resume: 'resume-1',
    resumed: false,
    clockMs: 0,
    totals: { focusedMs: 0, unfocusedMs: 0, unknownMs: 0, untrackedMs: 0 },
    limits: { maxFps: 5, credit: 2, imageSizePx: 192, maxFrameBytes: 60_000 },
    calibration: null,
    features: [],
    ...overrides,
  };
}

export const CAPTURE = { camera: { widthPx: 640, heightPx: 480 }, sectionId: 82, mode: 'server' } as const;
export const FULL = { xPx: 0, yPx: 0, widthPx: 640, heightPx: 480 } as const;

/** A connection with the world around it in hand. */
export function createHarness(overrides: Partial<ConnectionOptions> = {}) {
  const time = new ManualTime();
  const sockets: PeerSocket[] = [];
  const seen = {
    phases: [] as ConnectionPhase[],
    faults: [] as Fault[],
    updates: [] as { update: Update; latencyMs: number | null }[],
    welcomes: [] as Welcome[],
    ended: [] as EndReason[],
    tickets: 0,
  };
  const connection = new RelayConnection({
    url: 'ws://gateway.test/v1/stream',
    createSocket: (url, subprotocol) => {
      const socket = new PeerSocket(url, subprotocol);
      sockets.push(socket);
      return socket;
    },
    getTicket: async () => `ticket-${++seen.tickets}`,
    now: time.now,
    random: () => 0.5,
    setTimer: time.setTimer,
    clearTimer: time.clearTimer,
    onWelcome: (message) => seen.welcomes.push(message),
    onUpdate: (update, latencyMs) => seen.updates.push({ update, latencyMs }),
    onFault: (fault) => seen.faults.push(fault),
    onConnectionChange: (phase) => seen.phases.push(phase),
    onEnded: (reason) => seen.ended.push(reason),
    ...overrides,
  });

  /** The newest socket, once the ticket for it has come. */
  async function nextSocket(): Promise<PeerSocket> {
    const before = sockets.length;
    for (let turn = 0; turn < 20 && sockets.length === before; turn++) await Promise.resolve();
    const socket = sockets.at(-1);
    if (socket === undefined || sockets.length === before) throw new Error('the client opened no socket');
    return socket;
  }

  /** Connects up to the welcome and begins capture. */
  async function goLive(message: Welcome = welcome()): Promise<PeerSocket> {
    connection.connect();
    const socket = await nextSocket();
    socket.open();
    socket.say(message);
    connection.start(CAPTURE);
    return socket;
  }

  const frame = (captureMs: number) =>
    connection.sendFrame({ image: new Uint8Array([1, 2, 3]), codec: 'jpeg', crop: FULL, fullFrame: true, captureMs });

  return { connection, time, sockets, seen, nextSocket, goLive, frame };
}
