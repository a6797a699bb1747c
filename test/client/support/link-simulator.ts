import { nextDueMs } from '../../../client/capture/frame-schedule.ts';
import { RelayConnection } from '../../../client/connection/connection.ts';
import type { SocketEvent, SocketEventName, WebSocketLike } from '../../../client/connection/socket.ts';
import { ManualTime } from '../../../harness/manual-time.ts';
import { parseClientControl, type ServerControl } from '../../../shared/protocol/control.ts';
import { type ClientMessage, decodeClientMessage } from '../../../shared/protocol/frames.ts';
import { encodeUpdate } from '../../../shared/protocol/update.ts';
import { CAPTURE, IDLE_UPDATE, welcome } from './harness.ts';

/** A link as it is from a moment on. */
export interface LinkShape {
  /** Bytes per second up; 0 = nothing passes. */
  readonly upBps: number;
  readonly rttMs: number;
  /** Probability that a packet is lost, 0–1. */
  readonly loss: number;
  /** Bytes per second that other traffic keeps in the same queue up. */
  readonly otherBps: number;
}

export interface LinkChange extends Partial<LinkShape> {
  readonly atMs: number;
}

export interface LinkScenario {
  readonly seconds: number;
  readonly link: LinkShape;
  readonly changes?: readonly LinkChange[];
  /** Share of the looks at which the student has moved, 0–1. */
  readonly moving: number;
  /** Bytes of a picture of `sizePx` at a quality and codec. */
  pictureBytes(sizePx: number, quality: number, codec: 'jpeg' | 'webp'): number;
  readonly webp: boolean;
  readonly lessData?: boolean;
  /** In [0, 1). */
  random(): number;
}

/** What was seen in one second. */
export interface SimulatedSecond {
  readonly observations: number;
  readonly bytesUp: number;
  /** Most bytes of ours that waited in the link's queue. */
  readonly queuedBytes: number;
  readonly allowanceBps: number;
  readonly latenciesMs: readonly number[];
  readonly formats: readonly string[];
}

const PACKET_BYTES = 1400;
/** TCP, IP, TLS and WebSocket headers of a message. */
const HEADER_BYTES = 80;
const SERVICE_MS = 15;
const VIDEO_FRAME_MS = 1000 / 30;
/** TCP sends a lost packet again after this beyond a round trip (tail loss probe, RFC 8985). */
const RETRANSMIT_MS = 200;

/**
 * A socket over a shaped link with the gateway's manners behind it: first in first out at a rate,
 * half of the round trip each way, losses that hold up what comes after them (TCP).
 */
class SimulatedSocket implements WebSocketLike {
  binaryType = '';
  bufferedAmount = 0;
  queuedBytes = 0;
  /** Capture times of what arrived and was answered: observations. */
  readonly onAnswered: (message: ClientMessage) => void;
  readonly #time: ManualTime;
  readonly #shape: () => LinkShape;
  readonly #random: () => number;
  readonly #listeners = new Map<SocketEventName, (event: SocketEvent) => void>();
  #linkFreeAtMs = 0;
  #deliveredUpToMs = 0;
  #serverFreeAtMs = 0;
  #downUpToMs = 0;

  constructor(
    time: ManualTime,
    shape: () => LinkShape,
    random: () => number,
    onAnswered: (message: ClientMessage) => void,
  ) {
    this.#time = time;
    this.#shape = shape;
    this.#random = random;
    this.onAnswered = onAnswered;
    time.setTimer(() => this.#fire({ type: 'open' }), shape().rttMs);
  }

  send(data: string | Uint8Array<ArrayBuffer>): void {
    const bytes = (typeof data === 'string' ? data.length : data.byteLength) + HEADER_BYTES;
    this.queuedBytes += bytes;
    this.#transmit(bytes, this.#time.nowMs, () => {
      this.queuedBytes -= bytes;
      if (typeof data === 'string') this.#onControl(data);
      else this.#onMessage(decodeClientMessage(data));
    });
  }

  close(): void {}

  addEventListener(type: SocketEventName, listener: (event: SocketEvent) => void): void {
    this.#listeners.set(type, listener);
  }

  #transmit(bytes: number, sentAtMs: number, deliver: () => void): void {
    const { upBps, rttMs, loss, otherBps } = this.#shape();
    const ownBps = Math.max(upBps - otherBps, upBps * 0.1);
    if (upBps === 0) {
      this.#time.setTimer(() => this.#transmit(bytes, sentAtMs, deliver), 100);
      return;
    }
    const fromMs = Math.max(this.#linkFreeAtMs, this.#time.nowMs);
    this.#linkFreeAtMs = fromMs + (bytes * 1000) / ownBps;
    let arrivesAtMs = this.#linkFreeAtMs + rttMs / 2;
    for (let packet = 0; packet < bytes / PACKET_BYTES; packet++) {
      while (this.#random() < loss) arrivesAtMs += rttMs + RETRANSMIT_MS;
    }
    // TCP hands on in order.
    this.#deliveredUpToMs = Math.max(this.#deliveredUpToMs, arrivesAtMs);
    this.#time.setTimer(deliver, this.#deliveredUpToMs - this.#time.nowMs);
  }

  #onControl(text: string): void {
    const message = parseClientControl(text);
    if (message.type === 'hello') this.#answer(() => welcome(), 0);
    if (message.type === 'start') this.#answer(() => ({ type: 'started', atMs: message.atMs }), 0);
  }

  #onMessage(message: ClientMessage): void {
    const serviceMs = message.kind === 'frame' ? SERVICE_MS : 0;
    this.#serverFreeAtMs = Math.max(this.#serverFreeAtMs, this.#time.nowMs) + serviceMs;
    this.#down(this.#serverFreeAtMs - this.#time.nowMs, () => {
      this.onAnswered(message);
      const nextCrop = { xPx: 200, yPx: 100, widthPx: 240, heightPx: 240 };
      const bytes = encodeUpdate({ ...IDLE_UPDATE, seq: message.seq, captureMs: message.captureMs, nextCrop });
      this.#fire({ type: 'message', data: bytes.buffer });
    });
  }

  #answer(message: () => ServerControl, serviceMs: number): void {
    this.#down(serviceMs, () => this.#fire({ type: 'message', data: JSON.stringify(message()) }));
  }

  #down(serviceMs: number, deliver: () => void): void {
    const atMs = this.#time.nowMs + serviceMs + this.#shape().rttMs / 2;
    this.#downUpToMs = Math.max(this.#downUpToMs, atMs);
    this.#time.setTimer(deliver, this.#downUpToMs - this.#time.nowMs);
  }

  #fire(event: SocketEvent & { type: string }): void {
    this.#listeners.get(event.type as SocketEventName)?.(event);
  }
}

