import type { ClientMessage } from '../../shared/protocol/frames.ts';
import type { ConnectionStats } from './connection-options.ts';

/** Counts what a connection sent and received, over all its sockets. */
export class Traffic {
  #bytesUp = 0;
  #bytesDown = 0;
  #latencyMs: number | null = null;
  #acked = 0;
  #welcomes = 0;
  readonly #sent: Record<ClientMessage['kind'], number> = { frame: 0, same: 0, observation: 0 };

  noteUp(bytes: number): void {
    this.#bytesUp += bytes;
  }

  noteDown(data: string | ArrayBuffer): void {
    this.#bytesDown += typeof data === 'string' ? data.length : data.byteLength;
  }

  noteSent(kind: ClientMessage['kind']): void {
    this.#sent[kind]++;
  }

  noteWelcome(): void {
    this.#welcomes++;
  }

  /** `latencyMs`: capture to update, ms; null where it is not known. */
  noteAcknowledged(latencyMs: number | null): void {
    this.#acked++;
    this.#latencyMs = latencyMs;
  }

  /** `kept`: messages in the outbox. */
  stats(kept: number): ConnectionStats {
    return {
      bytesUp: this.#bytesUp,
      bytesDown: this.#bytesDown,
      latencyMs: this.#latencyMs,
      framesSent: this.#sent.frame,
      samesSent: this.#sent.same,
      observationsSent: this.#sent.observation,
      acked: this.#acked,
      kept,
      reconnects: Math.max(0, this.#welcomes - 1),
    };
  }
}
