import { EMPTY_TOTALS } from '../../shared/focus/account.ts';
import type { FocusTotals } from '../../shared/focus/focus.ts';
import { createFocusTracker, totalsOf } from '../../shared/focus/tracker.ts';
import type { MetricsWindow } from '../../shared/metrics-window.ts';
import { within } from '../lib/timeout.ts';
import { addTotals, rebuildAccount, type SessionAccount, settleAccount } from '../session/account.ts';
import { cutWindow } from '../session/account-windows.ts';
import { totalsOfReport } from '../session/sessions.ts';
import type { SessionReport } from '../store/port.ts';

/** The store and the queue are asked for so long: each may be away. */
const REPORT_WITHIN_MS = 800;

export interface ReviveDependencies {
  /** Resolves when the window is in the delivery queue. */
  readonly append: (window: MetricsWindow) => Promise<void>;
  /** What is stored of a session, everything delivered. Rejects with `store_unreachable`. */
  readonly findReport: (sessionId: string) => Promise<SessionReport | null>;
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
  const cut = cutWindow(settleAccount(account, account.lastCaptureMs), false);
  if (cut.window !== null) await deps.append(cut.window);
  const { sessionId } = account;
  const [report, pending] = await Promise.all([
    within(
      deps.findReport(sessionId).catch(() => null),
      REPORT_WITHIN_MS,
      null,
    ),
    within(
      deps.pendingFor(sessionId).catch(() => []),
      REPORT_WITHIN_MS,
      [],
    ),
  ]);
  const windows = [...(report?.windows ?? []), ...pending].filter((window) => isNewer(window, account, cut.window));
  const newest = windows.toSorted((one, other) => one.epoch - other.epoch || one.seq - other.seq).at(-1);
  if (newest === undefined) return cut.account;
  if (report !== null && report.endedAtMs >= newest.endedAtMs) {
    return continueFrom(account, { base: totalsOfReport(report), endedAtMs: report.endedAtMs, epoch: newest.epoch });
  }
  const distinct = new Map(windows.map((window) => [`${window.epoch} ${window.seq}`, window]));
  const flushed = addTotals(account.base, account.flushed);
  // Where the open window itself was saved after all it is among the newer ones, else its time is counted here.
  const isReplaced = distinct.has(`${account.epoch} ${account.seq}`);
  const begin = isReplaced ? flushed : addTotals(account.base, totalsOf(cut.account.tracker));
  const base = [...distinct.values()].reduce((sum, window) => addTotals(sum, totalsOfWindow(window)), begin);
  return continueFrom(account, { base, endedAtMs: newest.endedAtMs, epoch: newest.epoch });
}
