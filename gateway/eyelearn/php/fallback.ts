import type { MetricsWindow } from '../../../shared/metrics-window.ts';
import { readEntry } from '../../delivery/deliver.ts';
import type { PhpChange, SpoolFile, SpoolOutcome, SpoolRow } from '../../delivery/queue-file.ts';
import type { Clock } from '../../lib/clock.ts';
import type { Logger } from '../../lib/logger.ts';
import type { Mutex } from '../../lib/mutex.ts';
import { sectionKeyOf } from '../../store/batch.ts';
import { type MetricsStore, type StoredElsewhere, StoreUnreachableError } from '../../store/port.ts';
import { windowKey } from '../../store/records.ts';
import type { PhpTime, RememberedPost } from './outbox-tables.ts';
import { createPhpSink, type PhpOptions } from './poster.ts';
import { settlePosts } from './reconcile.ts';

const FALLBACK_AFTER_MS = 30_000;
/** An overloaded endpoint may store a post long after nobody waits for its answer any more. */
const SETTLE_AFTER_MS = 60_000;
/** What hung on the database goes on when that comes back: so long the rows are given. */
const QUIET_MS = 1500;
const ALL = 1_000_000_000;
const IN_FLIGHT_LOOK_MS = 250;

type Elsewhere = ReadonlyMap<string, StoredElsewhere>;

/** What has to be known of a delivery's windows: how much of their time PHP has stored already. */
export interface BeforeDelivery {
  readonly elsewhere: Elsewhere;
}

export const NOT_WITH_PHP: BeforeDelivery = { elsewhere: new Map() };

/** Windows that wait, and for how long at least. */
export interface Deferral {
  readonly isDeferred: (row: SpoolRow) => boolean;
  readonly waitMs: number;
}

export const NOTHING_DEFERRED: Deferral = { isDeferred: () => false, waitMs: 0 };

/** The spool's second way out, step by step beside the first one. */
export interface PhpPath {
  /**
   * A delivery begins: nothing is handed over from here to its end. Says which windows must wait, because a post
   * of theirs may still be on its way into the rows.
   */
  begin(): Promise<Deferral>;
  /** Before a delivery: what of these windows PHP has is settled and held, so that nobody else stores it meanwhile. */
  before(rows: readonly SpoolRow[]): Promise<BeforeDelivery>;
  /** The store failed: time that it surely does not have may go on by PHP. */
  failed(rows: readonly SpoolRow[], failure: unknown): Promise<void>;
  /** What a delivery changes in the accounts, to be written with it. */
  changeOf(rows: readonly SpoolRow[], outcome: SpoolOutcome, elsewhere: Elsewhere): PhpChange;
  /** After a delivery was written. */
  delivered(deliveredIds: readonly number[]): void;
  /** The store is out of reach: after a while its windows are handed over. */
  storeIsAway(): void;
  close(): Promise<void>;
}

export interface PhpPathOptions extends PhpOptions {
  readonly use: 'always' | 'fallback';
  readonly fallbackAfterMs?: number;
  /** Age from which a post with an unknown outcome is settled against the database, ms. */
  readonly settleAfterMs?: number;
  readonly file: SpoolFile;
  readonly mutex: Mutex;
  readonly store: Partial<Pick<MetricsStore, 'eyelearnDay'>>;
  readonly clock: Clock;
  readonly random: () => number;
  readonly logger: Logger;
}

function windowsOf(rows: readonly SpoolRow[]): { readonly row: SpoolRow; readonly window: MetricsWindow }[] {
  return rows.flatMap((row) => {
    try {
      return [{ row, window: readEntry(row) }];
    } catch {
      return [];
    }
  });
}

function timeOf(window: MetricsWindow, atMs: number): PhpTime {
  return {
    userId: window.userId,
    moduleId: window.moduleId,
    sectionKey: sectionKeyOf(window.sectionId),
    focusedMs: window.focusedMs,
    unfocusedMs: window.unfocusedMs,
    atMs,
    isFinal: window.final,
  };
}

function placesOf(windows: readonly MetricsWindow[]): { userId: number; moduleId: number }[] {
  const places = new Map(windows.map(({ userId, moduleId }) => [`${userId}/${moduleId}`, { userId, moduleId }]));
  return [...places.values()];
}

const placeKey = ({ userId, moduleId }: { userId: number; moduleId: number }) => `${userId}/${moduleId}`;
const accountKey = (userId: number, moduleId: number, sectionKey: number) => `${userId}/${moduleId}/${sectionKey}`;

