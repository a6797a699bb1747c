/** The part of a clock that timers need. */
export interface TimerSource {
  setTimer(callback: () => void, delayMs: number): unknown;
  clearTimer(handle: unknown): void;
}

/** Timers by name, at most one of each: setting one again cancels the old one. */
export class NamedTimers<Name extends string> {
  readonly #source: TimerSource;
  readonly #handles = new Map<Name, unknown>();

  constructor(source: TimerSource) {
    this.#source = source;
  }

  has(name: Name): boolean {
    return this.#handles.has(name);
  }

  /** Calls back once after `delayMs`, unless it is set again or cleared before. */
  set(name: Name, delayMs: number, callback: () => void): void {
    this.clear(name);
    const handle = this.#source.setTimer(() => {
      this.#handles.delete(name);
      callback();
    }, delayMs);
    this.#handles.set(name, handle);
  }

  clear(name: Name): void {
    const handle = this.#handles.get(name);
    if (handle === undefined) return;
    this.#handles.delete(name);
    this.#source.clearTimer(handle);
  }
}
