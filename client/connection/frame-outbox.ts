import { LateQueue } from './late-queue.ts';
import type { Outbox, OutgoingMessage } from './outbox.ts';

/** While nothing gets through, one picture in this time is kept: well within what one sample covers (2 s). */
const KEEP_EVERY_MS = 1000;
/** Nothing newer than this acknowledged: the link is taken for interrupted. Less than 2 s, so that no gap begins. */
const INTERRUPTED_AFTER_MS = 1500;
/**
 * A link that takes this long for every picture is slow, not interrupted: pictures kept beside those on their way would
 * only make it slower. As a multiple of the usual latency: two pictures under way, and the pause between them.
 */
const INTERRUPTED_AFTER_LATENCIES = 2.5;
/** Even on the slowest link: sooner than a connection without acknowledgements is given up. */
const INTERRUPTED_AT_THE_LATEST_MS = 6000;
/** Share of the usual latency that a shorter one leaves of it: one quick answer does not make a link quick. */
const LATENCY_KEPT = 0.8;
/** A minute of pictures. What comes after it is not kept: that time is untracked. */
export const MOST_KEPT_PICTURES = 60;
/** Kept pictures a second: a class that comes back at once must not crowd out live pictures at inference. */
const RATE = { perSecond: 10, burst: 2 };

type KeptPicture = Extract<OutgoingMessage, { kind: 'frame' }>;

/**
 * Server mode's memory of an outage: pictures wait here, in memory alone, and leave in order of
 * capture, before anything newer, as soon as there is room.
 */
export class FrameOutbox implements Outbox {
  readonly #queue = new LateQueue<KeptPicture>(RATE);
  #lastKeptMs = Number.NEGATIVE_INFINITY;
  /** Capture time of the first picture that could not leave since the session began: until then nothing had to be acknowledged. */
  #firstMs: number | null = null;
  #usualLatencyMs = 0;

  /** Pictures that the gateway has not acknowledged. */
  get size(): number {
    return this.#queue.size;
  }

  /** Capture times move forward on the wire: while older pictures wait, newer ones queue behind them. */
  get goesFirst(): boolean {
    return this.#queue.hasWaiting;
  }

  wants(captureMs: number): boolean {
    this.#firstMs ??= captureMs;
    const { acknowledgedMs } = this.#queue;
    const sinceMs = Number.isFinite(acknowledgedMs) ? acknowledgedMs : this.#firstMs;
    return (
      this.size < MOST_KEPT_PICTURES &&
      captureMs - this.#lastKeptMs >= KEEP_EVERY_MS &&
      captureMs - sinceMs >= this.#interruptedAfterMs()
    );
  }

  #interruptedAfterMs(): number {
    const patientMs = Math.min(INTERRUPTED_AT_THE_LATEST_MS, INTERRUPTED_AFTER_LATENCIES * this.#usualLatencyMs);
    return Math.max(INTERRUPTED_AFTER_MS, patientMs);
  }

  /** Pictures alone: of what a repetition repeats, the gateway may know nothing. */
  keep(message: OutgoingMessage): void {
    if (message.kind !== 'frame') return;
    this.#lastKeptMs = message.captureMs;
    this.#queue.push(message);
  }

  next(nowMs: number): OutgoingMessage | null {
    return this.#queue.next(nowMs);
  }

  settled(captureMs: number, latencyMs: number | null): void {
    this.#queue.settled(captureMs);
    if (latencyMs === null) return;
    this.#usualLatencyMs = Math.max(latencyMs, LATENCY_KEPT * this.#usualLatencyMs + (1 - LATENCY_KEPT) * latencyMs);
  }

  rewind(): void {
    this.#queue.rewind();
  }

  /** A new session has a clock of its own: no picture of before has a place in it. */
  reset(): void {
    this.#lastKeptMs = Number.NEGATIVE_INFINITY;
    this.#firstMs = null;
    this.#queue.clear();
  }
}
