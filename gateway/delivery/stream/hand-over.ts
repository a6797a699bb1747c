import { headers } from '@nats-io/transport-node';
import { describeError } from '../../../shared/errors.ts';
import type { MetricsWindow } from '../../../shared/metrics-window.ts';
import type { Clock } from '../../lib/clock.ts';
import type { Logger } from '../../lib/logger.ts';
import type { NatsLink, OpenNats } from '../../nats/connection.ts';
import { storedKeys } from '../../store/ledger.ts';
import type { MetricsStore } from '../../store/port.ts';
import { windowKey } from '../../store/records.ts';
import type { Outcome } from '../deliver.ts';
import { type ReadRow, readRows } from '../delivery-loop.ts';
import type { FileWindows } from '../file-windows.ts';
import type { QueueRow } from '../queue-row.ts';
import { createRetryLoop } from '../retry-loop.ts';
import { isForgotten } from './forgotten.ts';
import { HEADERS, namesOf } from './names.ts';
import { hasRefused } from './refused.ts';
import { messageAt } from './stream.ts';

const PUBLISHED_AT_ONCE = 200;
const CONFIRMED_AT_ONCE = 200;
const NATS_BACKOFF = { firstMs: 200, maxMs: 5000 };
const CONFIRM_BACKOFF = { firstMs: 500, maxMs: 30_000 };

export interface HandOverOptions {
  readonly windows: FileWindows;
  readonly nats: NatsLink;
  /** This gateway's own name, unique among all. */
  readonly gatewayId: string;
  /** Makes the stream, where that has not been done. */
  readonly prepare: (nats: OpenNats) => Promise<void>;
  /** The stream may be missing: it was made, and takes nothing. */
  readonly onFailed: () => void;
  readonly store: Pick<MetricsStore, 'execute'>;
  /** A window of which nothing was heard for this long is looked for in the store and in the stream, and again after each time, ms. */
  readonly confirmAfterMs: number;
  readonly logger: Logger;
  readonly clock: Clock;
  /** Numbers in [0, 1), for the jitter. */
  readonly random: () => number;
}

/**
 * Hands the windows of this gateway's file over to the stream, and keeps them until the store has them: what the stream has lost
 * is published again. Without windows it has no timer and sends nothing.
 */
export interface HandOver {
  /** Windows have come. */
  start(): void;
  /** Publishes at once, without the rest of a wait; resolves when all is published or NATS does not take it. */
  publishNow(): Promise<void>;
  /** The store has these entries, or has refused them, as the gateway says that delivered them. Rejects with `spool_failed`. */
  settled(ids: readonly number[]): Promise<void>;
  /** Removes those of these rows from the file that the store has. Rejects with `store_unreachable`. */
  confirm(rows: readonly QueueRow[]): Promise<void>;
  /** True while windows could not be published. */
  isFailing(): boolean;
  stop(): Promise<void>;
}

/** Of a window that the store has not: `stream`: it waits there; `settled`: it was refused, or its student's data was deleted. */
type Place = 'stream' | 'settled' | 'nowhere';