/** Runs the client's connection and pacing over a simulated link, second by second. */
export async function simulateLink(scenario: LinkScenario): Promise<readonly SimulatedSecond[]> {
  const time = new ManualTime();
  const startMs = time.nowMs;
  const answered: { captureMs: number }[] = [];
  const latenciesMs: number[] = [];
  const formats: string[] = [];
  let socket: SimulatedSocket | null = null;
  const shape = (): LinkShape => {
    const made = (scenario.changes ?? []).filter(({ atMs }) => atMs <= time.nowMs - startMs);
    return Object.assign({}, scenario.link, ...made);
  };
  const connection = new RelayConnection({
    url: 'ws://gateway.test/v1/stream',
    createSocket: () => {
      socket = new SimulatedSocket(time, shape, scenario.random, (message) => answered.push(message));
      return socket;
    },
    getTicket: async () => 'ticket',
    now: time.now,
    random: scenario.random,
    setTimer: time.setTimer,
    clearTimer: time.clearTimer,
    onUpdate: (_update, latencyMs) => latencyMs !== null && latenciesMs.push(latencyMs),
  });
  connection.pacer.bound({ webp: scenario.webp, lessData: scenario.lessData ?? false });
  connection.start(CAPTURE);
  connection.connect();

  let dueMs: number | null = null;
  let notBeforeMs = 0;
  let pictureSentAtMs = Number.NEGATIVE_INFINITY;
  const look = () => {
    const { nowMs } = time;
    const due = nextDueMs(dueMs, nowMs, connection.pacer.fps);
    if (due === null || nowMs < notBeforeMs || connection.guidance === null) return;
    if (!connection.canSend()) return connection.noteBlocked();
    const captureMs = connection.captureClockMs() ?? 0;
    const moved = scenario.random() < scenario.moving;
    if (!moved && nowMs - pictureSentAtMs < 2000) {
      dueMs = due;
      connection.sendSame(captureMs);
      return;
    }
    const whole = connection.guidance.nextCrop === null;
    const { sizePx, quality, codec } = connection.pacer.format(0.7);
    const size = { widthPx: whole ? 256 : sizePx, heightPx: whole ? 192 : sizePx };
    const waitMs = connection.pacer.waitMs({ size, whole });
    if (waitMs > 0) {
      notBeforeMs = nowMs + waitMs;
      return;
    }
    dueMs = due;
    const image = new Uint8Array(Math.round(scenario.pictureBytes(whole ? 256 : sizePx, quality, codec)));
    const crop = whole ? { xPx: 0, yPx: 0, widthPx: 640, heightPx: 480 } : connection.guidance.nextCrop;
    if (crop === null) return;
    if (connection.sendFrame({ image, codec, crop, size, fullFrame: whole, captureMs }) !== null) {
      pictureSentAtMs = nowMs;
      formats.push(`${sizePx}q${Math.round(quality * 100)} ${codec}`);
    }
  };

  const seconds: SimulatedSecond[] = [];
  let bytesBefore = 0;
  for (let second = 0; second < scenario.seconds; second++) {
    let queuedBytes = 0;
    answered.length = latenciesMs.length = formats.length = 0;
    for (let at = 0; at < 1000; at += VIDEO_FRAME_MS) {
      time.advance(VIDEO_FRAME_MS);
      // Tickets are promises.
      await Promise.resolve();
      look();
      queuedBytes = Math.max(queuedBytes, (socket as SimulatedSocket | null)?.queuedBytes ?? 0);
    }
    const { bytesUp } = connection.stats();
    seconds.push({
      observations: answered.length,
      bytesUp: bytesUp - bytesBefore,
      queuedBytes,
      allowanceBps: connection.pacer.state.allowanceBps,
      latenciesMs: [...latenciesMs],
      formats: [...formats],
    });
    bytesBefore = bytesUp;
  }
  connection.close();
  return seconds;
}
