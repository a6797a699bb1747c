import type { ConsumerInfo, ConsumerMessages, JsMsg } from '@nats-io/jetstream';
import { describeError, RelayError } from '../../../shared/errors.ts';
import type { Clock } from '../../lib/clock.ts';
import type { Logger } from '../../lib/logger.ts';
import { within } from '../../lib/timeout.ts';
import type { NatsLink, OpenNats } from '../../nats/connection.ts';
import { windowKey } from '../../store/records.ts';
import type { WindowSource } from '../delivery-loop.ts';
import { type QueueRow, readRow } from '../queue-row.ts';
import { HEADERS, namesOf, PARTS } from './names.ts';
import { putRefused } from './refused.ts';
import { consumerNames, MAX_PENDING, takePart } from './stream.ts';
import type { PartNotes } from './student-notes.ts';

/** How long a question for windows stays open: a gateway that stands still loses its parts a little later. */
const ASK_EVERY_MS = 4000;
/** A gateway that was not heard of for this long delivers no more. */
const HEARD_WITHIN_MS = 7000;

/** Looks in a row at a consumer of a gateway that is not heard of after which it is removed. */
const OWNERLESS_LOOKS = 5;
const LOOK_WITHIN_MS = 1000;
const ALL_PARTS = Array.from({ length: PARTS }, (_, part) => part);
/** After this many checks in a row in which no gateway held a part's windows, the part is given back. */
const STUCK_LOOKS = 2;

/** What the whole stream holds. */
export interface InStream {
  readonly windows: number;
  /** When the first of them was published, by the clock of NATS, UTC ms; null if there is none. */
  readonly oldestAtMs: number | null;
}

/** Windows of the stream in this gateway's hands. */
export interface StreamSource extends WindowSource {
  /**
   * Up to `limit` windows behind `afterId` that are not moved to the second way, in order, and that no earlier delivery can have brought
   * to the store.
   */
  notMoved(afterId: number, limit: number): QueueRow[];
  /** Marks windows as moved to the second way and writes `changes` of its notes with that. Rejects with `part_lost`. */
  markMoved(ids: readonly number[], changes: () => void): Promise<void>;
  /**
   * Takes parts that no gateway has, up to this one's share, and gives back what is over it. Resolves with what is in the whole
   * stream. Rejects where NATS does not answer.
   */
  share(): Promise<InStream>;
  /** Gives all parts back: others deliver them. */
  release(): Promise<void>;
  /** Takes no more windows from a part, which is given back with the next share. */
  leave(part: number): void;
}

interface TakenWindow {
  readonly row: Pick<QueueRow, 'id' | 'body'>;
  readonly userId: number;
  /** The window's key. */
  readonly key: string;
  readonly message: JsMsg;
  /** An earlier delivery of it may have reached the store. */
  readonly mayBeStored: boolean;
}

interface Part {
  readonly name: string;
  readonly messages: ConsumerMessages;
  /** By their place in the stream, in its order. */
  readonly windows: Map<number, TakenWindow>;
  /** Up to here everything is confirmed, as the newest check of the part found it. */
  confirmedSeq: number;
  /** Checks in a row that still found it there, with windows that no gateway held. */
  stuckLooks: number;
  /** No delivery takes windows from it any more; it is given back when the one under way has surely ended. */
  isLeaving: boolean;
  /** Place in the stream of the newest window that this gateway, or one before it, had in its hands. */
  readonly triedUpTo: () => number;
}

export interface StreamSourceOptions {
  readonly nats: NatsLink;
  /** This gateway's own name, unique among all. */
  readonly gatewayId: string;
  readonly logger: Logger;
  readonly clock: Clock;
  /** Windows have come. */
  readonly onWindows: () => void;
  /** Entries of this gateway's own file are stored or refused. */
  readonly onSettled: (ids: readonly number[]) => void;
  /** Notes of the second way; null without one. */
  readonly notes: PartNotes | null;
}

