/** What is known of the time that goes through PHP for one student, module and lesson section. */
export interface PhpAccount {
  readonly userId: number;
  readonly moduleId: number;
  /** Lesson section, 0 for none. */
  readonly sectionKey: number;
  /** Time to store, whole ms. */
  readonly focusedMs: number;
  readonly unfocusedMs: number;
  /** What of it PHP has said to have stored, whole ms. */
  readonly sentFocusedMs: number;
  readonly sentUnfocusedMs: number;
  /** What has been posted without an answer that can be believed: under way, or uncertain; whole seconds. */
  readonly openFocusedS: number;
  readonly openUnfocusedS: number;
  /** When the oldest time came that has not been posted, UTC ms. */
  readonly sinceMs: number;
  /** A session has ended: nothing more will come that a post could wait for. */
  readonly isUrgent: boolean;
  /** The database may be taking this time just now: nothing is posted. */
  readonly isHeld: boolean;
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
  if (totalS === 0 || account.isHeld) return null;
  const isDue = account.isUrgent || totalS >= minDeltaS || nowMs - account.sinceMs >= maxWaitMs;
  return isDue ? delta : null;
}

/**
 * Which of the posts with an unknown outcome were stored, given how much more the rows hold than all that is known to be in
 * them: the choice whose sum is that difference, or comes closest from below. Posts are few, and all of those
 * of one student and module.
 */
export function chooseStored(posts: readonly PhpDelta[], surplus: PhpDelta): boolean[] {
  const chosen = posts.map(() => false);
  let left = surplus;
  const order = posts.map((_, index) => index).sort((a, b) => totalOf(posts[b]) - totalOf(posts[a]));
  let best = { missing: totalOf(left), chosen: [...chosen] };
  const visit = (position: number) => {
    if (totalOf(left) < best.missing) best = { missing: totalOf(left), chosen: [...chosen] };
    if (best.missing === 0) return;
    for (let next = position; next < order.length; next += 1) {
      const index = order[next] ?? 0;
      const post = posts[index];
      if (post === undefined || post.focusedS > left.focusedS || post.unfocusedS > left.unfocusedS) continue;
      chosen[index] = true;
      left = { focusedS: left.focusedS - post.focusedS, unfocusedS: left.unfocusedS - post.unfocusedS };
      visit(next + 1);
      left = { focusedS: left.focusedS + post.focusedS, unfocusedS: left.unfocusedS + post.unfocusedS };
      chosen[index] = false;
      if (best.missing === 0) return;
    }
  };
  visit(0);
  return best.chosen;
}

function totalOf(delta: PhpDelta | undefined): number {
  return delta === undefined ? 0 : delta.focusedS + delta.unfocusedS;
}
