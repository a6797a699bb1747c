import type { FaceObservation } from '../../shared/observation.ts';
import { LateQueue } from './late-queue.ts';
import type { Outbox, OutgoingMessage } from './outbox.ts';

/** A result of device mode: an observation, or null for a picture identical to the one before. */
export interface QueuedObservation {
  /** Capture clock, whole ms. */
  readonly captureMs: number;
  readonly observation: FaceObservation | null;
}

/** Stores observations beyond this page's life. Calls run in order and never fail. */
export interface ObservationStorage {
  put(queued: QueuedObservation): void;
  remove(captureMs: number): void;
  clear(): void;
}

/** During an outage one observation per this time is queued: enough to decide focus, and the queue stays short. */
const QUEUE_EVERY_MS = 400;
/** Without an acknowledgement for this long the link counts as interrupted. Less than 2 s, so that no gap starts. */
const INTERRUPTED_AFTER_MS = 1500;
/** A whole lesson: 53 minutes. The oldest are dropped first. */
export const MAX_QUEUED_OBSERVATIONS = 8000;
/** Queued observations in flight, and per second: within PROTOCOL.md, L-3. */
const WINDOW = 32;
const RATE = { perSecond: 60, burst: 8 };

function toQueued(message: OutgoingMessage): QueuedObservation | null {
  if (message.kind === 'frame') return null;
  return { captureMs: message.captureMs, observation: message.kind === 'observation' ? message.observation : null };
}

/** Device mode's outbox: during an outage observations wait here and are sent, in order, before anything newer. */
export class ObservationOutbox implements Outbox {
  readonly window = WINDOW;
  readonly #storage: ObservationStorage | null;
  readonly #queue: LateQueue<QueuedObservation>;
  #lastQueuedMs = Number.NEGATIVE_INFINITY;

  /** `queued`: from an earlier page, in order of capture. */
  constructor(storage: ObservationStorage | null, queued: readonly QueuedObservation[] = []) {
    this.#storage = storage;
    this.#queue = new LateQueue(RATE, queued);
  }

  /** Observations that the gateway has not acknowledged. */
  get size(): number {
    return this.#queue.size;
  }

  get mustSendFirst(): boolean {
    return this.#queue.hasWaiting;
  }

  wants(captureMs: number): boolean {
    const interrupted = this.mustSendFirst || captureMs - this.#queue.acknowledgedMs >= INTERRUPTED_AFTER_MS;
    return interrupted && captureMs - this.#lastQueuedMs >= QUEUE_EVERY_MS;
  }

  enqueue(message: OutgoingMessage): void {
    const queued = toQueued(message);
    if (queued === null) return;
    this.#lastQueuedMs = queued.captureMs;
    this.#queue.push(queued);
    this.#storage?.put(queued);
    if (this.size > MAX_QUEUED_OBSERVATIONS) this.#remove(this.#queue.shift());
  }

  sentLive(message: OutgoingMessage): void {
    const queued = toQueued(message);
    if (queued !== null) this.#queue.noteLive(queued);
  }

  next(nowMs: number): OutgoingMessage | null {
    const queued = this.#queue.next(nowMs);
    if (queued === null) return null;
    const { captureMs, observation } = queued;
    return observation === null ? { kind: 'same', captureMs } : { kind: 'observation', captureMs, observation };
  }

  acknowledged(captureMs: number): void {
    for (const done of this.#queue.acknowledge(captureMs)) this.#remove(done);
  }

  requeueSent(): void {
    this.#queue.requeueSent();
  }

  /** They belong to a session that cannot be resumed. */
  reset(): void {
    this.#lastQueuedMs = Number.NEGATIVE_INFINITY;
    this.#queue.clear();
    this.#storage?.clear();
  }

  /** Resolves once nothing waits for an acknowledgement. */
  whenEmpty(): Promise<void> {
    return this.#queue.whenEmpty();
  }

  #remove(queued: QueuedObservation | null): void {
    if (queued !== null) this.#storage?.remove(queued.captureMs);
  }
}
