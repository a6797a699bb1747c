import { describeError, RelayError } from '../../../shared/errors.ts';
import { systemClock } from '../../lib/clock.ts';
import { createMutex } from '../../lib/mutex.ts';
import { within } from '../../lib/timeout.ts';
import type { NatsLink, OpenNats } from '../../nats/connection.ts';
import type { MetricsStore } from '../../store/port.ts';
import { windowKey } from '../../store/records.ts';
import { createDeliveryLoop, readRows } from '../delivery-loop.ts';
import { openFileWindows } from '../file-windows.ts';
import type { DeliveryQueue, QueueOptions } from '../queue.ts';
import { createRetryLoop } from '../retry-loop.ts';
import { noteForgotten } from './forgotten.ts';
import { createHandOver } from './hand-over.ts';
import { deliverMovedRows } from './moved-rows.ts';
import { namesOf } from './names.ts';
import { forgetRefused, listRefused } from './refused.ts';
import { countOf, ensureStream, messagesOf } from './stream.ts';
import { createStreamSource, type InStream } from './stream-source.ts';
import { openPartNotes } from './student-notes.ts';

const CLOSE_GRACE_MS = 2000;
const SHARE_EVERY_MS = 2000;
const CONFIRM_AFTER_MS = 15_000;
/** Checks without a window anywhere after which it delivers no more. */
const IDLE_CHECKS = 2;
const SHARE_BACKOFF = { firstMs: 500, maxMs: 15_000 };
const CHECK_SESSION_MS = 50;

export interface StreamQueueOptions extends Omit<QueueOptions, 'store'> {
  readonly store: Pick<MetricsStore, 'applyWindows' | 'execute'>;
  readonly nats: NatsLink;
  /** This gateway's own name, unique among all. */
  readonly gatewayId: string;
  /** How often a gateway that delivers checks which parts no gateway has, ms. */
  readonly shareEveryMs?: number;
  /** A window of which nothing was heard for this long is looked for in the store, ms. */
  readonly confirmAfterMs?: number;
}

/**
 * Opens the queue that several gateways share: windows go from the file of this gateway to the stream, and from there, by any
 * gateway, to the store. The file keeps them until the store has them. A gateway without windows, where none wait in the
 * stream, holds no connection. Throws RelayError `spool_failed`; NATS may be unavailable.
 */
