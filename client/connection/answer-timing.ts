/** When a control message went out and how long it was. */
interface Asked {
  readonly sentAtMs: number;
  readonly bytes: number;
}

/** Tells which question an answer belongs to, as far as there is only one it can belong to. */
export class AnswerTiming {
  #asked: Asked | null = null;
  #open = 0;

  asked(nowMs: number, bytes: number): void {
    this.#asked = this.#open === 0 ? { sentAtMs: nowMs, bytes } : null;
    this.#open++;
  }

  /** The question that was answered; null when it could be another one. */
  answered(): Asked | null {
    const asked = this.#asked;
    this.#asked = null;
    this.#open = Math.max(0, this.#open - 1);
    return asked;
  }

  /** A new connection: old questions find no answer. */
  reset(): void {
    this.#asked = null;
    this.#open = 0;
  }
}
