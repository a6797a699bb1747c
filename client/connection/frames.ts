import { clientMessageBytes, encodeClientMessage } from '../../shared/protocol/frames.ts';
import type { Update } from '../../shared/protocol/update.ts';
import { FlowWindow } from './flow.ts';
import { NamedTimers, type TimerSource } from './named-timers.ts';
import type { Outbox, OutgoingMessage } from './outbox.ts';
import type { Pacer } from './pacing/pacer.ts';
import type { SentPictureSize } from './pacing/pacing.ts';
import type { WebSocketLike } from './socket.ts';
import type { Traffic } from './traffic.ts';

/** Pause before an outbox whose rate allowed nothing is asked again, ms. */
const ASK_AGAIN_MS = 100;
/**
 * Without an acknowledgement for this long the link counts as dead. TCP retries less and less often during an outage
 * (RFC 6298): after ten seconds a new connection works sooner than the old one.
 */
const ACK_TIMEOUT_MS = 8000;

/** A connection on which capture has been announced: it takes binary messages. */
export interface OpenChannel {
  readonly socket: WebSocketLike;
  /** Most messages without an acknowledgement. */
  readonly credit: number;
}

export interface FrameSenderOptions {
  now(): number;
  readonly timers: TimerSource;
  readonly traffic: Traffic;
  readonly outbox: Outbox | null;
  /** The connection now, if it takes messages. */
  channel(): OpenChannel | null;
  readonly pacer: Pacer;
  /** Nothing was acknowledged for too long. */
  onSilence(): void;
}

/** Sends the binary messages of a connection: flow control, acknowledgements, the outbox. */
export class FrameSender {
  readonly #options: FrameSenderOptions;
  readonly #flow = new FlowWindow();
  readonly #timers: NamedTimers<'ack' | 'queued'>;
  /** Sequence numbers of late messages in flight. */
  readonly #late = new Set<number>();

  constructor(options: FrameSenderOptions) {
    this.#options = options;
    this.#timers = new NamedTimers(options.timers);
  }

  /** True when a message would be sent at once: nothing buffered in the socket, credit left. */
  canSend(channel: OpenChannel | null): channel is OpenChannel {
    return channel !== null && channel.socket.bufferedAmount === 0 && this.#flow.pending < channel.credit;
  }

  /** True when a message would not be sent at once, or only after queued ones. */
  isQueueing(channel: OpenChannel | null): boolean {
    return this.#options.outbox?.mustSendFirst === true || !this.canSend(channel);
  }

  /** True when a message captured at `captureMs` would be sent or queued. */
  accepts(channel: OpenChannel | null, captureMs: number): boolean {
    return !this.isQueueing(channel) || this.#options.outbox?.wants(captureMs) === true;
  }

  /**
   * Sends a message. Returns its sequence number, or null when it cannot be sent now: the outbox queues it, or it is
   * dropped. `picture`: its size, if it is a picture in the pacer's format. A `same` is dropped while a picture is in
   * flight, for the gateway may not have it yet.
   */
  send(channel: OpenChannel | null, message: OutgoingMessage, picture: SentPictureSize | null = null): number | null {
    const { outbox } = this.#options;
    const queuesFirst = outbox?.mustSendFirst === true;
    if (queuesFirst || !this.canSend(channel)) {
      if (outbox?.wants(message.captureMs) === true) outbox.enqueue(message);
      if (queuesFirst) this.sendQueued(channel);
      return null;
    }
    if (message.kind === 'same' && this.#flow.framePending) return null;
    return this.#transmit(channel, message, false, picture);
  }

  /** Sends queued messages as far as there is room, and again soon while some must be sent first. */
  sendQueued(channel: OpenChannel | null): void {
    const { outbox, now } = this.#options;
    this.#timers.clear('queued');
    if (outbox === null || channel === null) return;
    while (this.#hasRoom(channel, outbox)) {
      const message = outbox.next(now(), this.#flow.pending, channel.credit);
      if (message === null) break;
      this.#transmit(channel, message, true, null);
    }
    if (outbox.mustSendFirst === true) {
      this.#timers.set('queued', ASK_AGAIN_MS, () => this.sendQueued(this.#options.channel()));
    }
  }

  /** Room for a queued message. */
  #hasRoom(channel: OpenChannel, { window }: Outbox): boolean {
    return channel.socket.bufferedAmount === 0 && this.#flow.pending < (window ?? channel.credit);
  }

  /** Handles an acknowledgement at `clockMs` of the capture clock. Returns the latency, ms, or null. */
  acknowledge(update: Update, clockMs: number | null): number | null {
    const message = this.#flow.acknowledge(update.seq);
    this.#watchAcks();
    if (message === null) return null;
    const { now, pacer } = this.#options;
    const { bytes, sentAtMs } = message;
    pacer.note({ type: 'acknowledged', nowMs: now(), sentAtMs, bytes });
    // How long a queued message waited says nothing about the link.
    const isLate = this.#late.delete(update.seq);
    const latencyMs = clockMs === null || isLate ? null : Math.max(0, clockMs - message.captureMs);
    const { outbox } = this.#options;
    const isSentAgain =
      isLate && update.outcome === 'unserved' && outbox?.unserved?.(message.captureMs, now()) === true;
    if (!isSentAgain) outbox?.acknowledged?.(message.captureMs, latencyMs);
    this.#options.traffic.noteAcknowledged(latencyMs);
    return latencyMs;
  }

  /** A message is due and cannot be sent. */
  noteBlocked(channel: OpenChannel | null): void {
    if (channel === null) return;
    const { now, pacer } = this.#options;
    const { oldestSentAtMs } = this.#flow;
    pacer.note({ type: 'blocked', nowMs: now(), bufferedBytes: channel.socket.bufferedAmount, oldestSentAtMs });
  }

  /** The connection is lost, and with it outstanding acknowledgements. */
  dropPending(): void {
    this.#flow.dropPending();
    this.#late.clear();
    this.#timers.clear('ack');
    this.#timers.clear('queued');
    this.#options.outbox?.requeueSent?.();
  }

  /** A new session starts, whose clock starts at 0. */
  reset(): void {
    this.#flow.reset();
    this.#options.outbox?.reset?.();
  }

  #transmit(channel: OpenChannel, message: OutgoingMessage, late: boolean, picture: SentPictureSize | null): number {
    const { now, pacer, traffic } = this.#options;
    const length = clientMessageBytes(message);
    const taken = late
      ? this.#flow.takeLate(message.kind, message.captureMs, now(), length)
      : this.#flow.take(message.kind, message.captureMs, now(), length);
    // Late messages have their own rate: charged to the allowance they would delay live ones for long afterwards.
    if (!late) pacer.note({ type: 'sent', nowMs: now(), bytes: length, picture });
    traffic.noteSent(message.kind);
    traffic.noteUp(length);
    if (late) this.#late.add(taken.seq);
    else if (channel.socket.window !== undefined)
      this.#options.outbox?.sentLive?.({ ...message, captureMs: taken.captureMs });
    const bytes = encodeClientMessage({ ...message, ...taken, late });
    channel.socket.send(bytes);
    if (!this.#timers.has('ack')) this.#watchAcks();
    return taken.seq;
  }

  /** Sets the timer for the oldest message without an acknowledgement. */
  #watchAcks(): void {
    const { now, onSilence } = this.#options;
    const oldestMs = this.#flow.oldestSentAtMs;
    if (oldestMs === null) this.#timers.clear('ack');
    else this.#timers.set('ack', Math.max(0, oldestMs + ACK_TIMEOUT_MS - now()), onSilence);
  }
}
