/** When a `start` was sent and how long the message was. */
interface SentStart {
  readonly sentAtMs: number;
  readonly bytes: number;
}

/** Matches `started` answers to `start` messages, as long as only one can be meant. */
export class StartRtt {
  #sent: SentStart | null = null;
  #unanswered = 0;

  sent(nowMs: number, bytes: number): void {
    this.#sent = this.#unanswered === 0 ? { sentAtMs: nowMs, bytes } : null;
    this.#unanswered++;
  }

  /** The message that was answered; null when it could be another one. */
  answered(): SentStart | null {
    const sent = this.#sent;
    this.#sent = null;
    this.#unanswered = Math.max(0, this.#unanswered - 1);
    return sent;
  }

  /** A new connection: earlier messages will not be answered. */
  reset(): void {
    this.#sent = null;
    this.#unanswered = 0;
  }
}
