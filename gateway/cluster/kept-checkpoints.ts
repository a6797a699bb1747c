import type { NatsConnection, Subscription } from '@nats-io/transport-node';
import type { StudentState } from '../session/ownership.ts';
import { type Part, type WrittenCheckpoints, writtenOf } from './checkpoints.ts';

/** A gateway that is gone has been taken over by then. */
const KEPT_MS = 60_000;

interface Kept {
  readonly parts: Map<number, Part>;
  atMs: number;
}

/** What one gateway has of a student by the newest that another one heard of it. */
export interface KeptState {
  readonly generation: number;
  readonly state: StudentState;
}

/**
 * The checkpoints of one other gateway, as they were sent: the stream takes none for some seconds when a server of NATS is
 * lost, and a gateway may be killed just then. Each gateway keeps those of the one before it in the order of their ids.
 */
export class KeptCheckpoints {
  readonly #stream: string;
  readonly #kept = new Map<string, Kept>();
  #following: { readonly connection: NatsConnection; readonly gatewayId: string; subscription: Subscription } | null =
    null;

  /** `stream` is the name of the stream of checkpoints, with which their subjects begin. */
  constructor(stream: string) {
    this.#stream = stream;
  }

  /** Keeps the checkpoints of the gateway that is before `ownId` among all ids; of none where there is no other. */
  follow(connection: NatsConnection, ownId: string, others: readonly string[]): void {
    const ring = [ownId, ...others].sort();
    const before = ring.at(ring.indexOf(ownId) - 1) ?? ownId;
    if (this.#following?.connection === connection && this.#following.gatewayId === before) return;
    this.#following?.subscription.unsubscribe();
    this.#following = null;
    for (const [id, { atMs }] of this.#kept) if (performance.now() - atMs > KEPT_MS) this.#kept.delete(id);
    if (before === ownId) return;
    const subscription = connection.subscribe(`${this.#stream}.${before}.*`, {
      callback: (error, message) => {
        if (error !== null) return;
        const kept = this.#kept.get(before) ?? { parts: new Map<number, Part>(), atMs: 0 };
        kept.parts.set(Number(message.subject.split('.').at(-1)), message.json<Part>());
        kept.atMs = performance.now();
        this.#kept.set(before, kept);
      },
    });
    this.#following = { connection, gatewayId: before, subscription };
  }

  /** What is kept of a gateway; null where that is nothing. */
  of(gatewayId: string): WrittenCheckpoints | null {
    const kept = this.#kept.get(gatewayId);
    return kept === undefined ? null : writtenOf([...kept.parts.values()]);
  }

  /** What is kept of a student of a gateway; null where that is nothing. */
  stateOf(gatewayId: string, userId: number): KeptState | null {
    const written = this.of(gatewayId);
    const state = written?.byStudent.get(userId);
    return written === null || state === undefined ? null : { generation: written.generation, state };
  }

  /** Keeps nothing any more. */
  end(): void {
    this.#following?.subscription.unsubscribe();
    this.#following = null;
    this.#kept.clear();
  }
}
