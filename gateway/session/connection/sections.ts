import { MAX_COVER_MS } from '../../../shared/focus/tracker.ts';
import { ProtocolError } from '../../../shared/protocol/errors.ts';
import { CLOCK_SLACK_MS, captureClock, type SectionSwitch, type SessionAccount, settleAccount } from '../account.ts';
import { skipSample } from '../account-calibration.ts';
import { cutWindow, unflushedMs } from '../account-windows.ts';
import type { ConnectionContext, ConnectionEffect, ConnectionEvent } from './state.ts';

/** Most switches that may wait for their first sample: more than the rate of text messages lets an outage leave (C-6). */
export const MAX_WAITING_SWITCHES = 256;

interface Changed {
  readonly account: SessionAccount;
  readonly effects: readonly ConnectionEffect[];
}

/** Cuts the window since the last one, if there is anything in it, and saves it. */
export function saveWindow(account: SessionAccount, final: boolean): Changed {
  const cut = cutWindow(account, final);
  return { account: cut.account, effects: cut.window === null ? [] : [{ type: 'save', window: cut.window }] };
}

/** Why a switch to another section is refused: it lies in the future, or too many wait already (S-7). */
export function switchFault(
  account: SessionAccount,
  to: SectionSwitch,
  context: ConnectionContext,
): ProtocolError | null {
  if (to.atMs > captureClock(account, context.nowMs) + CLOCK_SLACK_MS) {
    return new ProtocolError('control_invalid', `atMs: ${to.atMs} is ahead of the capture clock`);
  }
  if (account.switches.length < MAX_WAITING_SWITCHES) return null;
  return new ProtocolError('control_invalid', `${MAX_WAITING_SWITCHES} switches wait for their first sample already`);
}

/**
 * A student changes to another section. Samples from before the switch may still be on their way where the newest one is
 * long before it (an outage): then the switch waits for the first sample after it (S-7).
 */
export function scheduleSwitch(account: SessionAccount, to: SectionSwitch, context: ConnectionContext): Changed {
  if (account.switches.length > 0 || to.atMs > account.lastCaptureMs + MAX_COVER_MS) {
    return { account: { ...account, switches: [...account.switches, to] }, effects: [] };
  }
  return applySwitch(account, to, to.atMs, context);
}

/** Applies the switches up to a moment of the capture clock: windows are cut there. */
export function applyDueSwitches(account: SessionAccount, untilMs: number, context: ConnectionContext): Changed {
  let changed: Changed = { account, effects: [] };
  for (let due = account.switches[0]; due !== undefined && due.atMs <= untilMs; due = changed.account.switches[0]) {
    const switches = changed.account.switches.slice(1);
    const step = applySwitch({ ...changed.account, switches }, due, due.atMs, context);
    changed = { account: step.account, effects: [...changed.effects, ...step.effects] };
  }
  return changed;
}

/**
 * Time up to `untilMs` of the capture clock that another session of the student has is left out: the window is cut where it
 * begins, and the next one begins after it (S-9).
 */
function leaveOutTaken(account: SessionAccount, untilMs: number): Changed {
  let changed: Changed = { account, effects: [] };
  const { clockZeroMs } = account;
  if (clockZeroMs === null || account.stoppedAtMs !== null) return changed;
  for (const span of account.taken) {
    const { lastCaptureMs } = changed.account;
    const fromMs = Math.max(lastCaptureMs, Math.round(span.fromMs - clockZeroMs));
    const endMs = Math.min(untilMs, Math.round(span.untilMs - clockZeroMs));
    if (endMs <= fromMs) continue;
    const settled = settleAccount(changed.account, fromMs);
    // Messages within the span would each cut an empty window.
    const saved = unflushedMs(settled) > 0 ? saveWindow(settled, false) : { account: settled, effects: [] };
    const pausedMs = saved.account.pausedMs + endMs - fromMs;
    changed = {
      account: { ...saved.account, pausedMs, lastCaptureMs: endMs },
      effects: [...changed.effects, ...saved.effects],
    };
  }
  return changed;
}

/**
 * Leads the account up to `untilMs` of the capture clock without a window that lies on two days, or on time that another session
 * of the student has: windows are cut at each midnight of the database's time zone.
 */
export function leadTo(account: SessionAccount, untilMs: number, { dayEndsMs }: ConnectionContext): Changed {
  const { clockZeroMs, lastCaptureMs } = account;
  if (clockZeroMs === null || account.stoppedAtMs !== null) return { account, effects: [] };
  const midnights = dayEndsMs
    .map((dayEndMs) => Math.round(dayEndMs - clockZeroMs))
    .filter((endMs) => endMs > lastCaptureMs && endMs <= untilMs);
  const isObserved = untilMs - lastCaptureMs <= MAX_COVER_MS;
  const effects: ConnectionEffect[] = [];
  let led = account;
  for (const endMs of midnights) {
    const left = leaveOutTaken(led, endMs);
    const saved = saveWindow(isObserved ? settleAccount(left.account, endMs) : skipSample(left.account, endMs), false);
    led = saved.account;
    effects.push(...left.effects, ...saved.effects);
  }
  // A sample that comes next covers no time that was not observed.
  if (midnights.length > 0 && !isObserved) led = skipSample(led, Math.max(led.lastCaptureMs, untilMs - 1));
  const left = leaveOutTaken(led, untilMs);
  return { account: left.account, effects: [...effects, ...left.effects] };
}

/** Capture time of the sample that an event is about to count; null where it counts none. */
export function captureMsOf(event: ConnectionEvent): number | null {
  if (event.type === 'observed') return event.frame.message.captureMs;
  return event.type === 'message' && event.message.kind !== 'frame' ? event.message.captureMs : null;
}

/** Time up to `atMs` belongs to the old section and mode: its window is cut before the new one begins. */
export function applySwitch(
  account: SessionAccount,
  to: Pick<SessionAccount, 'sectionId'> & Partial<Pick<SessionAccount, 'mode'>>,
  atMs: number,
  context: ConnectionContext,
): Changed {
  const { sectionId, mode = account.mode } = to;
  if (sectionId === account.sectionId && mode === account.mode) return { account, effects: [] };
  const boundaryMs = Math.max(account.lastCaptureMs, Math.min(atMs, captureClock(account, context.nowMs)));
  const left = leadTo(account, boundaryMs, context);
  const saved = saveWindow(settleAccount(left.account, boundaryMs), false);
  return { account: { ...saved.account, sectionId, mode }, effects: [...left.effects, ...saved.effects] };
}
