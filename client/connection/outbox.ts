import type { ClientMessage } from '../../shared/protocol/frames.ts';

/** A message of the hot path that has no place in a connection's numbering yet. */
export type OutgoingMessage = ClientMessage extends infer Message
  ? Message extends ClientMessage
    ? Omit<Message, 'seq' | 'late'>
    : never
  : never;

/** Keeps what is captured while there is no connection, and gives it back once there is room. */
export interface Outbox {
  /** Messages that are kept, or left late and are not acknowledged. */
  readonly size: number;
  /** True when a message captured at `captureMs` (capture clock) would be kept. */
  wants(captureMs: number): boolean;
  /** Keeps a message that cannot leave. Its bytes are the outbox's from now on. */
  keep(message: OutgoingMessage): void;
  /**
   * Takes out the next message to send late, or null when there is none, or none just now. Asked
   * while messages may leave; `unacknowledged` of at most `credit` messages are on their way.
   */
  next(nowMs: number, unacknowledged: number, credit: number): OutgoingMessage | null;
  /** Most messages without an acknowledgement while kept ones leave. Absent: the gateway's credit. */
  readonly window?: number | undefined;
  /** True while what is kept must leave before anything newer: that is kept as well. Absent: never. */
  readonly goesFirst?: boolean;
  /** A message has been answered, kept or not; `latencyMs` from its capture, null for one that was kept. */
  settled?(captureMs: number, latencyMs: number | null): void;
  /** The connection is gone: what `next` gave and nobody answered was perhaps never there. */
  rewind?(): void;
  /** A new session begins: what is kept belongs to none that can be gone on with. */
  reset?(): void;
}
