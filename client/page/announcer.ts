/** A state must last this long before it is announced: blinks and glances are not. */
const SETTLED_MS = 1500;

/** Announces states to screen readers, through the page's live region. */
export class Announcer {
  readonly #region: HTMLElement;
  #spoken = '';
  #pending = '';
  #timer = 0;

  constructor(region: HTMLElement) {
    this.#region = region;
  }

  /** Announces `text` once it has not changed for a while. */
  settle(text: string): void {
    if (text === this.#pending) return;
    this.#pending = text;
    clearTimeout(this.#timer);
    this.#timer = window.setTimeout(() => this.say(this.#pending), SETTLED_MS);
  }

  /** Announces `text` now, unless it was the last announcement. */
  say(text: string): void {
    clearTimeout(this.#timer);
    this.#pending = text;
    if (text === '' || text === this.#spoken) return;
    this.#spoken = text;
    this.#region.textContent = text;
  }
}
