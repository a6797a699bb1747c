import { clientMessageBytes, encodeClientMessage } from '../../shared/protocol/frames.ts';
import type { Update } from '../../shared/protocol/update.ts';
import { Alarms, type TimerSource } from './alarms.ts';
import { FlowWindow } from './flow.ts';
import type { Outbox, OutgoingMessage } from './outbox.ts';
import type { Pacer } from './pacing/pacer.ts';
import type { SentPictureSize } from './pacing/pacing.ts';
import type { WebSocketLike } from './socket.ts';
import type { Traffic } from './traffic.ts';

/** How soon an outbox that gave nothing just now is asked again, ms. */
const ASK_AGAIN_MS = 100;
/**
 * Without an acknowledgement for this long the link is taken for dead. TCP asks ever more seldom while
 * a link is out (RFC 6298): after ten seconds a fresh connection is through sooner than the old one.
 */
const ACK_TIMEOUT_MS = 8000;

/** A connection that takes messages: capture has been announced on it. */
export interface Lane {
  readonly socket: WebSocketLike;
  /** Most messages without an acknowledgement. */
  readonly credit: number;
}

export interface HotPathOptions {
  now(): number;
  readonly timers: TimerSource;
  readonly traffic: Traffic;
  readonly outbox: Outbox | null;
  /** The connection at this moment, where it takes messages. */
  lane(): Lane | null;
  readonly pacer: Pacer;
  /** Nothing was acknowledged for too long. */
  onSilence(): void;
}

/** The binary messages of a connection: what may leave, what is on its way, what waits for better times. */
export class HotPath {
  readonly #options: HotPathOptions;
  readonly #flow = new FlowWindow();
  readonly #alarms: Alarms<'ack' | 'kept'>;
  /** Sequence numbers of late messages on their way. */
  readonly #late = new Set<number>();

  constructor(options: HotPathOptions) {
    this.#options = options;
    this.#alarms = new Alarms(options.timers);
  }

  /** True when a message would leave at once: nothing queued in the socket, credit left. */
  canSend(lane: Lane | null): lane is Lane {
    return lane !== null && lane.socket.bufferedAmount === 0 && this.#flow.pending < lane.credit;
  }

  /** True when a message would not leave at once, or not before what is kept. */
  isKeeping(lane: Lane | null): boolean {
    return this.#options.outbox?.goesFirst === true || !this.canSend(lane);
  }

  /** True when a message captured at `captureMs` would be sent, or kept for later. */
  accepts(lane: Lane | null, captureMs: number): boolean {
    return !this.isKeeping(lane) || this.#options.outbox?.wants(captureMs) === true;
  }

  /**
   * Sends a message. Returns its sequence number, or null when it cannot leave now: it is kept where
   * the outbox wants it, else dropped. `picture`: its size, where it is one and is paced. While a picture
   * is on its way nothing is the same as it yet.
   */
  send(lane: Lane | null, message: OutgoingMessage, picture: SentPictureSize | null = null): number | null {
    const { outbox } = this.#options;
    const holdsBack = outbox?.goesFirst === true;
    if (holdsBack || !this.canSend(lane)) {
      if (outbox?.wants(message.captureMs) === true) outbox.keep(message);
      if (holdsBack) this.sendKept(lane);
      return null;
    }
    if (message.kind === 'same' && this.#flow.framePending) return null;
    return this.#transmit(lane, message, false, picture);
  }

  /** Sends what was kept, as far as there is room for it; what must go first is asked for again soon. */
  sendKept(lane: Lane | null): void {
    const { outbox, now } = this.#options;
    this.#alarms.clear('kept');
    if (outbox === null || lane === null) return;
    while (this.#hasRoom(lane, outbox)) {
      const message = outbox.next(now(), this.#flow.pending, lane.credit);
      if (message === null) break;
      this.#transmit(lane, message, true, null);
    }
    if (outbox.goesFirst === true) {
      this.#alarms.set('kept', ASK_AGAIN_MS, () => this.sendKept(this.#options.lane()));
    }
  }

  /** Room for a kept message. */
  #hasRoom(lane: Lane, { window }: Outbox): boolean {
    return lane.socket.bufferedAmount === 0 && this.#flow.pending < (window ?? lane.credit);
  }

  /** Takes note of an acknowledgement at `clockMs` of the capture clock. Returns the latency, ms, or null. */
  acknowledge(update: Update, clockMs: number | null): number | null {
    const message = this.#flow.acknowledge(update.seq);
    this.#watchAcks();
    if (message === null) return null;
    const { now, pacer } = this.#options;
    const { bytes, sentAtMs } = message;
    pacer.note({ type: 'acknowledged', nowMs: now(), sentAtMs, bytes });
    // How long a kept message waited says nothing of the link.
    const isLate = this.#late.delete(update.seq);
    const latencyMs = clockMs === null || isLate ? null : Math.max(0, clockMs - message.captureMs);
    this.#options.outbox?.settled?.(message.captureMs, latencyMs);
    this.#options.traffic.noteAcknowledged(latencyMs);
    return latencyMs;
  }

  /** A message is due and cannot leave. */
  noteBlocked({ socket }: Lane): void {
    const { now, pacer } = this.#options;
    const { oldestSentAtMs } = this.#flow;
    pacer.note({ type: 'blocked', nowMs: now(), bufferedBytes: socket.bufferedAmount, oldestSentAtMs });
  }

  /** The connection is gone, and with it the acknowledgements on their way. */
  dropPending(): void {
    this.#flow.dropPending();
    this.#late.clear();
    this.#alarms.clear('ack');
    this.#alarms.clear('kept');
    this.#options.outbox?.rewind?.();
  }

  /** A new session begins, whose clock starts at 0. */
  reset(): void {
    this.#flow.reset();
    this.#options.outbox?.reset?.();
  }

  #transmit(lane: Lane, message: OutgoingMessage, late: boolean, picture: SentPictureSize | null): number {
    const { now, pacer, traffic } = this.#options;
    const length = clientMessageBytes(message);
    const taken = late
      ? this.#flow.takeLate(message.kind, message.captureMs, now(), length)
      : this.#flow.take(message.kind, message.captureMs, now(), length);
    // Kept ones go as fast as they are answered: charged to the allowance they would hold up live ones for long after.
    if (!late) pacer.note({ type: 'sent', nowMs: now(), bytes: length, picture });
    traffic.noteSent(message.kind);
    traffic.noteUp(length);
    if (late) this.#late.add(taken.seq);
    const bytes = encodeClientMessage({ ...message, ...taken, late });
    lane.socket.send(bytes);
    if (!this.#alarms.has('ack')) this.#watchAcks();
    return taken.seq;
  }

  /** Sets the alarm for the oldest message that waits for its acknowledgement. */
  #watchAcks(): void {
    const { now, onSilence } = this.#options;
    const oldestMs = this.#flow.oldestSentAtMs;
    if (oldestMs === null) this.#alarms.clear('ack');
    else this.#alarms.set('ack', Math.max(0, oldestMs + ACK_TIMEOUT_MS - now()), onSilence);
  }
}
