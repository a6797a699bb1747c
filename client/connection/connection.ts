import { type BackoffPolicy, backoffMs } from '../../shared/backoff.ts';
import { RelayError } from '../../shared/errors.ts';
import type { PauseReason } from '../../shared/pause.ts';
import type { CalibrationRequest } from '../../shared/protocol/calibration.ts';
import type { ClientControl, ServerControl } from '../../shared/protocol/control.ts';
import { decodeUpdate, type Update } from '../../shared/protocol/update.ts';
import { SUBPROTOCOL } from '../../shared/protocol/version.ts';
import { type Deferred, deferred } from '../lib/deferred.ts';
import { readClock } from './capture-clock.ts';
import {
  type ConnectionOptions,
  type ConnectionStats,
  linkRules,
  type OutgoingFrame,
  type OutgoingObservation,
  type Stopped,
} from './connection-options.ts';
import { addressFault, messageFault, ticketFault } from './faults.ts';
import { FrameSender, type OpenChannel } from './frames.ts';
import { parseGatewayMessage } from './gateway-messages.ts';
import { type Guidance, guidanceFromUpdate } from './guidance.ts';
import { stepLink } from './link-reducer.ts';
import {
  type CaptureStart,
  type ConnectionPhase,
  initialLinkState,
  type LinkEffect,
  type LinkEvent,
  type LinkState,
  publicPhase,
} from './link-state.ts';
import { NamedTimers } from './named-timers.ts';
import { Pacer } from './pacing/pacer.ts';
import type { SocketEvent, WebSocketLike } from './socket.ts';
import { StartRtt } from './start-rtt.ts';
import { Traffic } from './traffic.ts';

/** With full jitter, so that a class of students does not come back in step after a restart of the gateway. */
export const RECONNECT: BackoffPolicy = { firstMs: 500, maxMs: 30_000 };

const WELCOME_TIMEOUT_MS = 10_000;
const STOP_TIMEOUT_MS = 5_000;
const HURRY_WITHIN_MS = 1000;

/**
 * One tracking session with the gateway, over as many WebSockets as needed. It runs in browsers and in Node: sockets,
 * clock, randomness and timers are options.
 */
export class RelayConnection {
  /** How much may be sent, how often and in what format: read by the placement that takes the pictures. */
  readonly pacer: Pacer;
  readonly #options: ConnectionOptions;
  #state: LinkState;
  #socket: WebSocketLike | null = null;
  readonly #events: LinkEvent[] = [];
  readonly #timers: NamedTimers<'welcome' | 'retry' | 'stop'>;
  readonly #traffic = new Traffic();
  readonly #frames: FrameSender;
  readonly #startRtt = new StartRtt();
  #stop: Deferred<Stopped | null> | null = null;
  #phase: ConnectionPhase = 'idle';

