import { describeError } from '../../../shared/errors.ts';
import type { MetricsWindow } from '../../../shared/metrics-window.ts';
import {
  NOTHING_DEFERRED,
  type QueueAccess,
  type QueuedWindow,
  type SecondWay,
  type SecondWayPlace,
} from '../../delivery/second-way.ts';
import { createMutex } from '../../lib/mutex.ts';
import { sectionKeyOf } from '../../store/batch.ts';
import { type FocusTime, StoreUnreachableError, type TimeByWindow } from '../../store/port.ts';
import { windowKey } from '../../store/records.ts';
import type { EyelearnDay } from '../stored-day.ts';
import { type PhpOutbox, type PhpTime, type Place, placeKey, type RememberedPost } from './outbox.ts';
import { openFileOutbox } from './outbox-tables.ts';
import { createPhpPoster, type PhpOptions } from './poster.ts';
import { reconcilePosts } from './reconcile.ts';

const FALLBACK_AFTER_MS = 30_000;
/** An overloaded endpoint may store a post long after the gateway has stopped waiting for its answer. */
const SETTLE_AFTER_MS = 60_000;
/** After MySQL returns, PHP requests that were blocked on it may still commit; wait this long. */
const GRACE_MS = 1500;
/** Windows that are moved to PHP in one transaction. */
const PAGE_SIZE = 200;
const IN_FLIGHT_CHECK_MS = 250;

export interface PhpFallbackOptions extends PhpOptions {
  /** `always`: PHP alone writes EyeLearn's rows of time. `fallback`: the store does, when it can be reached. */
  readonly use: 'always' | 'fallback';
  /** How long the store must be unavailable before windows go to PHP, ms. */
  readonly fallbackAfterMs?: number;
  /** Age from which a post with an unknown outcome is decided from the database, ms. */
  readonly settleAfterMs?: number;
}

/** Gives the rows that PHP has made of a student and module what PHP does not write. Rejects with `store_unreachable`. */
export type AfterPost = (place: Place) => Promise<void>;

/** EyeLearn's rows of a student and module on the day of a moment; null without its table. Rejects with `store_unreachable`. */
export type ReadDay = (userId: number, moduleId: number, atMs: number) => Promise<EyelearnDay | null>;

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

function placesOf(windows: readonly QueuedWindow[]): Place[] {
  const places = windows.map(({ window: { userId, moduleId } }) => ({ userId, moduleId }));
  return [...new Map(places.map((place) => [placeKey(place), place])).values()];
}

const movedOf = (windows: readonly QueuedWindow[]) => windows.filter(({ isMoved }) => isMoved);

/**
 * The PHP endpoint as the queue's second way: always, or while the store is unavailable. Time that is moved to it leaves
 * an account beside the queue; when the store is back, what PHP has stored of a window is left out of EyeLearn's row.
 */
export async function openPhpFallback(
  queue: QueueAccess,
  options: PhpFallbackOptions,
  readDay: ReadDay | null,
  afterPost: AfterPost | null = null,
): Promise<SecondWay> {
  const { run, clock, logger } = queue;
  const outbox = await outboxAt(queue.place);
  const lostCount = await run(() => outbox.recover());
  if (lostCount > 0) {
    logger.warn({ code: 'php_uncertain', posts: lostCount }, 'PHP posts were in flight when the process ended');
  }
  await run(() => outbox.forgetOld(clock.nowMs()));
  return new PhpFallback(options, queue, outbox, { readDay, afterPost }, await queue.newestId());
}

async function outboxAt(place: SecondWayPlace): Promise<PhpOutbox> {
  if (place.kind === 'file') return openFileOutbox(place.connection);
  const { notesOutbox } = await import('./outbox-notes.ts');
  return notesOutbox(place.notes);
}

class PhpFallback implements SecondWay {
  readonly #options: PhpFallbackOptions;
  readonly #queue: QueueAccess;
  readonly #outbox: PhpOutbox;
  readonly #database: { readonly readDay: ReadDay | null; readonly afterPost: AfterPost | null };
  readonly #afterPosts = createMutex();
  /** Places whose time was posted while the store could not be reached, and whose windows it has now. */
  #returned: readonly Place[] = [];
  readonly #poster: ReturnType<typeof createPhpPoster>;
  /** Windows that the store may have in spite of a failure: PHP must not get them. */
  readonly #possiblyStored = new Set<number>();
  /** The same holds up to this id: an earlier run may have died during a commit. */
  readonly #possiblyStoredUpToId: number;
  #unavailableSinceMs: number | null = null;
  #moving: Promise<void> = Promise.resolve();
  #mayMove = false;
  #cancelMove: (() => void) | null = null;