export function createHandOver(options: HandOverOptions): HandOver {
  const { windows, nats, gatewayId, store, confirmAfterMs, logger, clock, random } = options;
  const { file, run } = windows;
  const names = namesOf(nats.config);
  let isFailing = false;
  let hasUnpublished = true;

  /** Rows that can be read; the others are put aside. */
  async function readable<T extends QueueRow>(rows: readonly T[]): Promise<ReadRow<T>[]> {
    const { windows: read, unreadable } = readRows(rows);
    if (unreadable.length > 0) await remove({ deliveredIds: [], setAside: unreadable });
    return read;
  }

  const remove = (outcome: Outcome) => windows.resolve(outcome, () => undefined);

  async function publishSome(): Promise<number> {
    const rows = await run(() => file.unpublished(PUBLISHED_AT_ONCE));
    if (rows.length === 0) {
      hasUnpublished = false;
      return 0;
    }
    const read = await readable(rows);
    const { published, failure } = await nats.use(async (open) => {
      await options.prepare(open);
      const results = await Promise.allSettled(read.map(({ row, window }) => publish(open, window, row)));
      const done = results.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []));
      return { published: done, failure: results.find((result) => result.status === 'rejected')?.reason ?? null };
    });
    await run(() => file.markPublished(published, clock.nowMs()));
    confirmLoop.start();
    // The same kinds of fault as without an answer to any of them.
    if (failure !== null) await nats.use(() => Promise.reject(failure));
    isFailing = false;
    return 0;
  }

  async function publish(
    { js }: OpenNats,
    window: MetricsWindow,
    row: { id: number; body: string; isRepeated: boolean },
  ) {
    const marks = headers();
    marks.set(HEADERS.gateway, gatewayId);
    marks.set(HEADERS.entry, String(row.id));
    if (row.isRepeated) marks.set(HEADERS.repeated, '1');
    const { seq } = await js.publish(names.subjectOf(window), row.body, { msgID: windowKey(window), headers: marks });
    return { id: row.id, seq };
  }

  /** Keys of those windows that the store has. */
  const storedOf = (read: readonly { readonly window: MetricsWindow }[]) =>
    storedKeys(
      store,
      read.map(({ window }) => window),
    );

  async function confirm(rows: readonly QueueRow[]): Promise<void> {
    const read = await readable(rows);
    if (read.length === 0) return;
    const stored = await storedOf(read);
    const deliveredIds = read.flatMap(({ row, window }) => (stored.has(windowKey(window)) ? [row.id] : []));
    if (deliveredIds.length > 0) await remove({ deliveredIds, setAside: [] });
  }

  /** Looks for published windows in the store, and for those that are not there in the stream. */
  async function confirmSome(): Promise<number> {
    const rows = await run(() => file.published(clock.nowMs() - confirmAfterMs, CONFIRMED_AT_ONCE));
    if (rows.length === 0) return confirmAfterMs;
    const read = await readable(rows);
    const stored = await storedOf(read);
    const missing = read.filter(({ window }) => !stored.has(windowKey(window)));
    const found = await nats.use((open) => Promise.all(missing.map((each) => whereIs(open, each))));
    const of = (place: Place) => missing.filter((_, index) => found[index] === place);
    // Between the two questions it may have been stored and taken out of the stream.
    const storedSince = await storedOf(of('nowhere'));
    const lost = of('nowhere').filter(({ window }) => !storedSince.has(windowKey(window)));
    const inStream = of('stream');
    const deliveredIds = read
      .filter((each) => !lost.includes(each) && !inStream.includes(each))
      .map(({ row }) => row.id);
    if (deliveredIds.length > 0) await remove({ deliveredIds, setAside: [] });
    if (lost.length + inStream.length > 0) {
      const entries = [...lost.map(({ row }) => ({ id: row.id, seq: null })), ...inStream.map(({ row }) => row)];
      await run(() => file.markPublished(entries, clock.nowMs()));
    }
    if (lost.length > 0) {
      logger.warn(
        { code: 'windows_lost_by_stream', windows: lost.length },
        'NATS has lost windows, they are published again',
      );
      start();
    }
    return 0;
  }

  async function whereIs(
    open: OpenNats,
    { row, window }: ReadRow<QueueRow & { readonly seq: number }>,
  ): Promise<Place> {
    const message = await messageAt(open, names.stream, row.seq);
    if (message?.subject === names.subjectOf(window) && message.header.get(HEADERS.key) === windowKey(window)) {
      return 'stream';
    }
    if (await hasRefused(open, nats.config, window)) return 'settled';
    if (await isForgotten(open, nats.config, window)) return 'settled';
    return 'nowhere';
  }

  const publishLoop = createRetryLoop({
    hasWork: () => hasUnpublished,
    deliver: publishSome,
    failed(error, retryInMs) {
      const fields = { error: describeError(error), waiting: windows.count(), retryInMs };
      const message = 'NATS does not take windows; they wait in the file of this gateway';
      if (isFailing) logger.debug(fields, message);
      else logger.warn({ code: nats.fault()?.code ?? 'nats_failed', ...fields }, message);
      isFailing = true;
      options.onFailed();
    },
    recovered: (failures) => logger.info({ failures, waiting: windows.count() }, 'windows go to NATS again'),
    clock,
    random,
    backoff: NATS_BACKOFF,
  });
  const confirmLoop = createRetryLoop({
    hasWork: () => windows.count() > 0,
    deliver: confirmSome,
    failed: (error, retryInMs) =>
      logger.debug({ error: describeError(error), retryInMs }, 'it is not known yet which windows the store has'),
    recovered: () => undefined,
    clock,
    random,
    backoff: CONFIRM_BACKOFF,
  });

  function start(): void {
    hasUnpublished = true;
    publishLoop.start();
    confirmLoop.start();
  }

  return {
    start,
    publishNow() {
      hasUnpublished = true;
      return publishLoop.runNow();
    },
    settled: (ids) => remove({ deliveredIds: ids, setAside: [] }),
    confirm,
    isFailing: () => isFailing,
    async stop() {
      await Promise.all([publishLoop.stop(), confirmLoop.stop()]);
    },
  };
}
