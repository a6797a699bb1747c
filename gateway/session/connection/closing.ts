import { faultMessage } from '../../../shared/protocol/control.ts';
import { CLOSE, closeCodeOf, ProtocolError } from '../../../shared/protocol/errors.ts';
import { settleAccount } from '../account.ts';
import { saveWindow } from './sections.ts';
import { type ConnectionEffect, type ConnectionStep, next, type Ready, type Stopping, type Tracking } from './state.ts';

/** Refused messages that a connection may send before it is closed. */
export const MAX_FAULTS = 50;

/** Sends the error, then closes. */
export function closeWith(error: ProtocolError, before: readonly ConnectionEffect[] = []): ConnectionStep {
  return next(
    { phase: 'ended' },
    ...before,
    { type: 'send', message: { ...faultMessage(error), fatal: true } },
    { type: 'close', code: closeCodeOf(error) ?? CLOSE.protocolViolation, reason: error.fault },
  );
}

/** The connection ends, the session may be resumed: what was counted is saved at once. Without an error the peer is gone already. */
export function detachSession(state: Ready | Tracking | Stopping, error: ProtocolError | null): ConnectionStep {
  const settled = state.phase === 'ready' ? state.account : settleAccount(state.account, state.account.lastCaptureMs);
  const { account, effects } = saveWindow(settled, false);
  const after: ConnectionEffect[] = [...effects, { type: 'detach', account }];
  return error === null ? next({ phase: 'ended' }, ...after) : closeWith(error, after);
}

/** The error that a peer gets where the gateway ends the connection by itself. */
export function closeReasonOf(type: 'superseded' | 'drain'): ProtocolError {
  return type === 'drain'
    ? new ProtocolError('shutting_down', 'the gateway restarts; connect again, nothing is lost')
    : new ProtocolError('superseded', 'tracking continues in another tab or window');
}

/** A message is refused with its code; the connection stays open unless it is one too many. */
export function refuse(state: Ready | Tracking | Stopping, error: ProtocolError, seq: number | null): ConnectionStep {
  const faults = state.faults + 1;
  if (faults > MAX_FAULTS) {
    const reason = `${faults} refused messages, the last: ${error.message}`;
    return detachSession(state, new ProtocolError('too_many_faults', reason));
  }
  return next({ ...state, faults }, { type: 'send', message: faultMessage(error, seq) });
}