  constructor(
    options: PhpFallbackOptions,
    queue: QueueAccess,
    outbox: PhpOutbox,
    database: { readonly readDay: ReadDay | null; readonly afterPost: AfterPost | null },
    newestId: number,
  ) {
    this.#options = options;
    this.#queue = queue;
    this.#outbox = outbox;
    this.#database = database;
    this.#possiblyStoredUpToId = options.use === 'fallback' ? newestId : 0;
    const { clock, random, logger, run } = queue;
    const onStored = (place: Place) => void this.#completeRows(place);
    this.#poster = createPhpPoster({ ...options, outbox, clock, random, logger, run, onStored });
    this.#poster.wake();
  }

  async begin() {
    this.#stopMoving();
    await this.#moving;
    if (this.#options.use === 'always') return NOTHING_DEFERRED;
    // No post begins while the database may be taking the same time.
    this.#poster.pause(true);
    const posts = await this.#queue.run(() => this.#outbox.openPosts());
    const nowMs = this.#queue.clock.nowMs();
    const { settleAfterMs = SETTLE_AFTER_MS } = this.#options;
    const untilMs = (post: RememberedPost) =>
      post.status === 'in_flight' ? nowMs + IN_FLIGHT_CHECK_MS : post.postedAtMs + settleAfterMs;
    const young = posts.filter((post) => untilMs(post) > nowMs);
    if (young.length === 0) return NOTHING_DEFERRED;
    const places = new Set(young.map(placeKey));
    return {
      isDeferred: (window: MetricsWindow) => places.has(placeKey(window)),
      waitMs: Math.max(1, Math.min(...young.map(untilMs)) - nowMs),
    };
  }

  async before(windows: readonly QueuedWindow[]): Promise<TimeByWindow> {
    const moved = movedOf(windows);
    // Where PHP writes all rows there is no time that the store must leave out.
    if (moved.length === 0 || this.#options.use === 'always') return new Map();
    const places = placesOf(moved);
    await this.#queue.run(() => this.#outbox.lockPosts(places, true));
    for (const place of places) {
      await this.#poster.whenIdle(place.userId, place.moduleId);
      try {
        await this.#reconcile(place);
      } catch (error) {
        await this.#unlock(moved);
        throw error;
      }
    }
    return this.#storedOf(moved);
  }

  async #reconcile(place: Place): Promise<void> {
    const { readDay } = this.#database;
    if (readDay === null) return;
    const { run, clock, logger } = this.#queue;
    await reconcilePosts({
      place,
      outbox: this.#outbox,
      run,
      readDay,
      clock,
      graceMs: GRACE_MS,
      logger,
    });
  }

  /** Shares out what PHP has stored over the windows it came from, oldest first. */
  async #storedOf(moved: readonly QueuedWindow[]): Promise<TimeByWindow> {
    const keyOf = (place: Place, sectionKey: number) => `${placeKey(place)}/${sectionKey}`;
    const left = new Map<string, { focusedMs: number; unfocusedMs: number }>();
    for (const account of await this.#queue.run(() => this.#outbox.accounts())) {
      const { sectionKey, sentFocusedMs, sentUnfocusedMs } = account;
      left.set(keyOf(account, sectionKey), { focusedMs: sentFocusedMs, unfocusedMs: sentUnfocusedMs });
    }
    const viaPhp = new Map<string, FocusTime>();
    for (const { window } of moved) {
      const account = left.get(keyOf(window, sectionKeyOf(window.sectionId)));
      if (account === undefined) continue;
      const part = {
        focusedMs: Math.min(window.focusedMs, account.focusedMs),
        unfocusedMs: Math.min(window.unfocusedMs, account.unfocusedMs),
      };
      account.focusedMs -= part.focusedMs;
      account.unfocusedMs -= part.unfocusedMs;
      viaPhp.set(windowKey(window), part);
    }
    return viaPhp;
  }

  async failed(windows: readonly QueuedWindow[], failure: unknown) {
    if (this.#options.use === 'always') return;
    if (failure instanceof StoreUnreachableError && failure.isUntouched) {
      await this.#unlock(movedOf(windows));
      return;
    }
    for (const { id } of windows) this.#possiblyStored.add(id);
  }

  #isPossiblyStored(id: number): boolean {
    return id <= this.#possiblyStoredUpToId || this.#possiblyStored.has(id);
  }

