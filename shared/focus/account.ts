import type { Direction, FocusState } from '../direction.ts';
import type { CaptureBout, FocusTotals } from './focus.ts';

/** The kind of time a direction stands for. The one place where it is decided. */
export function stateOfDirection(direction: Direction): Exclude<FocusState, 'untracked'> {
  if (direction === 'centered') return 'focused';
  return direction === 'unknown' ? 'unknown' : 'unfocused';
}

/** Committed time of a session. Plain data; totals never decrease. `endMs` is where committed time ends. */
export interface Account {
  readonly endMs: number;
  readonly totals: FocusTotals;
  readonly openBout: CaptureBout | null;
  readonly closedBouts: readonly CaptureBout[];
}

export const EMPTY_TOTALS: FocusTotals = {
  focusedMs: 0,
  unfocusedMs: 0,
  unknownMs: 0,
  untrackedMs: 0,
  directionMs: {},
  focusBouts: 0,
  unfocusBouts: 0,
};

export const EMPTY_ACCOUNT: Account = { endMs: 0, totals: EMPTY_TOTALS, openBout: null, closedBouts: [] };

/** Ends the open bout, if there is one. */
export function closeBout(account: Account): Account {
  if (account.openBout === null) return account;
  return { ...account, openBout: null, closedBouts: [...account.closedBouts, account.openBout] };
}

/** Time up to `untilMs` as spent in `direction`. Nothing happens when that is not later than `endMs`. */
export function commitDirection(account: Account, direction: Direction, untilMs: number): Account {
  const ms = untilMs - account.endMs;
  if (ms <= 0) return account;
  const kind = stateOfDirection(direction);
  const { totals } = account;
  const directionMs = { ...totals.directionMs, [direction]: (totals.directionMs[direction] ?? 0) + ms };
  if (kind === 'unknown') {
    const added = { ...totals, unknownMs: totals.unknownMs + ms, directionMs };
    return { ...closeBout(account), endMs: untilMs, totals: added };
  }
  const goesOn = account.openBout?.kind === kind ? account.openBout : null;
  const begun = goesOn === null ? 1 : 0;
  const added: FocusTotals =
    kind === 'focused'
      ? { ...totals, focusedMs: totals.focusedMs + ms, focusBouts: totals.focusBouts + begun, directionMs }
      : { ...totals, unfocusedMs: totals.unfocusedMs + ms, unfocusBouts: totals.unfocusBouts + begun, directionMs };
  const base = goesOn === null ? closeBout(account) : account;
  const openBout =
    goesOn === null
      ? { kind, startMs: account.endMs, durationMs: ms }
      : { ...goesOn, durationMs: goesOn.durationMs + ms };
  return { ...base, endMs: untilMs, totals: added, openBout };
}

/** Time up to `untilMs` as not observed: neither focused nor unfocused, and the end of any bout. */
export function commitUntracked(account: Account, untilMs: number): Account {
  const ms = untilMs - account.endMs;
  if (ms <= 0) return account;
  const totals = { ...account.totals, untrackedMs: account.totals.untrackedMs + ms };
  return { ...closeBout(account), endMs: untilMs, totals };
}
