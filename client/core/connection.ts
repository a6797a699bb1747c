import { describeError, RelayError } from '../../shared/errors.ts';
import type { RectPx } from '../../shared/geometry.ts';
import { parseServerControl, type ServerControl } from '../../shared/protocol/control.ts';
import { type ClientMessage, type Codec, encodeClientMessage } from '../../shared/protocol/frames.ts';
import { decodeUpdate, type Update } from '../../shared/protocol/update.ts';
import { SUBPROTOCOL } from '../../shared/protocol/version.ts';
import { fullJitterMs } from './backoff.ts';
import { readClock } from './clock.ts';
import { FlowWindow } from './flow.ts';
import { type Guidance, guidanceFromUpdate } from './guidance.ts';
import { stepLink } from './link-reducer.ts';
import {
  type CaptureStart,
  type EndReason,
  type Fault,
  initialLinkState,
  type LinkEffect,
  type LinkEvent,
  type LinkRules,
  type LinkState,
} from './link-state.ts';
import type { SocketEvent, WebSocketLike } from './socket.ts';

export type Welcome = Extract<ServerControl, { type: 'welcome' }>;
export type Stopped = Extract<ServerControl, { type: 'stopped' }>;

/** How the connection is doing, for the person in front of it. */
export type ConnectionPhase = 'idle' | 'connecting' | 'connected' | 'reconnecting' | 'ended';

/** A picture to send. Sizes and places in camera pixels of the full frame. */
export interface OutgoingFrame {
  readonly image: Uint8Array;
  readonly codec: Codec;
  readonly crop: RectPx;
  /** True when the crop is the whole camera frame. */
  readonly fullFrame: boolean;
  /** Capture time on the capture clock, whole ms. */
  readonly captureMs: number;
}

export interface ConnectionStats {
  /** Bytes of all messages of this object, both kinds, without WebSocket, TLS and TCP headers. */
  readonly bytesUp: number;
  readonly bytesDown: number;
  /** Capture to update of the newest acknowledged message, ms; null before the first. */
  readonly latencyMs: number | null;
  /** Pictures and "same" messages sent, and how many messages were acknowledged. */
  readonly framesSent: number;
  readonly samesSent: number;
  readonly acked: number;
  readonly reconnects: number;
}

export interface ConnectionCallbacks {
  onWelcome?(welcome: Welcome): void;
  onUpdate?(update: Update, latencyMs: number | null): void;
  onFault?(fault: Fault): void;
  onConnectionChange?(phase: ConnectionPhase): void;
  /** The connection is over and will not come back by itself. */
  onEnded?(reason: EndReason): void;
}

export interface ConnectionOptions extends ConnectionCallbacks {
  /** Address of the gateway's stream, `ws(s)://host/v1/stream`. */
  readonly url: string;
  createSocket(url: string, subprotocol: string): WebSocketLike;
  /**
   * A fresh ticket, asked for at every connect. A rejection with RelayError `ticket_refused` ends
   * the connection, any other one is tried again later.
   */
  getTicket(): Promise<string>;
  /** Monotonic clock, ms. */
  now(): number;
  /** In [0, 1). */
  random(): number;
  setTimer(callback: () => void, delayMs: number): unknown;
  clearTimer(handle: unknown): void;
  /** Resume token of an earlier page load. */
  readonly resumeToken?: string | null;
  readonly client?: string;
  /** Default 20 s to the first welcome and no limit on later outages; null = never give up. */
  readonly connectWithinMs?: number | null;
  readonly outageLimitMs?: number | null;
}

/** From the first step of one attempt to its welcome. */
const WELCOME_TIMEOUT_MS = 10_000;
/** Without an acknowledgement for this long the link is taken for dead. */
const ACK_TIMEOUT_MS = 15_000;
const STOP_TIMEOUT_MS = 5_000;

type TimerName = 'welcome' | 'ack' | 'retry' | 'stop';

