/** How fast queued messages are sent: on average, and at once. */
export interface LateRate {
  readonly perSecond: number;
  readonly burst: number;
}

/** A queued item is identified by its capture time, ms. */
interface Timed {
  readonly captureMs: number;
}

/**
 * What was captured during an outage, in order of capture. Items are sent at a bounded rate and removed once they are
 * acknowledged. When a connection is lost, items without an acknowledgement are queued again.
 */
export class LateQueue<T extends Timed> {
  readonly #rate: LateRate;
  #waiting: T[];
  #sent: T[] = [];
  /** Sent without being queued, where a connection has many under way. */
  #live: T[] = [];
  #acknowledgedMs = Number.NEGATIVE_INFINITY;
  #tokens: number;
  #refilledAtMs: number | null = null;
  #onEmpty: (() => void)[] = [];

  constructor(rate: LateRate, waiting: readonly T[] = []) {
    this.#rate = rate;
    this.#tokens = rate.burst;
    this.#waiting = [...waiting];
  }

  /** Items that are not acknowledged. */
  get size(): number {
    return this.#waiting.length + this.#sent.length;
  }

  get hasWaiting(): boolean {
    return this.#waiting.length > 0;
  }

  /** Capture time of the newest acknowledged message, queued or not; minus infinity before the first. */
  get acknowledgedMs(): number {
    return this.#acknowledgedMs;
  }

  push(item: T): void {
    this.#waiting.push(item);
  }

  /** An item was sent at once. It waits, too, should the connection be lost before it is acknowledged. */
  noteLive(item: T): void {
    this.#live.push(item);
  }

  /** Removes the oldest waiting item. */
  shift(): T | null {
    return this.#waiting.shift() ?? null;
  }

  /** The next item to send; null when there is none, or the rate allows none now. */
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
   * A message of this capture time was acknowledged, queued or not. Returns the items that are removed: the acknowledged
   * one, and waiting ones that are older, because the gateway's clock is past them.
   */
  acknowledge(captureMs: number): readonly T[] {
    this.#acknowledgedMs = Math.max(this.#acknowledgedMs, captureMs);
    const isDone = (item: T) => item.captureMs === captureMs;
    const isPast = (item: T) => item.captureMs <= this.#acknowledgedMs;
    const done = this.#sent.filter(isDone);
    this.#sent = this.#sent.filter((item) => !isDone(item));
    this.#live = this.#live.filter((item) => !isPast(item));
    // In order of capture, and of a whole lesson: only the first ones are examined.
    const kept = this.#waiting.findIndex((item) => !isPast(item));
    done.push(...this.#waiting.splice(0, kept < 0 ? this.#waiting.length : kept));
    if (this.size === 0) this.#notifyEmpty();
    return done;
  }

  /** The connection is lost: sent items wait again. What the gateway has counted already it does not count twice. */
  requeueSent(): void {
    this.#waiting = [...this.#sent, ...this.#live, ...this.#waiting];
    this.#sent = [];
    this.#live = [];
  }

  /** A sent item is to be sent again, in its place. */
  requeue(captureMs: number): void {
    const isAgain = (item: T) => item.captureMs === captureMs;
    this.#waiting.push(...this.#sent.filter(isAgain));
    this.#waiting.sort((a, b) => a.captureMs - b.captureMs);
    this.#sent = this.#sent.filter((item) => !isAgain(item));
  }

  clear(): void {
    this.#waiting = [];
    this.#sent = [];
    this.#live = [];
    this.#acknowledgedMs = Number.NEGATIVE_INFINITY;
    this.#notifyEmpty();
  }

  /** Resolves once nothing is queued. */
  whenEmpty(): Promise<void> {
    if (this.size === 0) return Promise.resolve();
    return new Promise((resolve) => this.#onEmpty.push(resolve));
  }

  #notifyEmpty(): void {
    for (const resolve of this.#onEmpty.splice(0)) resolve();
  }
}
