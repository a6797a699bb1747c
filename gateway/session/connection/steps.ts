import type { FocusTotals } from '../../../shared/focus/focus.ts';
import { faultMessage, type ServerControl } from '../../../shared/protocol/control.ts';
import { CLOSE, ProtocolError } from '../../../shared/protocol/errors.ts';
import { cutWindow, type SessionAccount, settleAccount } from '../account.ts';
import type { BucketLimits } from '../token-bucket.ts';
import type { ConnectionContext, ConnectionEffect, ConnectionState, ConnectionStep } from './state.ts';

/** Refused messages that a connection may send before it is closed. */
export const MAX_FAULTS = 50;

export type Ready = Extract<ConnectionState, { phase: 'ready' }>;
export type Tracking = Extract<ConnectionState, { phase: 'tracking' }>;
export type Stopping = Extract<ConnectionState, { phase: 'stopping' }>;

/** The same or another state, with effects in order. */
export function stay(state: ConnectionState, ...effects: ConnectionEffect[]): ConnectionStep {
  return { state, effects };
}

/** The peer is told why and let go. */
export function endWith(error: ProtocolError, before: readonly ConnectionEffect[] = []): ConnectionStep {
  return {
    state: { phase: 'ended' },
    effects: [
      ...before,
      { type: 'send', message: { ...faultMessage(error), fatal: true } as ServerControl },
      { type: 'close', code: error.closeCode ?? CLOSE.protocolViolation, reason: error.fault },
    ],
  };
}

/** The connection is over, the session may go on: what was counted is saved at once. */
export function leave(state: Ready | Tracking | Stopping, error: ProtocolError | null): ConnectionStep {
  const settled = state.phase === 'ready' ? state.account : settleAccount(state.account, state.account.lastCaptureMs);
  const { account, effects } = saveWindow(settled, false);
  const after: ConnectionEffect[] = [...effects, { type: 'detach', account }];
  return error === null ? { state: { phase: 'ended' }, effects: after } : endWith(error, after);
}

/** Cuts the window since the last one, if there is anything in it. */
export function saveWindow(account: SessionAccount, final: boolean) {
  const cut = cutWindow(account, final);
  const effects: ConnectionEffect[] = cut.window === null ? [] : [{ type: 'save', window: cut.window }];
  return { account: cut.account, effects };
}

/** A message is refused with its code; the connection goes on unless it is one too many. */
export function refuse(state: Ready | Tracking | Stopping, error: ProtocolError, seq: number | null): ConnectionStep {
  const faults = state.faults + 1;
  if (faults > MAX_FAULTS) {
    return leave(state, new ProtocolError('too_many_faults', `${faults} refused messages, the last: ${error.message}`));
  }
  const send: ConnectionEffect = { type: 'send', message: faultMessage(error, seq) };
  return stay({ ...state, faults }, send);
}

/** How fast messages may come. */
export function frameBucketLimits(context: ConnectionContext): BucketLimits {
  // Twice the allowed rate, so that clients who hold back after an outage are not punished.
  return { perSecond: context.limits.maxFps * 2, burst: Math.max(10, context.limits.maxFps * 4) };
}

/** Totals as messages carry them. */
export function plainTotals({ focusedMs, unfocusedMs, unknownMs, untrackedMs }: FocusTotals) {
  return { focusedMs, unfocusedMs, unknownMs, untrackedMs };
}
