import { Emptying } from './emptying.ts';

/** How fast kept messages leave: on average, and at once. */
export interface LateRate {
  readonly perSecond: number;
  readonly burst: number;
}

/** What is kept: it has its place by its capture time, ms. */
interface Timed {
  readonly captureMs: number;
}

/**
 * What an outage holds back, in order of capture: it waits, leaves at a bounded rate, and is forgotten once it
 * is acknowledged. Nothing is lost with a connection: what nobody acknowledged waits again.
 */
export class LateQueue<T extends Timed> {
  readonly #rate: LateRate;
  #waiting: T[];
  #sent: T[] = [];
  #acknowledgedMs = Number.NEGATIVE_INFINITY;
  #tokens: number;
  #refilledAtMs: number | null = null;
  readonly #emptying = new Emptying();

  constructor(rate: LateRate, waiting: readonly T[] = []) {
    this.#rate = rate;
    this.#tokens = rate.burst;
    this.#waiting = [...waiting];
  }

  /** Kept and not acknowledged. */
  get size(): number {
    return this.#waiting.length + this.#sent.length;
  }

  get hasWaiting(): boolean {
    return this.#waiting.length > 0;
  }

  /** Capture time of the newest message, kept or not, that was acknowledged; minus infinity before the first. */
  get acknowledgedMs(): number {
    return this.#acknowledgedMs;
  }

  push(item: T): void {
    this.#waiting.push(item);
  }

  /** Takes out the oldest that waits. */
  shift(): T | null {
    return this.#waiting.shift() ?? null;
  }

  /** The next to leave; null when there is none, or none just now. */
  next(nowMs: number): T | null {
    const { perSecond, burst } = this.#rate;
    const elapsedMs = nowMs - (this.#refilledAtMs ?? nowMs);
    this.#refilledAtMs = nowMs;
    this.#tokens = Math.min(burst, this.#tokens + (elapsedMs / 1000) * perSecond);
    if (this.#tokens < 1) return null;
    const item = this.shift();
    if (item === null) return null;
    this.#tokens -= 1;
    this.#sent.push(item);
    return item;
  }

  /**
   * A message of this capture time was acknowledged, kept or not. Returns what need not be kept any longer: itself, and
   * what waits though something newer got through, for the gateway's clock is past it.
   */
  settled(captureMs: number): readonly T[] {
    this.#acknowledgedMs = Math.max(this.#acknowledgedMs, captureMs);
    const isDone = (item: T) => item.captureMs === captureMs;
    const isPast = (item: T) => item.captureMs <= this.#acknowledgedMs;
    const done = [...this.#sent.filter(isDone), ...this.#waiting.filter(isPast)];
    this.#sent = this.#sent.filter((item) => !isDone(item));
    this.#waiting = this.#waiting.filter((item) => !isPast(item));
    this.#emptying.note(this.size);
    return done;
  }

  /** The connection is gone: if the gateway has counted what was sent, it says so and counts it once. */
  rewind(): void {
    this.#waiting = [...this.#sent, ...this.#waiting];
    this.#sent = [];
  }

  clear(): void {
    this.#waiting = [];
    this.#sent = [];
    this.#acknowledgedMs = Number.NEGATIVE_INFINITY;
    this.#emptying.note(0);
  }

  /** Resolves once nothing is kept. */
  whenEmpty(): Promise<void> {
    return this.#emptying.when(this.size);
  }
}
