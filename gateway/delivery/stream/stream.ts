import {
  AckPolicy,
  type ConsumerConfig,
  JetStreamApiError,
  RetentionPolicy,
  StorageType,
  type StoredMsg,
} from '@nats-io/jetstream';
import { nanos } from '@nats-io/transport-node';
import type { NatsConfig } from '../../nats/config.ts';
import type { OpenNats } from '../../nats/connection.ts';
import { namesOf } from './names.ts';

/**
 * For this long a window that is published again is not stored twice: its acknowledgement was lost. Less than the queue's
 * CONFIRM_AFTER_MS, for a window that the stream has lost is published again after that under its old id, and must be taken.
 */
const DUPLICATE_WINDOW_MS = 10_000;
/** A gateway that asks for nothing for this long has lost its part. */
const PART_LOST_AFTER_MS = 6000;
/** A window that got lost on the way to its gateway is given out again after this. */
const ACK_WAIT_MS = 300_000;
const NAME_IN_USE = 10_058;
const STREAM_NOT_FOUND = 10_059;
const FILTER_NOT_UNIQUE = [10_100, 10_099];

/** Windows of one part that a gateway has taken and not confirmed yet, at most. */
export const MAX_PENDING = 2000;

const hasCode = (error: unknown, codes: readonly number[]) =>
  error instanceof JetStreamApiError && codes.includes(error.code);

/** The result of a task, or `without` where its stream was not made yet. */
export async function unlessNoStream<T>(task: () => Promise<T>, without: T): Promise<T> {
  try {
    return await task();
  } catch (error) {
    if (hasCode(error, [STREAM_NOT_FOUND])) return without;
    throw error;
  }
}

/** Makes the stream of windows, or brings its number of copies and its memory of duplicates to what is wanted. */
export async function ensureStream({ jsm }: OpenNats, config: NatsConfig): Promise<void> {
  const names = namesOf(config);
  const wanted = {
    name: names.stream,
    subjects: [names.subjects],
    retention: RetentionPolicy.Workqueue,
    storage: StorageType.File,
    num_replicas: config.replicas,
    duplicate_window: nanos(DUPLICATE_WINDOW_MS),
  };
  try {
    await jsm.streams.add(wanted);
  } catch (error) {
    if (!hasCode(error, [NAME_IN_USE])) throw error;
    // Another version or another number of copies made it: what differs there and does not matter stays.
    const { config: found } = await jsm.streams.info(names.stream);
    const num_replicas = Math.max(found.num_replicas, config.replicas);
    const duplicate_window = Math.min(found.duplicate_window, wanted.duplicate_window);
    if (num_replicas !== found.num_replicas || duplicate_window !== found.duplicate_window) {
      await jsm.streams.update(names.stream, { num_replicas, duplicate_window });
    }
  }
}

/**
 * Takes a part for this gateway: makes its consumer, which no other may make while it is there. The server removes it when its
 * gateway asks for nothing any more. Resolves with false where another gateway has the part.
 */
export async function takePart({ jsm }: OpenNats, config: NatsConfig, part: number, name: string): Promise<boolean> {
  const names = namesOf(config);
  const consumer: Partial<ConsumerConfig> = {
    name,
    filter_subject: names.subjectsOfPart(part),
    ack_policy: AckPolicy.Explicit,
    ack_wait: nanos(ACK_WAIT_MS),
    max_ack_pending: MAX_PENDING,
    inactive_threshold: nanos(PART_LOST_AFTER_MS),
  };
  try {
    await jsm.consumers.add(names.stream, consumer);
    return true;
  } catch (error) {
    if (hasCode(error, FILTER_NOT_UNIQUE)) return false;
    throw error;
  }
}

/**
 * Names of the stream's consumers. The list of the client asks the server of each consumer, and gets no answer in time where one of the
 * servers is gone; the names are known to the one that leads.
 */
export async function consumerNames({ connection }: OpenNats, stream: string): Promise<readonly string[]> {
  const answer = await connection.request(`$JS.API.CONSUMER.NAMES.${stream}`, JSON.stringify({ offset: 0 }));
  const { consumers, error } = answer.json<{
    readonly consumers?: readonly string[] | null;
    readonly error?: ConstructorParameters<typeof JetStreamApiError>[0];
  }>();
  if (error !== undefined) throw new JetStreamApiError(error);
  return consumers ?? [];
}

/** The message at a place of the stream; null where there is none any more. */
export function messageAt({ jsm }: OpenNats, stream: string, seq: number): Promise<StoredMsg | null> {
  return jsm.streams.getMessage(stream, { seq });
}

/** Number of messages of some subjects in the stream. */
export async function countOf({ jsm }: OpenNats, stream: string, subjects: string): Promise<number> {
  const { state } = await jsm.streams.info(stream, { subjects_filter: subjects });
  return Object.values(state.subjects ?? {}).reduce((sum, count) => sum + count, 0);
}

/** All messages of some subjects that are still in the stream, in order. */
export async function messagesOf({ jsm }: OpenNats, stream: string, subjects: string): Promise<StoredMsg[]> {
  const found: StoredMsg[] = [];
  for (let seq = 1; ; ) {
    const query = { seq, next_by_subj: subjects };
    const message = await jsm.streams.getMessage(stream, query);
    if (message === null) return found;
    found.push(message);
    seq = message.seq + 1;
  }
}