  constructor(options: ConnectionOptions) {
    this.#options = options;
    this.#timers = new NamedTimers(options);
    this.pacer = new Pacer(() => options.now());
    this.#frames = new FrameSender({
      now: () => options.now(),
      timers: options,
      traffic: this.#traffic,
      outbox: options.outbox ?? null,
      channel: () => this.#channel(),
      pacer: this.pacer,
      onSilence: () => this.#silence(),
    });
    this.#state = initialLinkState(options.resumeToken ?? null);
  }

  /** Connects, and reconnects until close() or a final refusal. */
  connect(): void {
    this.#dispatch({ type: 'connect', nowMs: this.#options.now() });
  }

  /**
   * Starts capture, resumes it after a stop, or announces a changed camera. Sent again after every reconnect.
   */
  start(wanted: CaptureStart): void {
    this.#dispatch({ type: 'start', wanted, nowMs: this.#options.now() });
  }

  /** The student moved to another lesson section; session, clock and camera continue. */
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
    return this.#frames.canSend(this.#channel());
  }

  /** True when a picture taken now would be queued, if it is accepted at all. */
  isQueueing(): boolean {
    return this.#frames.isQueueing(this.#channel());
  }

  /** True when a picture or an observation taken now would be sent or queued. */
  accepts(): boolean {
    const captureMs = this.captureClockMs();
    return this.#state.wanted !== null && captureMs !== null && this.#frames.accepts(this.#channel(), captureMs);
  }

  /** Call it when a picture is due and canSend() is false: the pacer then slows down. */
  noteBlocked(): void {
    this.#frames.noteBlocked(this.#channel());
  }

  /**
   * Sends a picture. Returns its sequence number, or null when it cannot be sent now: the outbox queues it, or it is
   * dropped.
   */
  sendFrame({ size, ...frame }: OutgoingFrame): number | null {
    const picture = size === undefined ? null : { size, whole: frame.fullFrame };
    return this.#frames.send(this.#channel(), { kind: 'frame', ...frame }, picture);
  }

  /**
   * Says that the picture is still the one sent last. Returns as sendFrame does; null while a picture is not
   * acknowledged, for the gateway may not have it yet.
   */
  sendSame(captureMs: number): number | null {
    return this.#frames.send(this.#channel(), { kind: 'same', captureMs });
  }

  /** Sends an observation made on the device. Returns as sendFrame does. */
  sendObservation(observation: OutgoingObservation): number | null {
    return this.#frames.send(this.#channel(), { kind: 'observation', ...observation });
  }

  /** Sends a message of a calibration. Returns false, and sends nothing, while no capture runs. */
  sendCalibration(request: CalibrationRequest): boolean {
    const { phase } = this.#state;
    if (phase.name !== 'live' || !phase.startSent || phase.stopping) return false;
    this.#sendControl(request);
    return true;
  }

  /**
   * Ends capture on purpose: the time until the next start is not counted. `stop` is sent after everything queued, if
   * need be on the next connection. Resolves with the gateway's totals, null when they are late. Never rejects.
   * `reason`: why, if capture is to continue. `sinceMs` (the clock of `now`): when the last picture was taken, if earlier.
   */
  stop(reason: PauseReason | null = null, sinceMs: number = this.#options.now()): Promise<Stopped | null> {
    if (this.#stop !== null) return this.#stop.promise;
    const stop = deferred<Stopped | null>();
    this.#stop = stop;
    const { outbox, stopWithinMs } = this.#options;
    this.#timers.set('stop', stopWithinMs ?? STOP_TIMEOUT_MS, () => this.#settleStop(null));
    this.#dispatch({ type: 'stop', nowMs: sinceMs, hasQueued: (outbox?.size ?? 0) > 0, reason });
    return stop.promise;
  }

  /** Closes the connection permanently. With the resume token the session can be resumed. */
  close(): void {
    this.#dispatch({ type: 'close' });
  }

  /** The network seems to be back: tries again within a second. Not at once: a router comes back for the whole class. */
  hurry(): void {
    const { phase, generation } = this.#state;
    if (phase.name !== 'waiting') return;
    const delayMs = Math.floor(this.#options.random() * HURRY_WITHIN_MS);
    this.#timers.set('retry', delayMs, () => this.#dispatch({ type: 'retry', generation }));
  }

  /** Drops the connection for a new one, whose welcome corrects the capture clock. */
  renew(): void {
    this.#silence();
  }

  stats(): ConnectionStats {
    return this.#traffic.stats(this.#options.outbox?.size ?? 0);
  }

  /**
   * Callbacks may call back in here: what they cause waits until the present event is finished. One that throws
   * stops nothing else: the first error is thrown again when all is done.
   */
  #dispatch(event: LinkEvent): void {
    this.#events.push(event);
    if (this.#events.length > 1) return;
    const thrown: { readonly error: unknown }[] = [];
    const attempt = (act: () => void): void => {
      try {
        act();
      } catch (error) {
        thrown.push({ error });
      }
    };
    for (let next = this.#events[0]; next !== undefined; next = this.#events[0]) {
      const { state, effects } = stepLink(this.#state, next, linkRules(this.#options));
      this.#state = state;
      this.pacer.bound({ gatewayFps: state.guidance?.limits.maxFps ?? null });
      for (const effect of effects) attempt(() => this.#perform(effect));
      // After `start` and the section switches: the gateway needs them first.
      if (effects.some((effect) => effect.type === 'send' && effect.message.type === 'start'))
        attempt(() => this.#sendQueued());
      attempt(() => this.#announcePhase());
      this.#events.shift();
    }
    for (const { error } of thrown) throw error;
  }

  #perform(effect: LinkEffect): void {
    switch (effect.type) {
      case 'get_ticket':
        this.#timers.set('welcome', WELCOME_TIMEOUT_MS, () => this.#silence());
        void this.#getTicket();
        return;
      case 'open_socket':
        this.#openSocket();
        return;
      case 'send':
        this.#sendControl(effect.message);
        return;
      case 'drop_socket':
        this.#dropSocket(effect.code);
        return;
      case 'schedule_retry': {
        const { generation } = this.#state;
        const waitMs = backoffMs(RECONNECT, effect.failures - 1, () => this.#options.random());
        const delayMs = Math.min(waitMs, effect.withinMs ?? waitMs);
        this.#timers.set('retry', delayMs, () => this.#dispatch({ type: 'retry', generation }));
        return;
      }
      case 'fault':
        this.#options.onFault?.(effect.fault);
        return;
      case 'welcome':
        this.#timers.clear('welcome');
        this.#traffic.noteWelcome();
        this.#startRtt.reset();
        this.pacer.note({ type: 'connected', nowMs: this.#options.now() });
        if (!effect.message.resumed) this.#frames.reset();
        this.#options.onWelcome?.(effect.message);
        return;
      case 'stopped':
        this.#settleStop(effect.message);
        return;
      case 'calibration':
        this.#options.onCalibration?.(effect.message);
        return;
      case 'ended':
        this.#timers.clear('retry');
        this.#announcePhase();
        this.#options.onEnded?.(effect.reason);
        return;
    }
  }

  async #getTicket(): Promise<void> {
    const { generation } = this.#state;
    let event: LinkEvent;
    try {
      event = { type: 'ticket', generation, ticket: await this.#options.getTicket() };
    } catch (error) {
      event = { type: 'ticket_failed', generation, fault: ticketFault(error), nowMs: this.#options.now() };
    }
    this.#dispatch(event);
  }

  #openSocket(): void {
    const { generation } = this.#state;
    const { now } = this.#options;
    let socket: WebSocketLike;
    try {
      socket = this.#options.createSocket(this.#options.url, SUBPROTOCOL);
    } catch (error) {
      this.#dispatch({ type: 'closed', generation, code: 1006, nowMs: now() });
      this.#options.onFault?.(addressFault(error));
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

  #receive({ data }: SocketEvent, generation: number): void {
    if (typeof data !== 'string' && !(data instanceof ArrayBuffer)) return;
    this.#traffic.noteDown(data);
    let received: ServerControl | Update;
    try {
      received = typeof data === 'string' ? parseGatewayMessage(data) : decodeUpdate(new Uint8Array(data));
    } catch (error) {
      if (!(error instanceof RelayError)) throw error;
      this.#options.onFault?.(messageFault(error));
      return;
    }
    if ('outcome' in received) {
      this.#onUpdate(received, generation);
      return;
    }
    if (received.type === 'started') this.#noteStarted();
    this.#dispatch({ type: 'control', generation, message: received, nowMs: this.#options.now() });
  }

  /** The gateway answers `start` at once: that is how long a small message takes. */
  #noteStarted(): void {
    const nowMs = this.#options.now();
    const timing = this.#startRtt.answered();
    if (timing !== null) this.pacer.note({ type: 'acknowledged', nowMs, ...timing });
  }

  #onUpdate(update: Update, generation: number): void {
    if (this.#state.guidance === null) return;
    const latencyMs = this.#frames.acknowledge(update, this.captureClockMs());
    this.#dispatch({ type: 'acknowledged', generation, guidance: guidanceFromUpdate(this.#state.guidance, update) });
    this.#sendQueued();
    this.#options.onUpdate?.(update, latencyMs);
  }

  #sendQueued(): void {
    this.#frames.sendQueued(this.#channel());
    const queued = this.#options.outbox?.size ?? 0;
    if (queued === 0 && this.#state.pendingStop !== null) this.#dispatch({ type: 'outbox_drained' });
  }

  #sendControl(message: ClientControl | CalibrationRequest): void {
    const text = JSON.stringify(message);
    this.#traffic.noteUp(text.length);
    this.#socket?.send(text);
    if (message.type === 'start') this.#startRtt.sent(this.#options.now(), text.length);
  }

  /** The connection, once capture has been announced on it; null while nothing may be sent. */
  #channel(): OpenChannel | null {
    const { phase, guidance } = this.#state;
    const socket = this.#socket;
    if (phase.name !== 'live' || !phase.startSent || phase.stopping || socket === null || guidance === null)
      return null;
    return { socket, credit: socket.window ?? guidance.credit };
  }

  #silence(): void {
    this.#dispatch({ type: 'silence', generation: this.#state.generation, nowMs: this.#options.now() });
  }

  #dropSocket(code: number | null): void {
    const socket = this.#socket;
    this.#socket = null;
    this.#frames.dropPending();
    this.#timers.clear('welcome');
    if (code === null) socket?.close();
    else socket?.close(code);
  }

  #settleStop(stopped: Stopped | null): void {
    this.#timers.clear('stop');
    const stop = this.#stop;
    this.#stop = null;
    stop?.resolve(stopped);
  }

  #announcePhase(): void {
    const phase = publicPhase(this.#state);
    if (phase === this.#phase) return;
    this.#phase = phase;
    this.#options.onConnectionChange?.(phase);
  }
}
