import { DiscardPolicy, JetStreamApiError, RetentionPolicy, StorageType } from '@nats-io/jetstream';
import type { NatsLink, OpenNats } from '../nats/connection.ts';
import { type PerConnection, perConnection } from '../nats/per-connection.ts';
import type { StudentState } from '../session/ownership.ts';

/** Students of one message: a student's state takes about 2 kB, and NATS takes a megabyte by default. */
const STUDENTS_PER_MESSAGE = 200;
/** A gateway that writes no more is taken over long before. */
const KEPT_MS = 10 * 60_000;
const NOT_FOUND = 10_059;
const NO_MESSAGE = 10_037;

/** What a gateway has of one student. */
export interface Checkpoint {
  readonly userId: number;
  readonly state: StudentState;
}

/** One message of a write. */
export interface Part {
  /** Counts the writes of one gateway. */
  readonly generation: number;
  /** Parts that this write has. */
  readonly parts: number;
  /** The gateway's last words: all its windows are saved. */
  readonly isFinal: boolean;
  readonly students: readonly Checkpoint[];
}

/** What a gateway wrote last. */
export interface WrittenCheckpoints {
  /** Number of the write. */
  readonly generation: number;
  readonly isFinal: boolean;
  readonly byStudent: ReadonlyMap<number, StudentState>;
}

/** What the newest message of each part says together. A write that was cut off has replaced the first parts alone. */
export function writtenOf(found: readonly Part[]): WrittenCheckpoints {
  const newest = Math.max(...found.map(({ generation }) => generation));
  const ofNewest = found.filter(({ generation }) => generation === newest);
  const isWhole = ofNewest.length === ofNewest[0]?.parts;
  const valid = isWhole ? ofNewest : found.filter(({ generation }) => generation >= newest - 1);
  const byStudent = new Map<number, StudentState>();
  for (const { students } of valid.toSorted((one, other) => one.generation - other.generation)) {
    for (const { userId, state } of students) byStudent.set(userId, state);
  }
  const isFinal = isWhole && ofNewest.every((part) => part.isFinal);
  return { generation: newest, isFinal, byStudent };
}

/**
 * The newest state of every gateway's students, in a replicated stream in memory: a few messages for each write, each taking
 * the place of the one before it.
 */
export class CheckpointStream {
  readonly #link: NatsLink;
  /** Name of the stream, with which its subjects begin. */
  readonly name: string;
  readonly #stream: PerConnection<OpenNats>;
  #generation = 0;

  constructor(link: NatsLink) {
    this.#link = link;
    this.name = `${link.config.prefix}-checkpoints`;
    this.#stream = perConnection(link, async (nats) => {
      await this.#make(nats);
      return nats;
    });
  }

  /** Makes the stream where there is none. Rejects with a RelayError of NATS. */
  open(): Promise<void> {
    return this.#stream.open();
  }

  /**
   * Writes what a gateway has now, in place of what it wrote before. The messages leave at once, for the stream and for the
   * gateway that keeps them. With `isConfirmed` it resolves when the stream has them. Rejects with a RelayError of NATS.
   */
  async write(
    gatewayId: string,
    students: readonly Checkpoint[],
    { isFinal = false, isConfirmed = false } = {},
  ): Promise<void> {
    this.#generation += 1;
    const generation = this.#generation;
    const parts = Math.max(1, Math.ceil(students.length / STUDENTS_PER_MESSAGE));
    const messages = Array.from({ length: parts }, (_, index) => {
      const from = index * STUDENTS_PER_MESSAGE;
      const some = students.slice(from, from + STUDENTS_PER_MESSAGE);
      const part: Part = { generation, parts, isFinal, students: some };
      return { subject: this.#subject(gatewayId, index), body: JSON.stringify(part) };
    });
    if (!isConfirmed) {
      await this.#link.use(async ({ connection }) => {
        for (const { subject, body } of messages) connection.publish(subject, body);
      });
      return;
    }
    await this.#stream.use(({ js }) =>
      Promise.all(messages.map(({ subject, body }) => js.publish(subject, body, { retries: 0 }))),
    );
  }

  /** What a gateway wrote last; null where nothing is left of it. Rejects with a RelayError of NATS. */
  read(gatewayId: string): Promise<WrittenCheckpoints | null> {
    return this.#stream.use(async ({ jsm }) => {
      const found: Part[] = [];
      const first = await this.#part(jsm, gatewayId, 0);
      if (first === null) return null;
      found.push(first);
      for (let index = 1; ; index += 1) {
        const part = await this.#part(jsm, gatewayId, index);
        if (part === null) break;
        found.push(part);
      }
      return writtenOf(found);
    });
  }

  /** Gateways that have left something. Rejects with a RelayError of NATS. */
  gateways(): Promise<readonly string[]> {
    return this.#stream.use(async ({ jsm }) => {
      const { state } = await jsm.streams.info(this.name, { subjects_filter: `${this.name}.>` });
      const ids = Object.keys(state.subjects ?? {}).map((subject) => subject.split('.').at(-2) ?? '');
      return [...new Set(ids)];
    });
  }

  /** Removes what a gateway has left. Rejects with a RelayError of NATS. */
  async remove(gatewayId: string): Promise<void> {
    await this.#stream.use(({ jsm }) => jsm.streams.purge(this.name, { filter: `${this.name}.${gatewayId}.*` }));
  }

  #subject(gatewayId: string, index: number): string {
    return `${this.name}.${gatewayId}.${index}`;
  }

  async #part(jsm: OpenNats['jsm'], gatewayId: string, index: number): Promise<Part | null> {
    try {
      const message = await jsm.streams.getMessage(this.name, { last_by_subj: this.#subject(gatewayId, index) });
      return message?.json<Part>() ?? null;
    } catch (error) {
      if (error instanceof JetStreamApiError && error.code === NO_MESSAGE) return null;
      throw error;
    }
  }

  async #make({ jsm }: OpenNats): Promise<void> {
    try {
      await jsm.streams.info(this.name);
      return;
    } catch (error) {
      if (!(error instanceof JetStreamApiError && error.code === NOT_FOUND)) throw error;
    }
    await jsm.streams.add({
      name: this.name,
      subjects: [`${this.name}.>`],
      storage: StorageType.Memory,
      num_replicas: this.#link.config.replicas,
      retention: RetentionPolicy.Limits,
      discard: DiscardPolicy.Old,
      max_msgs_per_subject: 1,
      max_age: KEPT_MS * 1_000_000,
      allow_direct: false,
    });
  }
}
