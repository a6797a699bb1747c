import { Emptying } from './emptying.ts';
import type { Outbox, OutgoingMessage } from './outbox.ts';

/** While nothing gets through, one picture in this time is kept: well within what one sample covers (2 s). */
const KEEP_EVERY_MS = 1000;
/** Nothing newer than this acknowledged: the link is taken for interrupted. Less than 2 s, so that no gap begins. */
const INTERRUPTED_AFTER_MS = 1500;
/** A minute of pictures. What comes after it is not kept: that time is untracked. */
export const MOST_KEPT_PICTURES = 60;
/** Kept pictures a second: a class that comes back at once must not crowd out live pictures at inference. */
const PER_SECOND = 10;
const BURST = 2;

type KeptPicture = Extract<OutgoingMessage, { kind: 'frame' }>;

/**
 * Server mode's memory of an outage: pictures wait here, in memory alone, and leave in order of
 * capture, before anything newer, as soon as there is room.
 */
export class FrameOutbox implements Outbox {
  #waiting: KeptPicture[] = [];
  #sent: KeptPicture[] = [];
  #lastKeptMs = Number.NEGATIVE_INFINITY;
  #acknowledgedMs = Number.NEGATIVE_INFINITY;
  #tokens = BURST;
  #refilledAtMs: number | null = null;
  readonly #emptying = new Emptying();

  /** Pictures that the gateway has not acknowledged. */
  get size(): number {
    return this.#waiting.length + this.#sent.length;
  }

  /** Capture times move forward on the wire: while older pictures wait, newer ones queue behind them. */
  get goesFirst(): boolean {
    return this.#waiting.length > 0;
  }

  wants(captureMs: number): boolean {
    return (
      this.size < MOST_KEPT_PICTURES &&
      captureMs - this.#lastKeptMs >= KEEP_EVERY_MS &&
      captureMs - this.#acknowledgedMs >= INTERRUPTED_AFTER_MS
    );
  }

  /** Pictures alone: of what a repetition repeats, the gateway may know nothing. */
  keep(message: OutgoingMessage): void {
    if (message.kind !== 'frame') return;
    this.#lastKeptMs = message.captureMs;
    this.#waiting.push(message);
  }

  next(nowMs: number): OutgoingMessage | null {
    const elapsedMs = nowMs - (this.#refilledAtMs ?? nowMs);
    this.#refilledAtMs = nowMs;
    this.#tokens = Math.min(BURST, this.#tokens + (elapsedMs / 1000) * PER_SECOND);
    if (this.#tokens < 1) return null;
    const picture = this.#waiting.shift();
    if (picture === undefined) return null;
    this.#tokens -= 1;
    this.#sent.push(picture);
    return picture;
  }

  settled(captureMs: number): void {
    this.#acknowledgedMs = Math.max(this.#acknowledgedMs, captureMs);
    this.#sent = this.#sent.filter((picture) => picture.captureMs !== captureMs);
    // Something newer got through, in another mode perhaps: the capture clock is past these.
    this.#waiting = this.#waiting.filter((picture) => picture.captureMs > this.#acknowledgedMs);
    this.#emptying.note(this.size);
  }

  /** Sent again: if the gateway has counted them, it says so and counts them once. */
  rewind(): void {
    this.#waiting = [...this.#sent, ...this.#waiting];
    this.#sent = [];
  }

  /** A new session has a clock of its own: no picture of before has a place in it. */
  reset(): void {
    this.#waiting = [];
    this.#sent = [];
    this.#lastKeptMs = Number.NEGATIVE_INFINITY;
    this.#acknowledgedMs = Number.NEGATIVE_INFINITY;
    this.#emptying.note(0);
  }

  /** Resolves once nothing waits for an acknowledgement. */
  whenEmpty(): Promise<void> {
    return this.#emptying.when(this.size);
  }
}
