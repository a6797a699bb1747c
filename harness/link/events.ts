interface TimedEvent {
  readonly atMs: number;
  readonly order: number;
  readonly run: (atMs: number) => void;
}

/** Things to happen at a moment, in the order of time and, at the same moment, in which they were added. */
export class EventQueue {
  readonly #heap: TimedEvent[] = [];
  #added = 0;

  /** When the next one is due, ms; null when there is none. */
  get nextAtMs(): number | null {
    return this.#heap[0]?.atMs ?? null;
  }

  at(atMs: number, run: (atMs: number) => void): void {
    const heap = this.#heap;
    heap.push({ atMs, order: this.#added++, run });
    for (let child = heap.length - 1; child > 0; ) {
      const parent = (child - 1) >> 1;
      if (!this.#isBefore(child, parent)) return;
      this.#swap(child, parent);
      child = parent;
    }
  }

  /** Runs everything due by `nowMs`, each with its own time: a late caller changes no figure. */
  runUntil(nowMs: number): void {
    for (let next = this.#heap[0]; next !== undefined && next.atMs <= nowMs; next = this.#heap[0]) {
      this.#removeFirst();
      next.run(next.atMs);
    }
  }

  #removeFirst(): void {
    const heap = this.#heap;
    const last = heap.pop();
    if (last === undefined || heap.length === 0) return;
    heap[0] = last;
    for (let parent = 0; ; ) {
      let least = parent;
      for (const child of [2 * parent + 1, 2 * parent + 2]) {
        if (child < heap.length && this.#isBefore(child, least)) least = child;
      }
      if (least === parent) return;
      this.#swap(least, parent);
      parent = least;
    }
  }

  #isBefore(a: number, b: number): boolean {
    const [one, other] = [this.#heap[a] as TimedEvent, this.#heap[b] as TimedEvent];
    return one.atMs < other.atMs || (one.atMs === other.atMs && one.order < other.order);
  }

  #swap(a: number, b: number): void {
    const one = this.#heap[a] as TimedEvent;
    this.#heap[a] = this.#heap[b] as TimedEvent;
    this.#heap[b] = one;
  }
}
