import type { z } from 'zod';
import { answers } from '../../shared/report/answers.ts';
import type { Api } from './api.ts';

export type Live = z.infer<typeof answers.live>;

const EVERY_MS = 5000;
/** A page without input for this long stops polling, so that the gateway may sleep. */
const IDLE_MS = 15 * 60_000;

/** Asks who is tracked now, while the page is visible and in use. */
export class LivePoll {
  readonly #api: Api;
  readonly #listeners = new Set<(live: Live | null) => void>();
  #last: Live | null = null;
  #timer = 0;
  #touchedMs = performance.now();

  constructor(api: Api) {
    this.#api = api;
    const wake = () => {
      const slept = performance.now() - this.#touchedMs > IDLE_MS;
      this.#touchedMs = performance.now();
      if (slept) this.#restart();
    };
    for (const type of ['pointerdown', 'pointermove', 'keydown', 'scroll']) {
      window.addEventListener(type, wake, { passive: true });
    }
    document.addEventListener('visibilitychange', () => this.#restart());
    this.#restart();
  }

  /** Tells every answer, null when there was none, and the last one at once. Returns what ends it. */
  listen(listener: (live: Live | null) => void): () => void {
    this.#listeners.add(listener);
    if (this.#last !== null) listener(this.#last);
    return () => this.#listeners.delete(listener);
  }

  #restart(): void {
    clearTimeout(this.#timer);
    if (document.visibilityState === 'visible' && performance.now() - this.#touchedMs <= IDLE_MS) void this.#ask();
  }

  async #ask(): Promise<void> {
    this.#last = await this.#api.get(answers.live, '/api/v1/live').catch(() => null);
    for (const listener of this.#listeners) listener(this.#last);
    clearTimeout(this.#timer);
    this.#timer = window.setTimeout(() => this.#restart(), EVERY_MS);
  }
}
