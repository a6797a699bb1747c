import type { Mode } from '../../shared/direction.ts';
import type { Outbox, OutgoingMessage } from './outbox.ts';

/** One outbox for each mode behind one: the present mode's is asked. */
export class ModeOutbox implements Outbox {
  readonly #outboxes: Readonly<Record<Mode, Outbox | null>>;
  readonly #mode: () => Mode;

  constructor(mode: () => Mode, outboxes: Readonly<Record<Mode, Outbox | null>>) {
    this.#mode = mode;
    this.#outboxes = outboxes;
  }

  get #present(): Outbox | null {
    return this.#outboxes[this.#mode()];
  }

  get size(): number {
    return this.#present?.size ?? 0;
  }

  get window(): number | undefined {
    return this.#present?.window;
  }

  get goesFirst(): boolean {
    return this.#present?.goesFirst ?? false;
  }

  wants(captureMs: number): boolean {
    return this.#present?.wants(captureMs) ?? false;
  }

  keep(message: OutgoingMessage): void {
    this.#present?.keep(message);
  }

  next(nowMs: number, unacknowledged: number, credit: number): OutgoingMessage | null {
    return this.#present?.next(nowMs, unacknowledged, credit) ?? null;
  }

  settled(captureMs: number, latencyMs: number | null): void {
    this.#each((outbox) => outbox.settled?.(captureMs, latencyMs));
  }

  rewind(): void {
    this.#each((outbox) => outbox.rewind?.());
  }

  reset(): void {
    this.#each((outbox) => outbox.reset?.());
  }

  #each(act: (outbox: Outbox) => void): void {
    for (const outbox of Object.values(this.#outboxes)) if (outbox !== null) act(outbox);
  }
}
