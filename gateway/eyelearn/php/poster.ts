import { type BackoffPolicy, backoffMs } from '../../../shared/backoff.ts';
import { describeError, RelayError } from '../../../shared/errors.ts';
import type { Clock } from '../../lib/clock.ts';
import type { Logger } from '../../lib/logger.ts';
import type { Mutex } from '../../lib/mutex.ts';
import { dueDelta, MAX_WAIT_MS, MIN_DELTA_S, type PhpAccount, type PhpDelta, unpostedOf } from './delta.ts';
import { type PhpOutbox, type Place, placeKey } from './outbox.ts';
import { postToPhp } from './post.ts';

const CONCURRENCY = 4;
const TIMEOUT_MS = 10_000;
const BACKOFF: BackoffPolicy = { firstMs: 1000, maxMs: 60_000 };

export interface PhpOptions {
  /** Address of the endpoint, http or https. */
  readonly url: string;
  readonly timeoutMs?: number;
  readonly minDeltaS?: number;
  readonly maxWaitMs?: number;
  readonly backoff?: BackoffPolicy;
}

export interface PhpPosterOptions extends PhpOptions {
  readonly outbox: PhpOutbox;
  /** The outbox takes one call at a time. */
  readonly run: Mutex['run'];
  readonly clock: Clock;
  readonly random: () => number;
  readonly logger: Logger;
  /** PHP has stored time of the student and module. */
  readonly onStored?: (place: Place) => void;
}

/** Posts the accounts' time to the PHP endpoint as it becomes due. */
export interface PhpPoster {
  /** Checks what is due and posts it. Returns at once. */
  wake(): void;
  /** Starts no posts while it is on: the database gets the time directly. */
  pause(isOn: boolean): void;
  /** Resolves when no post of this student and module is in flight. */
  whenIdle(userId: number, moduleId: number): Promise<void>;
  /** Starts no more posts, and resolves when none is in flight. */
  close(): Promise<void>;
}

/** A poster of the accounts in `outbox`; see PhpPoster. */
export function createPhpPoster(options: PhpPosterOptions): PhpPoster {
  const { url, outbox, run, clock, random, logger } = options;
  const { timeoutMs = TIMEOUT_MS, minDeltaS = MIN_DELTA_S, maxWaitMs = MAX_WAIT_MS, backoff = BACKOFF } = options;
  /** One post at a time for each student and module: the endpoint reads, adds and writes without a lock. */
  const busy = new Map<string, Promise<void>>();
  let failures = 0;
  let notBeforeMs = 0;
  let checking: Promise<void> | null = null;
  let checkAgain = false;
  let closed = false;
  let isPaused = false;
  let cancelTimer: (() => void) | null = null;

  async function post(account: PhpAccount, delta: PhpDelta): Promise<void> {
    const notedAtMs = clock.nowMs();
    const id = await run(() => outbox.begin(account, delta, notedAtMs));
    if (id === null) return;
    // A gateway that stood still meanwhile may have been given up by another one.
    const isLate = () => clock.nowMs() - notedAtMs >= timeoutMs;
    const outcome = await postToPhp(url, { ...account, ...delta }, timeoutMs, isLate);
    await run(() => outbox.end(id, outcome.kind, clock.nowMs()));
    if (outcome.kind === 'stored') {
      if (failures > 0) logger.info({ failures }, 'the PHP endpoint stores time again');
      failures = 0;
      options.onStored?.({ userId: account.userId, moduleId: account.moduleId });
      return;
    }
    const waitMs = backoffMs(backoff, failures, random);
    failures += 1;
    notBeforeMs = clock.nowMs() + waitMs;
    logger.warn(
      { code: `php_${outcome.kind}`, detail: outcome.detail, ...delta, retryInMs: waitMs },
      outcome.kind === 'refused'
        ? 'the PHP endpoint did not store time; it is posted again later'
        : 'it is not known whether the PHP endpoint stored time; it is not posted again before the database shows it',
    );
  }

  function start(account: PhpAccount, delta: PhpDelta): void {
    const key = placeKey(account);
    const posting = post(account, delta)
      .catch((error: unknown) => {
        const code = error instanceof RelayError ? error.code : 'spool_failed';
        logger.error({ code, reason: describeError(error) }, 'a PHP post could not be noted');
        notBeforeMs = clock.nowMs() + (code === 'part_lost' ? backoff.firstMs : backoff.maxMs);
      })
      .then(() => {
        busy.delete(key);
        wake();
      });
    busy.set(key, posting);
  }

  async function check(): Promise<void> {
    const [accounts, open] = await run(async () => [await outbox.accounts(), await outbox.openPosts()] as const);
    const nowMs = clock.nowMs();
    /** Until when the endpoint may still be at work on a post of a place, also of one that another gateway has sent. */
    const takenUntilMs = new Map<string, number>();
    for (const post of open) {
      takenUntilMs.set(placeKey(post), Math.max(takenUntilMs.get(placeKey(post)) ?? 0, post.postedAtMs + timeoutMs));
    }
    let nextMs = Number.POSITIVE_INFINITY;
    for (const account of accounts) {
      if (closed || isPaused) return;
      const { focusedS, unfocusedS } = unpostedOf(account);
      if (focusedS + unfocusedS === 0 || account.isLocked || busy.has(placeKey(account))) continue;
      const untilMs = takenUntilMs.get(placeKey(account)) ?? 0;
      if (untilMs > nowMs) {
        nextMs = Math.min(nextMs, untilMs);
        continue;
      }
      const delta = dueDelta(account, nowMs, minDeltaS, maxWaitMs);
      // While the endpoint fails it gets one post at a time.
      const room = busy.size < (failures > 0 ? 1 : CONCURRENCY);
      if (delta !== null && nowMs >= notBeforeMs && room) start(account, delta);
      else nextMs = Math.min(nextMs, Math.max(notBeforeMs, delta === null ? account.sinceMs + maxWaitMs : nowMs));
    }
    cancelTimer?.();
    // The end of a post in flight checks again.
    if (nextMs < Number.POSITIVE_INFINITY && (busy.size === 0 || nextMs > nowMs)) {
      cancelTimer = clock.after(Math.max(1, nextMs - nowMs), wake);
    }
  }

  function wake(): void {
    if (closed || isPaused) return;
    if (checking !== null) {
      checkAgain = true;
      return;
    }
    checking = check()
      .catch((error: unknown) =>
        logger.error({ code: 'spool_failed', reason: String(error) }, 'PHP accounts unreadable'),
      )
      .then(() => {
        checking = null;
        if (!checkAgain) return;
        checkAgain = false;
        wake();
      });
  }

  return {
    wake,
    pause(isOn) {
      isPaused = isOn;
      wake();
    },
    async whenIdle(userId, moduleId) {
      await checking;
      await busy.get(placeKey({ userId, moduleId }));
    },
    async close() {
      closed = true;
      cancelTimer?.();
      await checking;
      await Promise.all(busy.values());
    },
  };
}
