import { MAX_COVER_MS } from '../../../shared/focus/tracker.ts';
import { captureClock, type SessionAccount, settleAccount } from '../account.ts';
import type { ConnectionContext, ConnectionEffect, ConnectionEvent } from './state.ts';
import { saveWindow } from './steps.ts';

/** From `atMs` of the capture clock on, time belongs to another lesson section. */
export interface SectionMove {
  readonly atMs: number;
  readonly sectionId: number | null;
}

interface Moved {
  readonly account: SessionAccount;
  readonly effects: readonly ConnectionEffect[];
}

/**
 * A student moves on. What happened before may still be on its way where the newest sample is long
 * before the move (an outage): then the move waits for the first sample after it (S-7).
 */
export function moveSection(account: SessionAccount, move: SectionMove, context: ConnectionContext): Moved {
  if (account.moves.length > 0 || move.atMs > account.lastCaptureMs + MAX_COVER_MS) {
    return { account: { ...account, moves: [...account.moves, move] }, effects: [] };
  }
  return enter(account, move, move.atMs, context);
}

/** The moves up to a moment of the capture clock are made: windows are cut there. */
export function crossMoves(account: SessionAccount, untilMs: number, context: ConnectionContext): Moved {
  let moved: Moved = { account, effects: [] };
  for (let next = account.moves[0]; next !== undefined && next.atMs <= untilMs; next = moved.account.moves[0]) {
    const { moves } = moved.account;
    const step = enter({ ...moved.account, moves: moves.slice(1) }, next, next.atMs, context);
    moved = { account: step.account, effects: [...moved.effects, ...step.effects] };
  }
  return moved;
}

/** Capture time of the sample that an event is about to count; null where it counts none. */
export function sampleTime(event: ConnectionEvent): number | null {
  if (event.type === 'observed') return event.frame.message.captureMs;
  return event.type === 'message' && event.message.kind !== 'frame' ? event.message.captureMs : null;
}

/** Time up to `atMs` belongs to the old section and mode: its window is cut before the new one begins. */
export function enter(
  account: SessionAccount,
  to: Pick<SessionAccount, 'sectionId'> & Partial<Pick<SessionAccount, 'mode'>>,
  atMs: number,
  context: ConnectionContext,
): Moved {
  const { sectionId, mode = account.mode } = to;
  if (sectionId === account.sectionId && mode === account.mode) return { account, effects: [] };
  const boundaryMs = Math.max(account.lastCaptureMs, Math.min(atMs, captureClock(account, context.nowMs)));
  const saved = saveWindow(settleAccount(account, boundaryMs), false);
  return { account: { ...saved.account, sectionId, mode }, effects: saved.effects };
}
