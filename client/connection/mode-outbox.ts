import type { Mode } from '../../shared/direction.ts';
import type { Outbox, OutgoingMessage } from './outbox.ts';

/** Delegates to the outbox of the current mode. */
export class ModeOutbox implements Outbox {
  readonly #outboxes: Readonly<Record<Mode, () => Outbox | null>>;
  readonly #mode: () => Mode;

  constructor(mode: () => Mode, outboxes: Readonly<Record<Mode, () => Outbox | null>>) {
    this.#mode = mode;
    this.#outboxes = outboxes;
  }

  get #current(): Outbox | null {
    return this.#outboxes[this.#mode()]();
  }

  get size(): number {
    return this.#current?.size ?? 0;
  }

  get window(): number | undefined {
    return this.#current?.window;
  }

  get mustSendFirst(): boolean {
    return this.#current?.mustSendFirst ?? false;
  }

  wants(captureMs: number): boolean {
    return this.#current?.wants(captureMs) ?? false;
  }

  enqueue(message: OutgoingMessage): void {
    this.#current?.enqueue(message);
  }

  next(nowMs: number, unacknowledged: number, credit: number): OutgoingMessage | null {
    return this.#current?.next(nowMs, unacknowledged, credit) ?? null;
  }

  sentLive(message: OutgoingMessage): void {
    this.#current?.sentLive?.(message);
  }

  acknowledged(captureMs: number, latencyMs: number | null): void {
    this.#each((outbox) => outbox.acknowledged?.(captureMs, latencyMs));
  }

  requeueSent(): void {
    this.#each((outbox) => outbox.requeueSent?.());
  }

  reset(): void {
    this.#each((outbox) => outbox.reset?.());
  }

  #each(act: (outbox: Outbox) => void): void {
    for (const find of Object.values(this.#outboxes)) {
      const outbox = find();
      if (outbox !== null) act(outbox);
    }
  }
}
