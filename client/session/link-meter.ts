import type { LinkReading } from './mode-choice.ts';

/** Length of one reading, ms. */
export const READING_MS = 5000;
/** The first pictures of a connection say little: pacing is still probing the link. */
const SETTLE_MS = 2000;
const READINGS_KEPT = 4;

/** How well a link carries pictures, in readings of READING_MS while they flow. Times on a monotonic clock. */
export class LinkMeter {
  #flowing = false;
  #sinceMs = 0;
  #answered = 0;
  #latenciesMs: number[] = [];
  #readings: LinkReading[] = [];

  /** Pictures start or stop flowing. Earlier readings stay: an outage does not make a slow link fast. */
  setFlowing(flowing: boolean, nowMs: number): void {
    if (flowing === this.#flowing) return;
    this.#flowing = flowing;
    this.#begin(nowMs + SETTLE_MS);
  }

  /** A message was answered; `served` when the server analysed it. */
  noteAnswer(served: boolean, latencyMs: number | null): void {
    if (served) this.#answered++;
    if (latencyMs !== null) this.#latenciesMs.push(latencyMs);
  }

  /** The newest readings, the newest last. */
  read(nowMs: number): readonly LinkReading[] {
    if (this.#flowing && nowMs - this.#sinceMs >= READING_MS) {
      const sorted = this.#latenciesMs.toSorted((a, b) => a - b);
      this.#readings = [
        ...this.#readings.slice(1 - READINGS_KEPT),
        {
          answeredPerSecond: (this.#answered * 1000) / (nowMs - this.#sinceMs),
          latencyMs: sorted[sorted.length >> 1] ?? null,
        },
      ];
      this.#begin(nowMs);
    }
    return this.#readings;
  }

  /** Forgets all readings. */
  reset(nowMs: number): void {
    this.#readings = [];
    this.#begin(nowMs + SETTLE_MS);
  }

  #begin(atMs: number): void {
    this.#sinceMs = atMs;
    this.#answered = 0;
    this.#latenciesMs = [];
  }
}
