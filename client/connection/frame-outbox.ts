import { LateQueue } from './late-queue.ts';
import type { Outbox, OutgoingMessage } from './outbox.ts';

/** While nothing gets through, one picture per this time is queued: well within what one sample covers (2 s). */
const QUEUE_EVERY_MS = 1000;
/** Without an acknowledgement for this long the link counts as interrupted. Less than 2 s, so that no gap starts. */
const INTERRUPTED_AFTER_MS = 1500;
/**
 * A link that takes this long for every picture is slow, not interrupted: queued pictures beside those in flight would
 * only make it slower. As a multiple of the usual latency: two pictures in flight, and the pause between them.
 */
const INTERRUPTED_AFTER_LATENCIES = 2.5;
/** Upper bound on the slowest link: before a connection without acknowledgements is dropped. */
const INTERRUPTED_AFTER_MAX_MS = 6000;
/** Weight of the usual latency against a shorter one: one quick answer does not make a link quick. */
const LATENCY_WEIGHT = 0.8;
/** A minute of pictures. Later ones are not queued: that time is untracked. */
export const MAX_QUEUED_PICTURES = 60;
/** Queued pictures per second: a class that reconnects at once must not crowd out live pictures at inference. */
const RATE = { perSecond: 10, burst: 2 };
/** Inference may be starting when the connection is back (L-8): its next try, and how often in a row it is tried. */
const UNSERVED_PAUSE_MS = 500;
const MAX_UNSERVED = 20;

type QueuedPicture = Extract<OutgoingMessage, { kind: 'frame' }>;

/**
 * Server mode's outbox: during an outage pictures wait here, in memory only, and are sent in order of capture, before
 * anything newer.
 */
export class FrameOutbox implements Outbox {
  readonly #queue = new LateQueue<QueuedPicture>(RATE);
  #lastQueuedMs = Number.NEGATIVE_INFINITY;
  /** Capture time of the session's first picture that could not be sent: before it nothing was to be acknowledged. */
  #firstMs: number | null = null;
  #usualLatencyMs = 0;
  #unserved = 0;
  #pausedUntilMs = 0;

  /** Pictures that the gateway has not acknowledged. */
  get size(): number {
    return this.#queue.size;
  }

  /** Capture times increase on the wire: while older pictures wait, newer ones queue behind them. */
  get mustSendFirst(): boolean {
    return this.#queue.hasWaiting;
  }

  wants(captureMs: number): boolean {
    this.#firstMs ??= captureMs;
    const { acknowledgedMs } = this.#queue;
    const sinceMs = Number.isFinite(acknowledgedMs) ? acknowledgedMs : this.#firstMs;
    return (
      this.size < MAX_QUEUED_PICTURES &&
      captureMs - this.#lastQueuedMs >= QUEUE_EVERY_MS &&
      captureMs - sinceMs >= this.#interruptedAfterMs()
    );
  }

  #interruptedAfterMs(): number {
    const slowLinkMs = Math.min(INTERRUPTED_AFTER_MAX_MS, INTERRUPTED_AFTER_LATENCIES * this.#usualLatencyMs);
    return Math.max(INTERRUPTED_AFTER_MS, slowLinkMs);
  }

  /** Pictures only: the gateway may not have the picture that a `same` refers to. */
  enqueue(message: OutgoingMessage): void {
    if (message.kind !== 'frame') return;
    this.#lastQueuedMs = message.captureMs;
    this.#queue.push(message);
  }

  next(nowMs: number): OutgoingMessage | null {
    return nowMs < this.#pausedUntilMs ? null : this.#queue.next(nowMs);
  }

  unserved(captureMs: number, nowMs: number): boolean {
    if (++this.#unserved > MAX_UNSERVED) return false;
    this.#pausedUntilMs = nowMs + UNSERVED_PAUSE_MS;
    this.#queue.requeue(captureMs);
    return true;
  }

  acknowledged(captureMs: number, latencyMs: number | null): void {
    this.#queue.acknowledge(captureMs);
    if (latencyMs === null) {
      if (this.#unserved <= MAX_UNSERVED) this.#unserved = 0;
      return;
    }
    this.#usualLatencyMs = Math.max(
      latencyMs,
      LATENCY_WEIGHT * this.#usualLatencyMs + (1 - LATENCY_WEIGHT) * latencyMs,
    );
  }

  requeueSent(): void {
    this.#unserved = 0;
    this.#queue.requeueSent();
  }

  /** A new session has its own clock: earlier pictures do not belong to it. */
  reset(): void {
    this.#lastQueuedMs = Number.NEGATIVE_INFINITY;
    this.#firstMs = null;
    this.#queue.clear();
  }
}