/** Opens the path on the spool's file and goes on with what an earlier run left. */
export async function openPhpPath(options: PhpPathOptions): Promise<PhpPath> {
  const {
    use,
    fallbackAfterMs = FALLBACK_AFTER_MS,
    settleAfterMs = SETTLE_AFTER_MS,
    file,
    mutex,
    store,
    clock,
    logger,
  } = options;
  const tables = file.php;
  const lost = await mutex.run(() => tables.recover());
  if (lost > 0) logger.warn({ code: 'php_uncertain', posts: lost }, 'PHP posts were under way when the process ended');
  await mutex.run(() => tables.forgetOld(clock.nowMs()));
  const sink = createPhpSink({ ...options, tables });
  /** Windows that the store may have in spite of a failure: PHP must not get them. */
  const doubtful = new Set<number>();
  // An earlier run may have died with a commit under way.
  if (use === 'fallback') for (const { id } of await mutex.run(() => file.waiting(ALL))) doubtful.add(id);
  let awaySinceMs: number | null = null;
  let handing: Promise<void> = Promise.resolve();
  let cancelHandOver: (() => void) | null = null;
  sink.wake();

  async function handOver(): Promise<void> {
    const rows = await mutex.run(() => file.notWithPhp());
    const entries = windowsOf(rows)
      .filter(({ row }) => !doubtful.has(row.id))
      .map(({ row, window }) => ({ id: row.id, time: timeOf(window, clock.nowMs()) }));
    if (entries.length === 0) return;
    await mutex.run(() => file.handOver(entries));
    logger.warn(
      { code: 'php_fallback', windows: entries.length },
      'MySQL is out of reach: time goes to the PHP endpoint',
    );
    sink.wake();
  }

  /** Lets PHP have these again; what an earlier, doubtful delivery may have brought stays held. */
  async function release(withPhp: ReturnType<typeof windowsOf>): Promise<void> {
    const inDoubt = new Set(withPhp.filter(({ row }) => doubtful.has(row.id)).map(({ window }) => placeKey(window)));
    const places = placesOf(withPhp.map(({ window }) => window)).filter((place) => !inDoubt.has(placeKey(place)));
    if (places.length === 0) return;
    await mutex.run(() => tables.hold(places, false));
    sink.wake();
  }

  return {
    async begin() {
      cancelHandOver?.();
      cancelHandOver = null;
      await handing;
      if (use === 'always') return NOTHING_DEFERRED;
      // No post begins while the database may be taking the same time.
      sink.pause(true);
      const posts = await mutex.run(() => tables.openPosts());
      const nowMs = clock.nowMs();
      const until = (post: RememberedPost) =>
        post.status === 'in_flight' ? nowMs + IN_FLIGHT_LOOK_MS : post.postedAtMs + settleAfterMs;
      const young = posts.filter((post) => until(post) > nowMs);
      if (young.length === 0) return NOTHING_DEFERRED;
      const places = new Set(young.map(placeKey));
      return {
        isDeferred: (row) => windowsOf([row]).some(({ window }) => places.has(placeKey(window))),
        waitMs: Math.max(1, Math.min(...young.map(until)) - nowMs),
      };
    },
    async before(rows) {
      const withPhp = windowsOf(rows).filter(({ row }) => row.isWithPhp);
      if (withPhp.length === 0) return NOT_WITH_PHP;
      const places = placesOf(withPhp.map(({ window }) => window));
      await mutex.run(() => tables.hold(places, true));
      for (const place of places) {
        await sink.settled(place.userId, place.moduleId);
        if (store.eyelearnDay === undefined) continue;
        try {
          await settlePosts(place, tables, mutex.run, store.eyelearnDay, clock, QUIET_MS, logger);
        } catch (error) {
          await release(withPhp);
          throw error;
        }
      }
      const accounts = await mutex.run(() => tables.accounts());
      const left = new Map(
        accounts.map(({ userId, moduleId, sectionKey, sentFocusedMs, sentUnfocusedMs }) => [
          accountKey(userId, moduleId, sectionKey),
          { focusedMs: sentFocusedMs, unfocusedMs: sentUnfocusedMs },
        ]),
      );
      const elsewhere = new Map<string, StoredElsewhere>();
      for (const { window } of withPhp) {
        const pool = left.get(accountKey(window.userId, window.moduleId, sectionKeyOf(window.sectionId)));
        if (pool === undefined) continue;
        const part = {
          focusedMs: Math.min(window.focusedMs, pool.focusedMs),
          unfocusedMs: Math.min(window.unfocusedMs, pool.unfocusedMs),
        };
        pool.focusedMs -= part.focusedMs;
        pool.unfocusedMs -= part.unfocusedMs;
        elsewhere.set(windowKey(window), part);
      }
      return { elsewhere };
    },
    async failed(rows, failure) {
      const isUntouched = failure instanceof StoreUnreachableError && failure.isUntouched;
      if (!isUntouched) {
        for (const { id } of rows) doubtful.add(id);
        return;
      }
      await release(windowsOf(rows).filter(({ row }) => row.isWithPhp));
    },
    changeOf(rows, { deliveredIds, setAside }, elsewhere) {
      const done = new Set([...deliveredIds, ...setAside.map(({ id }) => id)]);
      const windows = windowsOf(rows).filter(({ row }) => done.has(row.id));
      const refused = new Set(setAside.map(({ id }) => id));
      const nothing = { focusedMs: 0, unfocusedMs: 0 };
      return {
        added:
          use === 'always'
            ? windows
                .filter(({ row }) => !row.isWithPhp && !refused.has(row.id))
                .map(({ window }) => timeOf(window, clock.nowMs()))
            : [],
        removed: windows
          .filter(({ row }) => row.isWithPhp)
          .map(({ window }) => {
            const part = elsewhere.get(windowKey(window)) ?? nothing;
            return {
              ...timeOf(window, clock.nowMs()),
              sentFocusedMs: part.focusedMs,
              sentUnfocusedMs: part.unfocusedMs,
            };
          }),
      };
    },
    delivered(deliveredIds) {
      awaySinceMs = null;
      for (const id of deliveredIds) doubtful.delete(id);
      if (use === 'always') sink.wake();
    },
    storeIsAway() {
      if (use === 'always') return;
      awaySinceMs ??= clock.nowMs();
      sink.pause(false);
      const waitMs = Math.max(0, awaySinceMs + fallbackAfterMs - clock.nowMs());
      cancelHandOver?.();
      cancelHandOver = clock.after(waitMs, () => {
        cancelHandOver = null;
        handing = handOver().catch((error: unknown) =>
          logger.error({ code: 'spool_failed', reason: String(error) }, 'windows could not be handed over to PHP'),
        );
      });
    },
    async close() {
      cancelHandOver?.();
      await handing;
      await sink.close();
    },
  };
}
