import type { ClientMessage } from '../../shared/protocol/frames.ts';

/** A binary message without a sequence number yet. */
export type OutgoingMessage = ClientMessage extends infer Message
  ? Message extends ClientMessage
    ? Omit<Message, 'seq' | 'late'>
    : never
  : never;

/** Queues what is captured while there is no connection, and returns it once messages can be sent. */
export interface Outbox {
  /** Messages that are queued, or sent late and not acknowledged. */
  readonly size: number;
  /** True when a message captured at `captureMs` (capture clock) would be queued. */
  wants(captureMs: number): boolean;
  /** Queues a message that cannot be sent now. Its bytes belong to the outbox from now on. */
  enqueue(message: OutgoingMessage): void;
  /**
   * Removes and returns the next message to send late; null when there is none, or the outbox's rate allows none now.
   * `unacknowledged` of at most `credit` messages are in flight.
   */
  next(nowMs: number, unacknowledged: number, credit: number): OutgoingMessage | null;
  /** Most messages without an acknowledgement while queued ones are sent. Absent: the gateway's credit. */
  readonly window?: number | undefined;
  /** True while queued messages must be sent before newer ones, which are then queued too. Absent: never. */
  readonly mustSendFirst?: boolean;
  /** A message was sent at once, one of many that the connection may have under way. */
  sentLive?(message: OutgoingMessage): void;
  /** A message was acknowledged, queued or not; `latencyMs` since its capture, null for a queued one. */
  acknowledged?(captureMs: number, latencyMs: number | null): void;
  /** A late message was answered `unserved`. True: it is sent again, and does not count as acknowledged. */
  unserved?(captureMs: number, nowMs: number): boolean;
  /** The connection is lost: messages from `next` without an acknowledgement may not have arrived. */
  requeueSent?(): void;
  /** A new session starts: queued messages belong to one that cannot be resumed. */
  reset?(): void;
}
