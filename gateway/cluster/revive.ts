import { EMPTY_TOTALS } from '../../shared/focus/account.ts';
import type { FocusTotals } from '../../shared/focus/focus.ts';
import { createFocusTracker, totalsOf } from '../../shared/focus/tracker.ts';
import type { MetricsWindow } from '../../shared/metrics-window.ts';
import { within } from '../lib/timeout.ts';
import { addTotals, rebuildAccount, type SessionAccount, settleAccount } from '../session/account.ts';
import { cutWindow } from '../session/account-windows.ts';
import type { SessionReport } from '../store/port.ts';

/** The store and the queue are each asked for so long: they may be unavailable. */
const ASK_WITHIN_MS = 400;

export interface ReviveDependencies {
  /** Resolves when the window is in the delivery queue. */
  readonly append: (window: MetricsWindow) => Promise<void>;
  /** What is stored of a session. Rejects with `store_unreachable`. */
  readonly storedReport: (sessionId: string) => Promise<SessionReport | null>;
  /** Windows of a session that are not in the store yet. */
  readonly pendingFor: (sessionId: string) => Promise<readonly MetricsWindow[]>;
}

function totalsOfWindow(window: MetricsWindow): FocusTotals {
  const { focusedMs, unfocusedMs, unknownMs, untrackedMs, bouts } = window;
  const focusBouts = bouts.filter(({ kind }) => kind === 'focused').length;
  return {
    ...EMPTY_TOTALS,
    focusedMs,
    unfocusedMs,
    unknownMs,
    untrackedMs,
    focusBouts,
    unfocusBouts: bouts.length - focusBouts,
  };
}

/** A later window of the session than `window`, or that window with more time in it. */
function isNewer(other: MetricsWindow, account: SessionAccount, window: MetricsWindow | null): boolean {
  if (other.epoch !== account.epoch) return other.epoch > account.epoch;
  if (other.seq !== account.seq) return other.seq > account.seq;
  return window === null || other.endedAtMs !== window.endedAtMs;
}

/** The session continues where what is stored ends; what it has learnt of the student stays. */
function continueFrom(
  account: SessionAccount,
  stored: { readonly base: FocusTotals; readonly endedAtMs: number; readonly epoch: number },
): SessionAccount {
  const { sessionId, userId, moduleId, rule, sectionId, mode, deviceId, calibratedAtMs, suspicion } = account;
  const { calibration, view, centre, openLevel } = account.tracker;
  const startedAtMs = account.startedAtMs ?? stored.endedAtMs;
  const { base, endedAtMs } = stored;
  return {
    ...rebuildAccount({ sessionId, userId, moduleId, rule, startedAtMs, endedAtMs, base }),
    epoch: Math.max(account.epoch, stored.epoch),
    tracker: createFocusTracker({ rule, calibration, view, centre, openLevel }),
    sectionId,
    mode,
    deviceId,
    calibratedAtMs,
    suspicion,
  };
}

/**
 * A session whose gateway is gone, from its last checkpoint: its open window is booked (once, for the window has the key that
 * the gateway would have given it), and the account continues after it, or after later windows that the gateway had saved.
 */
export async function revive(account: SessionAccount, deps: ReviveDependencies): Promise<SessionAccount> {
  const { sessionId } = account;
  const cut = cutWindow(settleAccount(account, account.lastCaptureMs), false);
  // In this order a window that is delivered meanwhile is found in the store.
  const pending = await within(
    deps.pendingFor(sessionId).catch(() => []),
    ASK_WITHIN_MS,
    [],
  );
  const report = await within(
    deps.storedReport(sessionId).catch(() => null),
    ASK_WITHIN_MS,
    null,
  );
  const found = [...(report?.windows ?? []), ...pending].filter((window) => isNewer(window, account, cut.window));
  const newer = new Map(found.map((window) => [`${window.epoch} ${window.seq}`, window]));
  const newest = [...newer.values()].toSorted((one, other) => one.epoch - other.epoch || one.seq - other.seq).at(-1);
  // The open window may have been saved after all, with more time in it.
  const isReplaced = newer.has(`${account.epoch} ${account.seq}`);
  if (cut.window !== null && !isReplaced) await deps.append(cut.window);
  if (newest === undefined) return cut.account;
  const own = isReplaced ? account.flushed : totalsOf(cut.account.tracker);
  const begin = addTotals(account.base, own);
  const base = [...newer.values()].reduce((sum, window) => addTotals(sum, totalsOfWindow(window)), begin);
  return continueFrom(account, { base, endedAtMs: newest.endedAtMs, epoch: newest.epoch });
}
