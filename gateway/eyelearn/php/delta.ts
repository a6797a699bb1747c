/** What is known of the time that goes through PHP for one student, module and lesson section. */
export interface PhpAccount {
  readonly userId: number;
  readonly moduleId: number;
  /** Lesson section, 0 for none. */
  readonly sectionKey: number;
  /** Time to store, whole ms. */
  readonly focusedMs: number;
  readonly unfocusedMs: number;
  /** The part of it that PHP has confirmed as stored, whole ms. */
  readonly sentFocusedMs: number;
  readonly sentUnfocusedMs: number;
  /** The part that was posted and not confirmed yet: in flight or uncertain, whole seconds. */
  readonly openFocusedS: number;
  readonly openUnfocusedS: number;
  /** Arrival of the oldest time that has not been posted, UTC ms. */
  readonly sinceMs: number;
  /** A session has ended: there is no reason to wait for more time. */
  readonly isUrgent: boolean;
  /** The database may be taking this time just now: nothing is posted. */
  readonly isLocked: boolean;
}

/** Whole seconds of one post. */
export interface PhpDelta {
  readonly focusedS: number;
  readonly unfocusedS: number;
}

/** Few posts are better than many: parallel and frequent ones lose time in the endpoint. */
export const MIN_DELTA_S = 30;
/** A smaller one goes out after this. */
export const MAX_WAIT_MS = 120_000;

/** Whole seconds that have not been posted yet; the milliseconds beyond them stay for the next time. */
export function unpostedOf(account: PhpAccount): PhpDelta {
  const whole = (totalMs: number, sentMs: number, openS: number) =>
    Math.max(0, Math.floor((totalMs - sentMs) / 1000) - openS);
  return {
    focusedS: whole(account.focusedMs, account.sentFocusedMs, account.openFocusedS),
    unfocusedS: whole(account.unfocusedMs, account.sentUnfocusedMs, account.openUnfocusedS),
  };
}

/** What to post now, or null while waiting for more is better. */
export function dueDelta(account: PhpAccount, nowMs: number, minDeltaS: number, maxWaitMs: number): PhpDelta | null {
  const delta = unpostedOf(account);
  const totalS = delta.focusedS + delta.unfocusedS;
  if (totalS === 0 || account.isLocked) return null;
  const isDue = account.isUrgent || totalS >= minDeltaS || nowMs - account.sinceMs >= maxWaitMs;
  return isDue ? delta : null;
}

/** Most sums that chooseStored distinguishes: 24 MB. */
const MAX_SUMS = 4_000_000;
/** Most additions that it makes: about 0.1 s. */
const MAX_ADDITIONS = 10_000_000;

/**
 * Which of the posts with an unknown outcome were stored, given how much more the rows hold than all that is known to be in
 * them: the choice whose sum is that surplus, or comes closest from below in both kinds of time. It is a knapsack, solved over
 * the sums that can be reached; beyond these limits the largest posts that fit are taken.
 */
export function chooseStored(posts: readonly PhpDelta[], surplus: PhpDelta): boolean[] {
  const order = posts
    .map((post, index) => ({ ...post, index }))
    .sort((a, b) => b.focusedS + b.unfocusedS - a.focusedS - a.unfocusedS);
  const allOf = (pick: (post: PhpDelta) => number) => posts.reduce((sum, post) => sum + pick(post), 0);
  const focusedS = Math.min(
    surplus.focusedS,
    allOf((post) => post.focusedS),
  );
  const unfocusedS = Math.min(
    surplus.unfocusedS,
    allOf((post) => post.unfocusedS),
  );
  const best = bestSum(order, focusedS, unfocusedS);
  const chosen = posts.map((_, index) => best.chosen.has(index));
  let left = best.left;
  for (const { index, ...post } of order.slice(best.triedCount)) {
    if (post.focusedS > left.focusedS || post.unfocusedS > left.unfocusedS) continue;
    chosen[index] = true;
    left = { focusedS: left.focusedS - post.focusedS, unfocusedS: left.unfocusedS - post.unfocusedS };
  }
  return chosen;
}

/** The subset of the first `triedCount` posts with the largest sum within the limits, and what it leaves of them. */
function bestSum(
  order: readonly (PhpDelta & { readonly index: number })[],
  focusedS: number,
  unfocusedS: number,
): { readonly chosen: ReadonlySet<number>; readonly left: PhpDelta; readonly triedCount: number } {
  const width = unfocusedS + 1;
  const sumCount = (focusedS + 1) * width;
  if (sumCount > MAX_SUMS) return { chosen: new Set(), left: { focusedS, unfocusedS }, triedCount: 0 };
  // A sum's place in the order of the post that first reached it, from 1; 0: not reached.
  const reachedBy = new Uint16Array(sumCount);
  const reached = new Int32Array(sumCount);
  let reachedCount = 1;
  let best = { sum: 0, totalS: 0 };
  let additions = 0;
  let triedCount = 0;
  for (const post of order) {
    const count = reachedCount;
    additions += count;
    if (additions > MAX_ADDITIONS || best.totalS === focusedS + unfocusedS) break;
    triedCount += 1;
    for (let at = 0; at < count; at += 1) {
      const sum = reached[at] ?? 0;
      const sumFocusedS = Math.floor(sum / width) + post.focusedS;
      const sumUnfocusedS = (sum % width) + post.unfocusedS;
      if (sumFocusedS > focusedS || sumUnfocusedS > unfocusedS) continue;
      const next = sumFocusedS * width + sumUnfocusedS;
      if (next === 0 || reachedBy[next] !== 0) continue;
      reachedBy[next] = triedCount;
      reached[reachedCount] = next;
      reachedCount += 1;
      const totalS = sumFocusedS + sumUnfocusedS;
      if (totalS > best.totalS) best = { sum: next, totalS };
    }
  }
  const chosen = new Set<number>();
  for (let sum = best.sum; sum > 0; ) {
    const post = order[(reachedBy[sum] ?? 0) - 1];
    if (post === undefined) break;
    chosen.add(post.index);
    sum -= post.focusedS * width + post.unfocusedS;
  }
  const left = {
    focusedS: focusedS - Math.floor(best.sum / width),
    unfocusedS: unfocusedS - (best.sum % width),
  };
  return { chosen, left, triedCount };
}