export async function openStreamQueue(options: StreamQueueOptions): Promise<DeliveryQueue> {
  const { nats, store, logger, gatewayId, clock = systemClock, random = Math.random } = options;
  const { shareEveryMs = SHARE_EVERY_MS, confirmAfterMs = CONFIRM_AFTER_MS } = options;
  const { config } = nats;
  const names = namesOf(config);
  let preparing: { readonly of: OpenNats; readonly done: Promise<void> } | null = null;
  let closing: Promise<void> | null = null;
  let setAsideCount = 0;
  let idleChecks = 0;
  let releaseHold: (() => void) | null = null;
  let lastSeen: InStream = { windows: 0, oldestAtMs: null };
  let sharingFault: RelayError | null = null;
  let isDue = true;
  let cancelNext: () => void = () => undefined;

  const windows = await openFileWindows(options.dataDir, logger, clock, () => windowsCame());
  const { openSecondWay = null } = options;
  const notes =
    openSecondWay === null
      ? null
      : openPartNotes({ link: nats, gatewayId, logger, onLost: (part) => source.leave(part) });
  if (notes !== null) await windows.run(windows.file.markRepeated);
  const movedRows = await deliverMovedRows({ windows, store, openSecondWay, logger, clock, random });

  /** Makes the stream where it is missing, once for each connection. */
  function prepare(open: OpenNats): Promise<void> {
    if (preparing?.of !== open) {
      const done = ensureStream(open, config);
      preparing = { of: open, done };
      done.catch(() => {
        preparing = null;
      });
    }
    return preparing.done;
  }

  /** The stream may have been lost with the disks of its servers. */
  const mayBeMissing = () => {
    preparing = null;
  };
  const handOver = createHandOver({
    windows,
    nats,
    gatewayId,
    prepare,
    onFailed: mayBeMissing,
    store,
    confirmAfterMs,
    logger,
    clock,
    random,
  });
  const source = createStreamSource({
    nats,
    gatewayId,
    logger,
    clock,
    onWindows: () => loop.start(),
    onSettled: (ids) =>
      void handOver.settled(ids).catch((error: unknown) => {
        // They are found in the store a little later.
        logger.debug({ error: describeError(error) }, 'stored windows stay in the file of this gateway');
      }),
    notes,
  });
  const secondWay =
    openSecondWay === null || notes === null
      ? null
      : await openSecondWay({
          place: { kind: 'notes', notes },
          run: createMutex().run,
          // What may be in the store already, the source knows.
          newestId: async () => 0,
          async notMoved(afterId, limit) {
            const rows = source.notMoved(afterId, limit);
            return { windows: readRows(rows).windows, lastId: rows.at(-1)?.id ?? null };
          },
          markMoved: source.markMoved,
          clock,
          random,
          logger,
        });
  const loop = createDeliveryLoop({
    source,
    store,
    secondWay,
    logger,
    clock,
    random,
    backoff: options.backoff,
    batchSize: options.batchSize,
  });

  /** While windows wait anywhere: takes the parts that no other gateway has. */
  const sharing = createRetryLoop({
    hasWork: () => isDue && idleChecks < IDLE_CHECKS,
    async deliver() {
      releaseHold ??= nats.hold();
      lastSeen = await nats.use(async (open) => {
        await prepare(open);
        return source.share();
      });
      const isIdle = lastSeen.windows === 0 && windows.count() === 0 && source.count() === 0;
      idleChecks = isIdle ? idleChecks + 1 : 0;
      if (sharingFault !== null) logger.info({}, 'this gateway delivers windows from NATS again');
      sharingFault = null;
      if (idleChecks < IDLE_CHECKS) {
        isDue = false;
        cancelNext = clock.after(shareEveryMs, () => {
          isDue = true;
          sharing.start();
        });
        return 0;
      }
      await source.release();
      releaseHold?.();
      releaseHold = null;
      return 0;
    },
    failed(error, retryInMs) {
      mayBeMissing();
      const found = error instanceof RelayError ? error : NOT_TAKEN;
      const fields = { code: found.code, error: describeError(error), retryInMs };
      // One line for an outage, not one for each try.
      if (sharingFault?.code === found.code) logger.debug(fields, NOT_SHARING);
      else logger.warn(fields, NOT_SHARING);
      sharingFault = found;
    },
    recovered: () => undefined,
    clock,
    random,
    backoff: SHARE_BACKOFF,
  });

  /** Without the rest of a wait. */
  function shareNow(): Promise<void> {
    cancelNext();
    isDue = true;
    return sharing.runNow();
  }

  function windowsCame(): void {
    const isResting = idleChecks >= IDLE_CHECKS;
    idleChecks = 0;
    handOver.start();
    if (isResting) void shareNow();
    else sharing.start();
  }

  /** Number of a session's or a student's windows that the store does not have, here or in the stream. Rejects as store or NATS do. */
  async function waitingOf(find: () => ReturnType<typeof windows.waiting>, subjects: string): Promise<number> {
    await handOver.confirm(await windows.run(find));
    const own = (await windows.run(find)).length;
    const inStream = await nats.use(async (open) => {
      await prepare(open);
      return countOf(open, names.stream, subjects);
    });
    return Math.max(own, inStream);
  }

  /** Waits until the store has them; resolves with the number left after `budgetMs`, or as soon as the store does not answer. */
  async function waitFor(count: () => Promise<number>, budgetMs: number): Promise<number> {
    const untilMs = clock.nowMs() + budgetMs;
    for (;;) {
      let left: number;
      try {
        left = await count();
      } catch (error) {
        logger.debug({ error: describeError(error) }, 'it is not known whether windows wait');
        return Math.max(1, windows.count());
      }
      if (left === 0 || loop.isBackingOff() || handOver.isFailing() || clock.nowMs() >= untilMs) return left;
      await new Promise<void>((resolve) => void clock.after(CHECK_SESSION_MS, resolve));
    }
  }

  const endListening = nats.onConnected(() => {
    if (releaseHold === null || closing !== null) return;
    // What was on the way when the connection was lost is given out again with the part.
    void source.release().then(() => shareNow());
    void handOver.publishNow();
  });
  windowsCame();
  return {
    append(window) {
      if (closing !== null) return Promise.reject(new RelayError('spool_closed', 'the delivery queue is closed'));
      return windows.append(window);
    },
    checkpoint: (open, goneSessionIds) =>
      closing === null ? windows.checkpoint(open, goneSessionIds) : Promise.resolve(),
    depth: windows.count,
    oldestAgeMs: windows.oldestAgeMs,
    streamLag: () => ({
      windows: lastSeen.windows,
      oldestAgeMs: lastSeen.oldestAtMs === null ? 0 : Math.max(0, clock.nowMs() - lastSeen.oldestAtMs),
    }),
    setAsideCount: () => windows.setAsideCount() + setAsideCount,
    async setAside() {
      const refused = await nats.use((open) => listRefused(open, config));
      setAsideCount = refused.length;
      return [...(await windows.setAside()), ...refused.map(({ body, error }) => ({ body, error }))];
    },
    async pendingFor(sessionId) {
      const find = () => windows.file.waitingOfSession(sessionId.toLowerCase());
      // While the store is unavailable, those that it has already are among them.
      await handOver.confirm(await windows.run(find)).catch(() => undefined);
      const own = await windows.run(find);
      const inStream = await nats.use(async (open) => {
        await prepare(open);
        return messagesOf(open, names.stream, names.subjectsOfSession(sessionId));
      });
      const rows = [
        ...own,
        ...inStream.map((message) => ({ id: message.seq, body: message.string(), isMoved: false })),
      ];
      const pending = new Map(readRows(rows).windows.map(({ window }) => [windowKey(window), window]));
      return [...pending.values()].sort((a, b) => a.epoch - b.epoch || a.seq - b.seq);
    },
    flushSession(sessionId, budgetMs) {
      const ofSession = sessionId.toLowerCase();
      return waitFor(
        () => waitingOf(() => windows.file.waitingOfSession(ofSession), names.subjectsOfSession(sessionId)),
        budgetMs,
      );
    },
    async forgetStudent(userId, budgetMs) {
      const ofStudent = () => waitingOf(() => windows.file.waitingOfStudent(userId), names.subjectsOfStudent(userId));
      const left = await waitFor(ofStudent, budgetMs);
      if (left > 0) return left;
      await nats.use(async (open) => {
        await noteForgotten(open, config, userId, clock.nowMs());
        await forgetRefused(open, config, userId);
      });
      await windows.forgetStudent(userId);
      await secondWay?.forgetStudent(userId);
      return 0;
    },
    async flush(budgetMs) {
      const everything = async () => {
        await windows.appended();
        await handOver.publishNow();
        await loop.runNow();
        await waitFor(async () => windows.count(), budgetMs);
      };
      await within(everything(), budgetMs, undefined, clock);
      return windows.count();
    },
    fault: () => (handOver.isFailing() ? (nats.fault() ?? sharingFault ?? NOT_TAKEN) : sharingFault),
    close() {
      closing ??= (async () => {
        endListening();
        cancelNext();
        const stopped = [sharing.stop(), handOver.stop(), loop.stop(), movedRows?.close(), secondWay?.close()];
        const ended = Promise.allSettled(stopped).then(() => source.release());
        await within(ended, CLOSE_GRACE_MS, undefined, clock);
        releaseHold?.();
        await windows.close();
      })();
      return closing;
    },
  };
}

const NOT_SHARING = 'this gateway delivers no windows from NATS for the moment';
const NOT_TAKEN = new RelayError('nats_failed', 'NATS does not take windows');