/**
 * One tracking session with the gateway over however many WebSockets it takes. Nothing of a
 * browser or of Node in here: sockets, clock, chance and timers come in through the options.
 */
export class RelayConnection {
  readonly #options: ConnectionOptions;
  readonly #rules: LinkRules;
  #state: LinkState;
  #socket: WebSocketLike | null = null;
  readonly #events: LinkEvent[] = [];
  readonly #flow = new FlowWindow();
  readonly #timers = new Map<TimerName, unknown>();
  #stop: { readonly promise: Promise<Stopped | null>; readonly resolve: (stopped: Stopped | null) => void } | null =
    null;
  #phase: ConnectionPhase = 'idle';
  #bytesUp = 0;
  #bytesDown = 0;
  #latencyMs: number | null = null;
  #framesSent = 0;
  #samesSent = 0;
  #acked = 0;
  #welcomes = 0;

  constructor(options: ConnectionOptions) {
    this.#options = options;
    this.#state = initialLinkState(options.resumeToken ?? null);
    this.#rules = {
      client: options.client ?? 'gaze-relay-client',
      connectWithinMs: options.connectWithinMs === undefined ? 20_000 : options.connectWithinMs,
      outageLimitMs: options.outageLimitMs ?? null,
    };
  }

  /** Begins to connect, and from then on stays connected until close() or a final refusal. */
  connect(): void {
    this.#dispatch({ type: 'connect', nowMs: this.#options.now() });
  }

  /**
   * Begins capture, goes on after a stop, or tells of a changed camera. Remembered and repeated
   * after a reconnect.
   */
  start(wanted: CaptureStart): void {
    this.#dispatch({ type: 'start', wanted, nowMs: this.#options.now() });
  }

  /** The student moved to another lesson section: session, clock and camera go on. */
  setSection(sectionId: number | null): void {
    this.#dispatch({ type: 'section', sectionId, nowMs: this.#options.now() });
  }

  /** Capture clock now, whole ms since the session's first start; null before it. */
  captureClockMs(): number | null {
    return readClock(this.#state.clock, this.#options.now());
  }

  get phase(): ConnectionPhase {
    return this.#phase;
  }

  get sessionId(): string | null {
    return this.#state.sessionId;
  }

  get resumeToken(): string | null {
    return this.#state.resumeToken;
  }

  /** What the gateway asks for now; null before the first welcome. */
  get guidance(): Guidance | null {
    return this.#state.guidance;
  }

  /** True when a message would leave at once: started, nothing queued in the socket, credit left. */
  canSend(): boolean {
    const { phase, guidance } = this.#state;
    return (
      phase.name === 'live' &&
      phase.startSent &&
      !phase.stopping &&
      this.#socket !== null &&
      this.#socket.bufferedAmount === 0 &&
      guidance !== null &&
      this.#flow.pending < guidance.credit
    );
  }

  /** Sends a picture. Returns its sequence number, or null when it cannot leave now and is dropped. */
  sendFrame(frame: OutgoingFrame): number | null {
    if (!this.canSend()) return null;
    const taken = this.#flow.take('frame', frame.captureMs, this.#options.now());
    this.#framesSent++;
    return this.#sendBinary({ kind: 'frame', late: false, ...frame, ...taken });
  }

  /**
   * Says that the picture is still the one sent last. Returns as sendFrame does. While a picture is
   * on its way there is nothing yet to be the same as.
   */
  sendSame(captureMs: number): number | null {
    if (!this.canSend() || this.#flow.framePending) return null;
    const taken = this.#flow.take('same', captureMs, this.#options.now());
    this.#samesSent++;
    return this.#sendBinary({ kind: 'same', late: false, ...taken });
  }

  /**
   * Ends capture on purpose: the time until the next start, if there is one, belongs to no kind of
   * time. Resolves with the gateway's totals, or with null when they do not come within 5 s (the
   * gateway stores what it has counted either way). Never rejects.
   */
  stop(): Promise<Stopped | null> {
    if (this.#stop !== null) return this.#stop.promise;
    let resolve: (stopped: Stopped | null) => void = () => {};
    const promise = new Promise<Stopped | null>((settle) => {
      resolve = settle;
    });
    this.#stop = { promise, resolve };
    this.#arm('stop', STOP_TIMEOUT_MS, () => this.#settleStop(null));
    this.#dispatch({ type: 'stop', nowMs: this.#options.now() });
    return promise;
  }

  /** Closes the connection for good. Whoever keeps the resume token can go on with the session. */
  close(): void {
    this.#dispatch({ type: 'close' });
  }

  stats(): ConnectionStats {
    return {
      bytesUp: this.#bytesUp,
      bytesDown: this.#bytesDown,
      latencyMs: this.#latencyMs,
      framesSent: this.#framesSent,
      samesSent: this.#samesSent,
      acked: this.#acked,
      reconnects: Math.max(0, this.#welcomes - 1),
    };
  }

  /** Callbacks may call back in here: what they cause waits until the event at hand is done with. */
  #dispatch(event: LinkEvent): void {
    this.#events.push(event);
    if (this.#events.length > 1) return;
    for (let next = this.#events[0]; next !== undefined; next = this.#events[0]) {
      try {
        const { state, effects } = stepLink(this.#state, next, this.#rules);
        this.#state = state;
        for (const effect of effects) this.#perform(effect);
        this.#announcePhase();
      } finally {
        this.#events.shift();
      }
    }
  }

  #perform(effect: LinkEffect): void {
    switch (effect.type) {
      case 'get_ticket':
        this.#arm('welcome', WELCOME_TIMEOUT_MS, () => this.#silence());
        this.#getTicket();
        return;
      case 'open_socket':
        this.#openSocket();
        return;
      case 'send':
        this.#sendText(JSON.stringify(effect.message));
        return;
      case 'drop_socket':
        this.#dropSocket(effect.code);
        return;
      case 'schedule_retry': {
        const { generation } = this.#state;
        const backoffMs = fullJitterMs(effect.failures, this.#options.random());
        const delayMs = Math.min(backoffMs, effect.withinMs ?? backoffMs);
        this.#arm('retry', delayMs, () => this.#dispatch({ type: 'retry', generation }));
        return;
      }
      case 'fault':
        this.#options.onFault?.(effect.fault);
        return;
      case 'welcome':
        this.#disarm('welcome');
        this.#welcomes++;
        if (!effect.message.resumed) this.#flow.reset();
        this.#options.onWelcome?.(effect.message);
        return;
      case 'stopped':
        this.#settleStop(effect.message);
        return;
      case 'ended':
        this.#disarm('retry');
        this.#announcePhase();
        this.#options.onEnded?.(effect.reason);
        return;
    }
  }

  async #getTicket(): Promise<void> {
    const { generation } = this.#state;
    try {
      const ticket = await this.#options.getTicket();
      this.#dispatch({ type: 'ticket', generation, ticket });
    } catch (error) {
      const refused = error instanceof RelayError && error.code === 'ticket_refused';
      const fault: Fault = {
        code: refused ? 'ticket_refused' : 'ticket_unavailable',
        message: describeError(error),
        fatal: true,
        retry: !refused,
        seq: null,
      };
      this.#dispatch({ type: 'ticket_failed', generation, fault, nowMs: this.#options.now() });
    }
  }

  #openSocket(): void {
    const { generation } = this.#state;
    const { now } = this.#options;
    let socket: WebSocketLike;
    try {
      socket = this.#options.createSocket(this.#options.url, SUBPROTOCOL);
    } catch (error) {
      this.#options.onFault?.({
        code: 'address_invalid',
        message: describeError(error),
        fatal: true,
        retry: true,
        seq: null,
      });
      this.#dispatch({ type: 'closed', generation, code: 1006, nowMs: now() });
      return;
    }
    socket.binaryType = 'arraybuffer';
    this.#socket = socket;
    socket.addEventListener('open', () => this.#dispatch({ type: 'opened', generation }));
    socket.addEventListener('message', (event) => {
      if (generation === this.#state.generation) this.#receive(event, generation);
    });
    socket.addEventListener('close', (event) =>
      this.#dispatch({ type: 'closed', generation, code: event.code ?? 1006, nowMs: now() }),
    );
    // A close event follows every error; without a listener npm `ws` would throw it.
    socket.addEventListener('error', () => {});
  }

  #receive(event: SocketEvent, generation: number): void {
    const { data } = event;
    try {
      if (typeof data === 'string') {
        this.#bytesDown += data.length;
        const message = parseServerControl(data);
        this.#dispatch({ type: 'control', generation, message, nowMs: this.#options.now() });
      } else if (data instanceof ArrayBuffer) {
        this.#bytesDown += data.byteLength;
        this.#onUpdate(decodeUpdate(new Uint8Array(data)), generation);
      }
    } catch (error) {
      if (!(error instanceof RelayError)) throw error;
      this.#options.onFault?.({ code: error.code, message: error.message, fatal: false, retry: false, seq: null });
    }
  }

  #onUpdate(update: Update, generation: number): void {
    if (this.#state.guidance === null) return;
    const message = this.#flow.acknowledge(update.seq);
    const clockMs = this.captureClockMs();
    if (message !== null) {
      this.#acked++;
      this.#latencyMs = clockMs === null ? null : Math.max(0, clockMs - message.captureMs);
    }
    this.#watchAcks();
    this.#dispatch({ type: 'acknowledged', generation, guidance: guidanceFromUpdate(this.#state.guidance, update) });
    this.#options.onUpdate?.(update, message === null ? null : this.#latencyMs);
  }

  #sendText(text: string): void {
    this.#bytesUp += text.length;
    this.#socket?.send(text);
  }

  #sendBinary(message: ClientMessage): number {
    const bytes = encodeClientMessage(message);
    this.#bytesUp += bytes.byteLength;
    this.#socket?.send(bytes);
    if (!this.#timers.has('ack')) this.#watchAcks();
    return message.seq;
  }

  /** Sets the alarm for the oldest message that waits for its acknowledgement. */
  #watchAcks(): void {
    const oldestMs = this.#flow.oldestSentAtMs;
    if (oldestMs === null) {
      this.#disarm('ack');
      return;
    }
    this.#arm('ack', Math.max(0, oldestMs + ACK_TIMEOUT_MS - this.#options.now()), () => this.#silence());
  }

  #silence(): void {
    this.#dispatch({ type: 'silence', generation: this.#state.generation, nowMs: this.#options.now() });
  }

  #dropSocket(code: number | null): void {
    const socket = this.#socket;
    this.#socket = null;
    this.#flow.dropPending();
    this.#disarm('ack');
    this.#disarm('welcome');
    if (code === null) socket?.close();
    else socket?.close(code);
  }

  #settleStop(stopped: Stopped | null): void {
    this.#disarm('stop');
    const waiting = this.#stop;
    this.#stop = null;
    waiting?.resolve(stopped);
  }

  #arm(name: TimerName, delayMs: number, callback: () => void): void {
    this.#disarm(name);
    const handle = this.#options.setTimer(() => {
      this.#timers.delete(name);
      callback();
    }, delayMs);
    this.#timers.set(name, handle);
  }

  #disarm(name: TimerName): void {
    const handle = this.#timers.get(name);
    if (handle === undefined) return;
    this.#timers.delete(name);
    this.#options.clearTimer(handle);
  }

  #announcePhase(): void {
    const phase = publicPhase(this.#state);
    if (phase === this.#phase) return;
    this.#phase = phase;
    this.#options.onConnectionChange?.(phase);
  }
}

function publicPhase(state: LinkState): ConnectionPhase {
  switch (state.phase.name) {
    case 'idle':
      return 'idle';
    case 'live':
      return 'connected';
    case 'ended':
      return 'ended';
    default:
      return state.everWelcomed ? 'reconnecting' : 'connecting';
  }
}
