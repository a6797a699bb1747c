import type { Clock } from '../../lib/clock.ts';
import type { Logger } from '../../lib/logger.ts';
import type { EyelearnDay } from '../../store/port.ts';
import { chooseStored } from './delta.ts';
import type { PhpTables, RememberedPost } from './outbox-tables.ts';

/** What the posts of one day were: decided from EyeLearn's rows of that day. */
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
 * Settles the uncertain posts of a student and module against EyeLearn's rows, now that these can be read.
 * Rejects with what `readDay` rejects with, and then leaves the rest for the next time.
 */
export async function settlePosts(
  place: { readonly userId: number; readonly moduleId: number },
  tables: PhpTables,
  run: <T>(task: () => Promise<T>) => Promise<T>,
  readDay: (userId: number, moduleId: number, atMs: number) => Promise<EyelearnDay | null>,
  clock: Clock,
  settleAfterMs: number,
  logger: Logger,
): Promise<void> {
  let hasWaited = false;
  for (;;) {
    const posts = await run(() => tables.postsOf(place.userId, place.moduleId));
    const uncertain = posts.find(({ status }) => status === 'uncertain');
    if (uncertain === undefined) return;
    let day = await readDay(place.userId, place.moduleId, uncertain.postedAtMs);
    if (!hasWaited) {
      // A post that hung on the same database goes on when that comes back, and may store only now.
      await new Promise<void>((resolve) => clock.after(settleAfterMs, resolve));
      hasWaited = true;
      day = await readDay(place.userId, place.moduleId, uncertain.postedAtMs);
    }
    // Without a table of EyeLearn's there is nothing that it could be in.
    const decisions = day === null ? [{ id: uncertain.id, isStored: false }] : decidePosts(posts, day);
    for (const { id, isStored } of decisions) {
      await run(() => tables.end(id, isStored ? 'stored' : 'refused', clock.nowMs()));
      logger.info({ post: id, isStored }, 'a PHP post with an unknown outcome is settled against the database');
    }
  }
}
