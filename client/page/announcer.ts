/** A state must have lasted this long to be spoken: blinks and glances are not news. */
const SETTLED_MS = 1500;

/** Speaks what has settled, through the page's live region. */
export class Announcer {
  readonly #region: HTMLElement;
  #spoken = '';
  #pending = '';
  #timer = 0;

  constructor(region: HTMLElement) {
    this.#region = region;
  }

  /** Says `text` once it has been the last word for a while. */
  settle(text: string): void {
    if (text === this.#pending) return;
    this.#pending = text;
    clearTimeout(this.#timer);
    this.#timer = window.setTimeout(() => this.say(this.#pending), SETTLED_MS);
  }

  /** Says `text` now, unless it was the last thing said. */
  say(text: string): void {
    clearTimeout(this.#timer);
    this.#pending = text;
    if (text === '' || text === this.#spoken) return;
    this.#spoken = text;
    this.#region.textContent = text;
  }
}