export function createStreamSource(options: StreamSourceOptions): StreamSource {
  const { nats, gatewayId, logger, clock, onWindows, onSettled, notes } = options;
  const { config } = nats;
  const names = namesOf(config);
  const parts = new Map<number, Part>();
  /** When each of the gateways that deliver was last heard of. */
  const heard = new Map<string, number>();
  /** Consumers that no gateway uses, with the number of looks in a row that found them. */
  let ownerless: ReadonlyMap<string, number> = new Map();
  let listening: OpenNats['connection'] | null = null;

  const nameOf = (part: number) => `${gatewayId}-${part}`;
  const partOfName = (name: string) => Number(name.slice(name.lastIndexOf('-') + 1));

  /** Hears which gateways deliver, and what they have stored of this one; on each connection once. */
  function listen({ connection }: OpenNats): void {
    if (listening === connection) return;
    listening = connection;
    connection.subscribe(names.delivering, {
      callback: (error, message) => {
        if (error === null) heard.set(message.string(), clock.nowMs());
      },
    });
    connection.subscribe(names.storedOf(gatewayId), {
      callback: (error, message) => {
        if (error === null) onSettled(message.json<number[]>());
      },
    });
  }

  function fairShare(): number {
    const nowMs = clock.nowMs();
    for (const [id, atMs] of heard) if (nowMs - atMs > HEARD_WITHIN_MS) heard.delete(id);
    heard.set(gatewayId, nowMs);
    return Math.ceil(PARTS / heard.size);
  }

  async function take(open: OpenNats, part: number): Promise<boolean> {
    if (!(await takePart(open, config, part, nameOf(part)))) return false;
    const triedUpTo = (await notes?.claim(open, part)) ?? (await open.jsm.streams.info(names.stream)).state.last_seq;
    let newestSeq = triedUpTo;
    const consumer = await open.js.consumers.get(names.stream, nameOf(part));
    const windows = new Map<number, TakenWindow>();
    const messages = await consumer.consume({
      max_messages: MAX_PENDING,
      expires: ASK_EVERY_MS,
      abort_on_missing_resource: true,
      callback(message) {
        const { seq } = message;
        const isRepeated = message.redelivered || message.headers?.has(HEADERS.repeated) === true;
        windows.set(seq, {
          row: { id: seq, body: message.string() },
          userId: names.studentOf(message.subject),
          key: message.headers?.get(HEADERS.key) ?? '',
          message,
          mayBeStored: seq <= triedUpTo || isRepeated,
        });
        newestSeq = Math.max(newestSeq, seq);
        onWindows();
      },
    });
    parts.set(part, {
      name: nameOf(part),
      messages,
      windows,
      confirmedSeq: 0,
      stuckLooks: 0,
      isLeaving: false,
      triedUpTo: () => newestSeq,
    });
    void messages.closed().then((error) => {
      if (parts.get(part)?.messages !== messages) return;
      parts.delete(part);
      if (error instanceof Error)
        logger.warn({ part, reason: error.message }, 'another gateway delivers these windows');
    });
    return true;
  }

  /**
   * Removes consumers that no gateway uses any more. The server does so by itself, unless it was killed meanwhile: then the part of such
   * a consumer would stay taken for good.
   */
  async function removeOwnerless(open: OpenNats, consumers: readonly string[]): Promise<void> {
    const isUsed = (name: string) => {
      const owner = name.slice(0, name.lastIndexOf('-'));
      return owner === gatewayId ? parts.has(partOfName(name)) : heard.has(owner);
    };
    const looks = new Map(
      consumers.filter((name) => !isUsed(name)).map((name) => [name, (ownerless.get(name) ?? 0) + 1]),
    );
    ownerless = looks;
    const unused = [...looks].flatMap(([name, count]) => (count >= OWNERLESS_LOOKS ? [name] : []));
    await Promise.all(unused.map((name) => open.jsm.consumers.delete(names.stream, name).catch(() => false)));
    if (unused.length > 0)
      logger.warn(
        { code: 'parts_without_gateway', parts: unused.length },
        'parts of the stream are taken from gateways that are gone',
      );
  }

  /** NATS may have given the consumer to a server that is gone: the other parts are taken all the same, this one with a later share. */
  async function tryTake(open: OpenNats, part: number): Promise<void> {
    try {
      await take(open, part);
    } catch (error) {
      logger.debug({ part, reason: describeError(error) }, 'a part of the stream was not taken');
      void open.jsm.consumers.delete(names.stream, nameOf(part)).catch(() => undefined);
    }
  }

  /**
   * Windows, or their confirmations, that were under way when a connection broke are in no gateway's hands, and the server gives
   * them out again only with the part. A part whose consumer is gone, or is on a server of NATS that is, gives out nothing at all.
   * One that is stuck in one of these ways is given back, so that it gets a consumer of its own again.
   */
  async function lookAt({ jsm }: OpenNats, held: Part): Promise<void> {
    const asked = jsm.consumers.info(names.stream, held.name).catch(() => null);
    const info: ConsumerInfo | null = await within(asked, LOOK_WITHIN_MS, null);
    const confirmedSeq = info?.ack_floor.stream_seq ?? held.confirmedSeq;
    const isStuck = info === null || (info.num_ack_pending > held.windows.size && confirmedSeq === held.confirmedSeq);
    held.stuckLooks = isStuck ? held.stuckLooks + 1 : 0;
    held.confirmedSeq = confirmedSeq;
    if (held.stuckLooks >= STUCK_LOOKS) held.isLeaving = true;
  }

  async function giveBack(part: number): Promise<void> {
    const held = parts.get(part);
    if (held === undefined) return;
    parts.delete(part);
    held.messages.stop();
    await notes?.release(part, held.triedUpTo());
    try {
      await nats.use(({ jsm }) => jsm.consumers.delete(names.stream, held.name));
    } catch (error) {
      // The server removes it by itself a little later.
      logger.debug({ part, reason: describeError(error) }, 'a part of the stream was not given back');
    }
  }

  const rowOf = ({ row, userId, key }: TakenWindow): QueueRow => ({
    ...row,
    isMoved: notes?.isMoved(userId, key) === true,
  });

  const staying = () => [...parts.values()].filter(({ isLeaving }) => !isLeaving);

  const taken = (id: number): TakenWindow | undefined => {
    for (const { windows } of parts.values()) {
      const found = windows.get(id);
      if (found !== undefined) return found;
    }
    return undefined;
  };

  /** Marks windows as moved, or not any more, together with what the second way changes. */
  async function changeNotes(ids: readonly number[], isMoved: boolean, changes: () => void): Promise<void> {
    if (notes === null) return;
    const windows = ids.flatMap((id) => taken(id) ?? []);
    if (windows.length < ids.length)
      throw new RelayError('part_lost', 'windows of this delivery went to another gateway');
    const changed = windows.filter(({ userId, key }) => notes.isMoved(userId, key) !== isMoved);
    for (const { userId, key } of changed) notes.setMoved(userId, key, isMoved);
    changes();
    if (changed.length > 0) await notes.commit(new Set(changed.map(({ userId }) => userId)));
  }

  const forget = (id: number) => {
    for (const { windows } of parts.values()) windows.delete(id);
  };

  return {
    count: () => staying().reduce((sum, { windows }) => sum + windows.size, 0),
    recount: async () => undefined,
    async waiting(limit) {
      const rows: QueueRow[] = [];
      for (const { windows } of staying()) {
        for (const each of windows.values()) {
          if (rows.length >= limit) return rows;
          rows.push(rowOf(each));
        }
      }
      return rows;
    },
    notMoved: (afterId, limit) =>
      staying()
        .flatMap(({ windows }) => [...windows.values()])
        .filter(({ row, mayBeStored }) => row.id > afterId && !mayBeStored)
        .map(rowOf)
        .filter(({ isMoved }) => !isMoved)
        .sort((a, b) => a.id - b.id)
        .slice(0, limit),
    markMoved: (ids, changes) => changeNotes(ids, true, changes),
    async resolve({ deliveredIds, setAside }, changes) {
      await changeNotes([...deliveredIds, ...setAside.map(({ id }) => id)], false, changes);
      for (const { id, error } of setAside) {
        const refused = taken(id);
        if (refused === undefined) continue;
        const { key, userId } = identityOf(refused.row);
        await nats.use((open) => putRefused(open, config, key, { body: refused.row.body, error, userId }));
      }
      const byGateway = new Map<string, number[]>();
      // A confirmation that gets lost leads to one more delivery, which counts nothing.
      for (const id of [...deliveredIds, ...setAside.map((entry) => entry.id)]) {
        const settled = taken(id);
        forget(id);
        if (settled === undefined) continue;
        settled.message.ack();
        const gateway = settled.message.headers?.get(HEADERS.gateway) ?? '';
        const entry = Number(settled.message.headers?.get(HEADERS.entry));
        if (Number.isInteger(entry)) byGateway.set(gateway, [...(byGateway.get(gateway) ?? []), entry]);
      }
      for (const [gateway, ids] of byGateway) {
        if (gateway === gatewayId) onSettled(ids);
        else listening?.publish(names.storedOf(gateway), JSON.stringify(ids));
      }
    },
    async share() {
      return await nats.use(async (open) => {
        listen(open);
        open.connection.publish(names.delivering, gatewayId);
        const consumers = await consumerNames(open, names.stream);
        await Promise.all([...parts.values()].map((held) => lookAt(open, held)));
        const share = fairShare();
        await removeOwnerless(open, consumers);
        const busy = new Set(consumers.map(partOfName));
        await Promise.all([...parts].map(([part, { isLeaving }]) => (isLeaving ? giveBack(part) : null)));
        for (const held of [...parts.values()].slice(share)) held.isLeaving = true;
        const free = ALL_PARTS.filter((part) => !busy.has(part) && !parts.has(part));
        await Promise.all(free.slice(0, Math.max(0, share - parts.size)).map((part) => tryTake(open, part)));
        const { messages, first_ts: firstAt } = (await open.jsm.streams.info(names.stream)).state;
        return { windows: messages, oldestAtMs: messages === 0 ? null : Date.parse(firstAt) };
      });
    },
    async release() {
      await Promise.all([...parts.keys()].map(giveBack));
    },
    leave(part) {
      const held = parts.get(part);
      if (held !== undefined) held.isLeaving = true;
    },
  };
}

/** Key and student of an entry that may be anything. */
function identityOf(row: Pick<QueueRow, 'id' | 'body'>): { readonly key: string; readonly userId: number | null } {
  try {
    const window = readRow(row);
    return { key: windowKey(window), userId: window.userId };
  } catch {
    return { key: `unreadable/${row.id}`, userId: null };
  }
}
