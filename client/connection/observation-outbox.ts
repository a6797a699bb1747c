import type { FaceObservation } from '../../shared/observation.ts';
import { LateQueue } from './late-queue.ts';
import type { Outbox, OutgoingMessage } from './outbox.ts';

/** What device mode makes: an observation, or null for a picture that is bit for bit the one before. */
export interface KeptObservation {
  /** Capture clock, whole ms. */
  readonly captureMs: number;
  readonly observation: FaceObservation | null;
}

/** Keeps observations beyond this page's life; calls are carried out in order, and none fails. */
export interface ObservationKeeper {
  put(kept: KeptObservation): void;
  remove(captureMs: number): void;
  clear(): void;
}

/** During an outage one observation in this time is kept: focus is told from fewer, and the queue stays short. */
const KEEP_EVERY_MS = 400;
/** Nothing newer than this acknowledged: the link is taken for interrupted. Less than 2 s, so that no gap begins. */
const INTERRUPTED_AFTER_MS = 1500;
/** About 13 minutes of them; tracking ends after ten without a connection. What is older than these goes first. */
export const MOST_KEPT = 2000;
/** Kept observations without an acknowledgement, and how many a second: PROTOCOL.md, L-3, with room to spare. */
const WINDOW = 32;
const RATE = { perSecond: 40, burst: 8 };

/** Device mode's memory of an outage: observations wait here and leave, in order, before anything newer. */
export class ObservationOutbox implements Outbox {
  readonly window = WINDOW;
  readonly #keeper: ObservationKeeper | null;
  readonly #queue: LateQueue<KeptObservation>;
  #lastKeptMs = Number.NEGATIVE_INFINITY;

  /** `kept`: from an earlier page, in order of capture. */
  constructor(keeper: ObservationKeeper | null, kept: readonly KeptObservation[] = []) {
    this.#keeper = keeper;
    this.#queue = new LateQueue(RATE, kept);
  }

  /** Observations that the gateway has not acknowledged. */
  get size(): number {
    return this.#queue.size;
  }

  get goesFirst(): boolean {
    return this.#queue.hasWaiting;
  }

  wants(captureMs: number): boolean {
    const interrupted = this.goesFirst || captureMs - this.#queue.acknowledgedMs >= INTERRUPTED_AFTER_MS;
    return interrupted && captureMs - this.#lastKeptMs >= KEEP_EVERY_MS;
  }

  keep(message: OutgoingMessage): void {
    if (message.kind === 'frame') return;
    const { captureMs } = message;
    const kept = { captureMs, observation: message.kind === 'observation' ? message.observation : null };
    this.#lastKeptMs = captureMs;
    this.#queue.push(kept);
    this.#keeper?.put(kept);
    if (this.size > MOST_KEPT) this.#forget(this.#queue.shift());
  }

  next(nowMs: number): OutgoingMessage | null {
    const kept = this.#queue.next(nowMs);
    if (kept === null) return null;
    const { captureMs, observation } = kept;
    return observation === null ? { kind: 'same', captureMs } : { kind: 'observation', captureMs, observation };
  }

  settled(captureMs: number): void {
    for (const kept of this.#queue.settled(captureMs)) this.#forget(kept);
  }

  rewind(): void {
    this.#queue.rewind();
  }

  /** They belong to a session that cannot be gone on with. */
  reset(): void {
    this.#lastKeptMs = Number.NEGATIVE_INFINITY;
    this.#queue.clear();
    this.#keeper?.clear();
  }

  /** Resolves once nothing waits for an acknowledgement. */
  whenEmpty(): Promise<void> {
    return this.#queue.whenEmpty();
  }

  #forget(kept: KeptObservation | null): void {
    if (kept !== null) this.#keeper?.remove(kept.captureMs);
  }
}
