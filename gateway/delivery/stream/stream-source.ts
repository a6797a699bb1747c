import type { ConsumerInfo, ConsumerMessages, JsMsg } from '@nats-io/jetstream';
import { describeError } from '../../../shared/errors.ts';
import type { Clock } from '../../lib/clock.ts';
import type { Logger } from '../../lib/logger.ts';
import type { NatsLink, OpenNats } from '../../nats/connection.ts';
import { windowKey } from '../../store/records.ts';
import type { WindowSource } from '../delivery-loop.ts';
import { type QueueRow, readRow } from '../queue-row.ts';
import { HEADERS, namesOf, PARTS } from './names.ts';
import { putRefused } from './refused.ts';
import { MAX_PENDING, takePart } from './stream.ts';

/** How long a question for windows stays open: a gateway that stands still loses its parts a little later. */
const ASK_EVERY_MS = 4000;
/** A gateway that was not heard of for this long delivers no more. */
const HEARD_WITHIN_MS = 7000;

/** Looks in a row at a part whose windows are in nobody's hand after which it is given back. */
const STUCK_LOOKS = 2;

/** Windows of the stream in this gateway's hands. */
export interface StreamSource extends WindowSource {
  /**
   * Takes parts that no gateway has, up to this one's share, and gives back what is over it. Resolves with the number of
   * windows in the whole stream. Rejects where NATS does not answer.
   */
  share(): Promise<number>;
  /** Gives all parts back: others deliver them. */
  release(): Promise<void>;
  /** Number of parts that this gateway delivers. */
  parts(): number;
}

interface TakenWindow {
  readonly row: QueueRow;
  readonly message: JsMsg;
  /** An earlier delivery of it may have reached the store. */
  readonly mayBeStored: boolean;
}

interface Part {
  readonly name: string;
  readonly messages: ConsumerMessages;
  /** By their place in the stream, in its order. */
  readonly windows: Map<number, TakenWindow>;
  /** Up to here everything is confirmed, as the newest look at the part found it. */
  confirmedSeq: number;
  /** Looks in a row that found it there still, with windows in nobody's hand. */
  stuckLooks: number;
  /** No delivery takes windows from it any more; it is given back when the one under way has surely ended. */
  isLeaving: boolean;
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
}

export function createStreamSource(options: StreamSourceOptions): StreamSource {
  const { nats, gatewayId, logger, clock, onWindows, onSettled } = options;
  const { config } = nats;
  const names = namesOf(config);
  const parts = new Map<number, Part>();
  /** When each of the gateways that deliver was last heard of. */
  const heard = new Map<string, number>();
  let listening: OpenNats['connection'] | null = null;

  const nameOf = (part: number) => `${gatewayId}-${part}`;

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
    const { state } = await open.jsm.streams.info(names.stream);
    if (!(await takePart(open, config, part, nameOf(part)))) return false;
    const consumer = await open.js.consumers.get(names.stream, nameOf(part));
    const windows = new Map<number, TakenWindow>();
    const messages = await consumer.consume({
      max_messages: MAX_PENDING,
      expires: ASK_EVERY_MS,
      abort_on_missing_resource: true,
      callback(message) {
        const row = { id: message.seq, body: message.string(), isMoved: false };
        const mayBeStored = message.seq <= state.last_seq || message.headers?.has(HEADERS.repeated) === true;
        windows.set(message.seq, { row, message, mayBeStored });
        onWindows();
      },
    });
    parts.set(part, { name: nameOf(part), messages, windows, confirmedSeq: 0, stuckLooks: 0, isLeaving: false });
    void messages.closed().then((error) => {
      if (parts.get(part)?.messages !== messages) return;
      parts.delete(part);
      if (error instanceof Error)
        logger.warn({ part, reason: error.message }, 'another gateway delivers these windows');
    });
    return true;
  }

  /**
   * Windows, or their confirmations, that were under way when a connection broke are in nobody's hand, and the server gives
   * them out again only with the part: one that is stuck is given back.
   */
  function noteStuck({ name, num_ack_pending: pending, ack_floor: { stream_seq: confirmedSeq } }: ConsumerInfo): void {
    const held = [...parts.values()].find((part) => part.name === name);
    if (held === undefined) return;
    const isStuck = pending > held.windows.size && confirmedSeq === held.confirmedSeq;
    held.stuckLooks = isStuck ? held.stuckLooks + 1 : 0;
    held.confirmedSeq = confirmedSeq;
    if (held.stuckLooks >= STUCK_LOOKS) held.isLeaving = true;
  }

  async function giveBack(part: number): Promise<void> {
    const held = parts.get(part);
    if (held === undefined) return;
    parts.delete(part);
    held.messages.stop();
    try {
      await nats.use(({ jsm }) => jsm.consumers.delete(names.stream, held.name));
    } catch (error) {
      // The server removes it by itself a little later.
      logger.debug({ part, reason: describeError(error) }, 'a part of the stream was not given back');
    }
  }

  const staying = () => [...parts.values()].filter(({ isLeaving }) => !isLeaving);

  const taken = (id: number): TakenWindow | undefined => {
    for (const { windows } of parts.values()) {
      const found = windows.get(id);
      if (found !== undefined) return found;
    }
    return undefined;
  };

  const forget = (id: number) => {
    for (const { windows } of parts.values()) windows.delete(id);
  };

  return {
    count: () => staying().reduce((sum, { windows }) => sum + windows.size, 0),
    recount: async () => undefined,
    async waiting(limit) {
      const rows: QueueRow[] = [];
      for (const { windows } of staying()) {
        for (const { row } of windows.values()) {
          if (rows.length >= limit) return rows;
          rows.push(row);
        }
      }
      return rows;
    },
    async resolve({ deliveredIds, setAside }, changes) {
      changes();
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
        const consumers = await open.jsm.consumers.list(names.stream).next();
        const busy = new Set(consumers.map(({ config: { filter_subject: subjects } }) => subjects));
        for (const info of consumers) noteStuck(info);
        const share = fairShare();
        for (const [part, { isLeaving }] of parts) if (isLeaving) await giveBack(part);
        for (const held of [...parts.values()].slice(share)) held.isLeaving = true;
        for (let part = 0; part < PARTS && parts.size < share; part++) {
          if (!busy.has(names.subjectsOfPart(part)) && !parts.has(part)) await take(open, part);
        }
        return (await open.jsm.streams.info(names.stream)).state.messages;
      });
    },
    async release() {
      await Promise.all([...parts.keys()].map(giveBack));
    },
    parts: () => parts.size,
  };
}

/** Key and student of an entry that may be anything. */
function identityOf(row: QueueRow): { readonly key: string; readonly userId: number | null } {
  try {
    const window = readRow(row);
    return { key: windowKey(window), userId: window.userId };
  } catch {
    return { key: `unreadable/${row.id}`, userId: null };
  }
}
