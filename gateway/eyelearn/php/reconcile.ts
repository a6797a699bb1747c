import type { Clock } from '../../lib/clock.ts';
import type { Logger } from '../../lib/logger.ts';
import type { EyelearnDay } from '../stored-day.ts';
import { chooseStored } from './delta.ts';
import type { PhpOutbox, Place, RememberedPost } from './outbox.ts';

/** Decides from EyeLearn's rows of one day which of its posts were stored. */
export function decidePosts(
  posts: readonly RememberedPost[],
  day: EyelearnDay,
): { readonly id: number; readonly isStored: boolean }[] {
  const ofDay = posts.filter(({ postedAtMs }) => postedAtMs >= day.fromMs && postedAtMs < day.untilMs);
  const stored = ofDay.filter(({ status }) => status === 'stored');
  const open = ofDay.filter(({ status }) => status !== 'stored');
  const isSplit = day.rowsFocusedS > 0 || day.ownFocusedS > 0 || stored.length === 0;
  const sum = (pick: (post: RememberedPost) => number) => stored.reduce((total, post) => total + pick(post), 0);
  const surplus = {
    focusedS: Math.max(0, day.rowsFocusedS - day.ownFocusedS - (isSplit ? sum((post) => post.focusedS) : 0)),
    unfocusedS: Math.max(0, day.rowsUnfocusedS - day.ownUnfocusedS - sum((post) => post.unfocusedS)),
  };
  const chosen = chooseStored(open, surplus);
  return open.map(({ id }, index) => ({ id, isStored: chosen[index] === true }));
}

/**
 * Decides the uncertain posts of a student and module from EyeLearn's rows, now that these can be read. `graceMs` is the time
 * that a PHP request which was blocked on the database gets to commit. Rejects with what `readDay` rejects with;
 * the rest is then left for the next time.
 */
export async function reconcilePosts(options: {
  readonly place: Place;
  readonly outbox: PhpOutbox;
  readonly run: <T>(task: () => Promise<T>) => Promise<T>;
  readonly readDay: (userId: number, moduleId: number, atMs: number) => Promise<EyelearnDay | null>;
  readonly clock: Clock;
  readonly graceMs: number;
  readonly logger: Logger;
}): Promise<void> {
  const { place, outbox, run, readDay, clock, graceMs, logger } = options;
  let hasWaited = false;
  for (;;) {
    const posts = await run(() => outbox.postsOf(place.userId, place.moduleId));
    const uncertain = posts.find(({ status }) => status === 'uncertain');
    if (uncertain === undefined) return;
    let day = await readDay(place.userId, place.moduleId, uncertain.postedAtMs);
    if (!hasWaited) {
      await new Promise<void>((resolve) => clock.after(graceMs, resolve));
      hasWaited = true;
      day = await readDay(place.userId, place.moduleId, uncertain.postedAtMs);
    }
    // Without a table of EyeLearn's there is no row that the post could be in.
    const decisions = day === null ? [{ id: uncertain.id, isStored: false }] : decidePosts(posts, day);
    for (const { id, isStored } of decisions) {
      await run(() => outbox.end(id, isStored ? 'stored' : 'refused', clock.nowMs()));
      logger.info({ post: id, isStored }, 'a PHP post with an unknown outcome is decided from the database');
    }
  }
}
