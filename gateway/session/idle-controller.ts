export interface IdleControllerOptions {
  /** The first stream is there. Called again after each onIdle or onLastLeft. */
  readonly onActive: () => void;
  /** Called every `everyMs` while there are streams, with the number of calls so far. */
  readonly onTick: (ticks: number) => void;
  readonly everyMs: number;
  /** The last stream is gone. */
  readonly onLastLeft: () => void;
  /** No stream has been there for `idleAfterMs`: what causes traffic may be closed. */
  readonly onIdle: () => void;
  readonly idleAfterMs: number;
}

/** Runs what must run while there are streams, and nothing without any: an idle gateway has no timer. */
export class IdleController {
  readonly #options: IdleControllerOptions;
  #ticks = 0;
  #ticker: NodeJS.Timeout | null = null;
  #idleTimer: NodeJS.Timeout | null = null;

  constructor(options: IdleControllerOptions) {
    this.#options = options;
  }

  /** A stream opens. */
  enter(): void {
    const { onActive, onTick, everyMs } = this.#options;
    if (this.#idleTimer !== null) clearTimeout(this.#idleTimer);
    this.#idleTimer = null;
    if (this.#ticker !== null) return;
    this.#ticker = setInterval(() => {
      this.#ticks += 1;
      onTick(this.#ticks);
    }, everyMs);
    onActive();
  }

  /** The last stream is gone. */
  leave(): void {
    const { onLastLeft, onIdle, idleAfterMs } = this.#options;
    if (this.#ticker === null) return;
    this.#stopTicking();
    onLastLeft();
    this.#idleTimer = setTimeout(onIdle, idleAfterMs);
  }

  /** Ends both timers; nothing is called any more. */
  stop(): void {
    this.#stopTicking();
    if (this.#idleTimer !== null) clearTimeout(this.#idleTimer);
    this.#idleTimer = null;
  }

  #stopTicking(): void {
    if (this.#ticker !== null) clearInterval(this.#ticker);
    this.#ticker = null;
  }
}
