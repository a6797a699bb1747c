interface Reading {
  readonly atMs: number;
  readonly total: number;
}

/** Rate of a growing total over the last few seconds. */
export class RateMeter {
  readonly #windowMs: number;
  readonly #readings: Reading[] = [];

  constructor(windowMs: number) {
    this.#windowMs = windowMs;
  }

  /** Notes the total at a moment. A total that falls (a new connection) restarts the meter. */
  note(atMs: number, total: number): void {
    const last = this.#readings.at(-1);
    if (last !== undefined && total < last.total) this.#readings.length = 0;
    this.#readings.push({ atMs, total });
    while ((this.#readings[1]?.atMs ?? atMs) <= atMs - this.#windowMs) this.#readings.shift();
  }

  /** Units per second; null until half a second has been measured. */
  get perSecond(): number | null {
    const first = this.#readings[0];
    const last = this.#readings.at(-1);
    if (first === undefined || last === undefined || last.atMs - first.atMs < 500) return null;
    return ((last.total - first.total) * 1000) / (last.atMs - first.atMs);
  }
}
