import type { FaceObservation } from '../../shared/observation.ts';
import { Emptying } from './emptying.ts';
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
const PER_SECOND = 40;
const BURST = 8;

/** Device mode's memory of an outage: observations wait here and leave, in order, before anything newer. */
export class ObservationOutbox implements Outbox {
  readonly window = WINDOW;
  readonly #keeper: ObservationKeeper | null;
  #waiting: KeptObservation[];
  #sent: KeptObservation[] = [];
  #lastKeptMs = Number.NEGATIVE_INFINITY;
  #acknowledgedMs = Number.NEGATIVE_INFINITY;
  #tokens = BURST;
  #refilledAtMs: number | null = null;
  readonly #emptying = new Emptying();

  /** `kept`: from an earlier page, in order of capture. */
  constructor(keeper: ObservationKeeper | null, kept: readonly KeptObservation[] = []) {
    this.#keeper = keeper;
    this.#waiting = [...kept];
  }

  /** Observations that the gateway has not acknowledged. */
  get size(): number {
    return this.#waiting.length + this.#sent.length;
  }

  get goesFirst(): boolean {
    return this.#waiting.length > 0;
  }

  wants(captureMs: number): boolean {
    const interrupted = this.goesFirst || captureMs - this.#acknowledgedMs >= INTERRUPTED_AFTER_MS;
    return interrupted && captureMs - this.#lastKeptMs >= KEEP_EVERY_MS;
  }

  keep(message: OutgoingMessage): void {
    if (message.kind === 'frame') return;
    const { captureMs } = message;
    const kept = { captureMs, observation: message.kind === 'observation' ? message.observation : null };
    this.#lastKeptMs = captureMs;
    this.#waiting.push(kept);
    this.#keeper?.put(kept);
    if (this.size <= MOST_KEPT) return;
    const oldest = this.#waiting.shift();
    if (oldest !== undefined) this.#keeper?.remove(oldest.captureMs);
  }

  next(nowMs: number): OutgoingMessage | null {
    const elapsedMs = nowMs - (this.#refilledAtMs ?? nowMs);
    this.#refilledAtMs = nowMs;
    this.#tokens = Math.min(BURST, this.#tokens + (elapsedMs / 1000) * PER_SECOND);
    if (this.#tokens < 1) return null;
    const kept = this.#waiting.shift();
    if (kept === undefined) return null;
    this.#tokens -= 1;
    this.#sent.push(kept);
    const { captureMs, observation } = kept;
    return observation === null ? { kind: 'same', captureMs } : { kind: 'observation', captureMs, observation };
  }

  settled(captureMs: number): void {
    this.#acknowledgedMs = Math.max(this.#acknowledgedMs, captureMs);
    const at = this.#sent.findIndex((kept) => kept.captureMs === captureMs);
    if (at < 0) return;
    this.#sent.splice(at, 1);
    this.#keeper?.remove(captureMs);
    this.#emptying.note(this.size);
  }

  /** Sent again: if the gateway has counted them, it says so and counts them once. */
  rewind(): void {
    this.#waiting = [...this.#sent, ...this.#waiting];
    this.#sent = [];
  }

  /** They belong to a session that cannot be gone on with. */
  reset(): void {
    this.#waiting = [];
    this.#sent = [];
    this.#lastKeptMs = Number.NEGATIVE_INFINITY;
    this.#acknowledgedMs = Number.NEGATIVE_INFINITY;
    this.#keeper?.clear();
    this.#emptying.note(this.size);
  }

  /** Resolves once nothing waits for an acknowledgement. */
  whenEmpty(): Promise<void> {
    return this.#emptying.when(this.size);
  }
}
