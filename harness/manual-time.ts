/** A clock and timers that move only when told. */
export class ManualTime {
  nowMs = 5_000;
  #next = 1;
  readonly #timers = new Map<number, { atMs: number; callback: () => void }>();

  readonly now = (): number => this.nowMs;
  readonly setTimer = (callback: () => void, delayMs: number): unknown => {
    this.#timers.set(this.#next, { atMs: this.nowMs + delayMs, callback });
    return this.#next++;
  };
  readonly clearTimer = (handle: unknown): void => {
    if (typeof handle === 'number') this.#timers.delete(handle);
  };

  get pending(): number {
    return this.#timers.size;
  }

  advance(ms: number): void {
    const untilMs = this.nowMs + ms;
    for (;;) {
      const due = [...this.#timers].filter(([, timer]) => timer.atMs <= untilMs).sort((a, b) => a[1].atMs - b[1].atMs);
      const first = due[0];
      if (first === undefined) break;
      this.#timers.delete(first[0]);
      this.nowMs = Math.max(this.nowMs, first[1].atMs);
      first[1].callback();
    }
    this.nowMs = untilMs;
  }
}
