import type { Direction, FocusState } from '../../shared/direction.ts';
import { MAX_COVER_MS, readingOf } from '../../shared/focus/tracker.ts';
import { accountTotals, captureClock, type SessionAccount } from './account.ts';

/** Phases of a connection with an admitted student. */
export type LivePhase = 'ready' | 'tracking' | 'stopping';

/** A student connected now, with the session's totals so far. UTC ms, durations in whole ms. */
export interface LiveSession {
  readonly sessionId: string;
  readonly userId: number;
  readonly moduleId: number;
  readonly sectionId: number | null;
  /** Null before the first start. */
  readonly startedAtMs: number | null;
  readonly phase: LivePhase;
  /** Null unless tracking. */
  readonly state: FocusState | null;
  readonly direction: Direction | null;
  readonly focusedMs: number;
  readonly trackedMs: number;
}

/** What can be said of a connected session at a moment (UTC ms): without samples for a while it is untracked. */
export function liveSession(account: SessionAccount, phase: LivePhase, nowMs: number): LiveSession {
  const totals = accountTotals(account);
  const reading = phase === 'tracking' && account.tracker.atMs !== null ? readingOf(account.tracker) : null;
  const silentMs = captureClock(account, nowMs) - account.lastCaptureMs;
  const silent = phase === 'tracking' && (reading === null || silentMs > MAX_COVER_MS);
  return {
    sessionId: account.sessionId,
    userId: account.userId,
    moduleId: account.moduleId,
    sectionId: account.sectionId,
    startedAtMs: account.startedAtMs,
    phase,
    state: silent ? 'untracked' : (reading?.state ?? null),
    direction: silent ? null : (reading?.direction ?? null),
    focusedMs: totals.focusedMs,
    trackedMs: totals.focusedMs + totals.unfocusedMs + totals.unknownMs,
  };
}