  /** Allows the posts of these windows again; those that the store may have stay locked. */
  async #unlock(moved: readonly QueuedWindow[]): Promise<void> {
    const doubtful = placesOf(moved.filter(({ id }) => this.#isPossiblyStored(id)));
    const locked = new Set(doubtful.map(placeKey));
    const places = placesOf(moved).filter((place) => !locked.has(placeKey(place)));
    if (places.length === 0) return;
    await this.#queue.run(() => this.#outbox.lockPosts(places, false));
    this.#poster.wake();
  }

  changesFor(
    windows: readonly QueuedWindow[],
    outcome: { readonly deliveredIds: readonly number[]; readonly setAside: readonly { readonly id: number }[] },
    viaPhp: TimeByWindow,
  ) {
    const delivered = new Set(outcome.deliveredIds);
    const refused = new Set(outcome.setAside.map(({ id }) => id));
    const nowMs = this.#queue.clock.nowMs();
    const isAlways = this.#options.use === 'always';
    if (isAlways) this.#returned = placesOf(movedOf(windows).filter(({ id }) => delivered.has(id)));
    return () => {
      for (const { id, window, isMoved } of windows) {
        if (!delivered.has(id) && !refused.has(id)) continue;
        const time = timeOf(window, nowMs);
        if (isAlways) {
          // The account of a moved window has its time already.
          if (!isMoved && delivered.has(id)) this.#outbox.add(time);
        } else if (isMoved) {
          const sent = viaPhp.get(windowKey(window)) ?? { focusedMs: 0, unfocusedMs: 0 };
          this.#outbox.remove({ ...time, sentFocusedMs: sent.focusedMs, sentUnfocusedMs: sent.unfocusedMs });
        }
      }
    };
  }

  delivered(deliveredIds: readonly number[]) {
    this.#unavailableSinceMs = null;
    for (const id of deliveredIds) this.#possiblyStored.delete(id);
    if (this.#options.use !== 'always') return;
    this.#poster.wake();
    for (const place of this.#returned) void this.#completeRows(place);
    this.#returned = [];
  }

  /** One after another: each looks for what the one before has written. */
  #completeRows(place: Place): Promise<void> {
    const { afterPost } = this.#database;
    if (afterPost === null || this.#options.use !== 'always') return Promise.resolve();
    return this.#afterPosts.run(() =>
      afterPost(place).catch((error: unknown) =>
        this.#queue.logger.warn(
          { code: 'focus_events_missing', ...place, error: describeError(error) },
          'focus_events are not written for time that went through PHP; the next post of the student tries again',
        ),
      ),
    );
  }

  storeUnavailable() {
    const { clock, logger } = this.#queue;
    const { fallbackAfterMs = FALLBACK_AFTER_MS } = this.#options;
    this.#unavailableSinceMs ??= clock.nowMs();
    this.#poster.pause(false);
    this.#stopMoving();
    const waitMs = Math.max(0, this.#unavailableSinceMs + fallbackAfterMs - clock.nowMs());
    this.#cancelMove = clock.after(waitMs, () => {
      this.#cancelMove = null;
      this.#mayMove = true;
      this.#moving = this.#moving
        .then(() => this.#moveAll())
        .catch((error: unknown) =>
          logger.error({ code: 'spool_failed', error: describeError(error) }, 'windows could not be moved to PHP'),
        );
    });
  }

  #stopMoving(): void {
    this.#mayMove = false;
    this.#cancelMove?.();
    this.#cancelMove = null;
  }

  /** Moves the time of waiting windows to PHP, page by page, until the next delivery begins. */
  async #moveAll(): Promise<void> {
    const { clock, logger } = this.#queue;
    let afterId = this.#possiblyStoredUpToId;
    let movedCount = 0;
    while (this.#mayMove) {
      const page = await this.#queue.notMoved(afterId, PAGE_SIZE);
      if (page.lastId === null) break;
      afterId = page.lastId;
      const windows = page.windows.filter(({ id }) => !this.#isPossiblyStored(id));
      if (windows.length === 0) continue;
      const nowMs = clock.nowMs();
      await this.#queue.markMoved(
        windows.map(({ id }) => id),
        () => {
          for (const { window } of windows) this.#outbox.add(timeOf(window, nowMs));
        },
      );
      movedCount += windows.length;
      this.#poster.wake();
    }
    if (movedCount === 0) return;
    logger.warn({ code: 'php_fallback', windows: movedCount }, 'MySQL is unavailable: time goes to the PHP endpoint');
  }

  async forgetStudent(userId: number) {
    const { run } = this.#queue;
    const modules = await run(() => this.#outbox.modulesOf(userId));
    await run(() => this.#outbox.forgetStudent(userId));
    // A post in flight ends first: the rows it makes are deleted with the others.
    for (const moduleId of modules) await this.#poster.whenIdle(userId, moduleId);
  }

  async close() {
    this.#stopMoving();
    await this.#moving;
    await this.#poster.close();
    await this.#afterPosts.run(async () => undefined);
  }
}
