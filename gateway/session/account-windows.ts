import { takeBouts, totalsOf } from '../../shared/focus/tracker.ts';
import { diffTotals } from '../../shared/focus/windows.ts';
import type { MetricsWindow } from '../../shared/metrics-window.ts';
import { coveredMs, NO_COUNTS, type SessionAccount, settleAccount } from './account.ts';

/** Time decided since the last window, ms. */
export function unflushedMs(account: SessionAccount): number {
  return coveredMs(totalsOf(account.tracker)) - coveredMs(account.flushed);
}

/**
 * Cuts the window since the last one. The window is null when nothing happened and it need not
 * mark the end. UTC times follow from the tracker's clock, so windows join without overlap.
 */
export function cutWindow(
  account: SessionAccount,
  final: boolean,
): { account: SessionAccount; window: MetricsWindow | null } {
  const { startedAtMs, clockZeroMs } = account;
  if (startedAtMs === null || clockZeroMs === null) return { account, window: null };
  const totals = totalsOf(account.tracker);
  const delta = diffTotals(account.flushed, totals);
  const nothing = coveredMs(delta) === 0 && account.counts.framesReceived === 0;
  if (nothing && !final) return { account, window: null };
  const { state: tracker, bouts } = takeBouts(account.tracker);
  const trackerZeroMs = clockZeroMs + account.pausedMs;
  const window: MetricsWindow = {
    sessionId: account.sessionId,
    epoch: account.epoch,
    seq: account.seq,
    userId: account.userId,
    moduleId: account.moduleId,
    sectionId: account.sectionId,
    sessionStartedAtMs: startedAtMs,
    startedAtMs: trackerZeroMs + coveredMs(account.flushed),
    endedAtMs: trackerZeroMs + coveredMs(totals),
    focusedMs: delta.focusedMs,
    unfocusedMs: delta.unfocusedMs,
    unknownMs: delta.unknownMs,
    untrackedMs: delta.untrackedMs,
    directionMs: delta.directionMs,
    bouts: bouts.map((bout) => ({
      kind: bout.kind,
      startedAtMs: trackerZeroMs + bout.startMs,
      durationMs: bout.durationMs,
    })),
    ...account.counts,
    gatewayMsSum: Math.round(account.counts.gatewayMsSum),
    suspect: account.suspicion.reason,
    mode: account.mode,
    rule: account.rule,
    calibrationVersion: account.tracker.calibration?.version ?? null,
    calibratedAtMs: account.calibratedAtMs,
    final,
  };
  return {
    account: { ...account, tracker, flushed: totals, seq: account.seq + 1, counts: NO_COUNTS },
    window,
  };
}

/** The window that would be cut if the session ended at its newest sample; null when there is nothing in it. */
export function openWindow(account: SessionAccount): MetricsWindow | null {
  if (account.stoppedAtMs !== null) return null;
  return cutWindow(settleAccount(account, account.lastCaptureMs), false).window;
}
