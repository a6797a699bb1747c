import { ProtocolError } from '../../../shared/protocol/errors.ts';
import { type BucketLimits, takeTokens } from '../token-bucket.ts';
import { detachSession } from './closing.ts';
import type { ConnectionContext, ConnectionStep, Ready, Stopping, Tracking } from './state.ts';

/**
 * How fast text messages and pings may come (C-6). Each may cut a window, which becomes a row: the burst is what a client
 * announces after an outage, the rate more than a student can click for long.
 */
export const CONTROL_LIMITS: BucketLimits = { perSecond: 2, burst: 120 };

/** The connection with one message less to send; or the step that ends it, where there was none left. */
export function takeControl<S extends Ready | Tracking | Stopping>(
  state: S,
  context: ConnectionContext,
): { readonly state: S } | { readonly ended: ConnectionStep } {
  const drawn = takeTokens(state.controlBucket, CONTROL_LIMITS, context.nowMs, 1);
  const after = { ...state, controlBucket: drawn.bucket };
  if (drawn.taken) return { state: after };
  const { burst, perSecond } = CONTROL_LIMITS;
  const reason = `more than ${burst} text messages at once, or ${perSecond} a second for long`;
  return { ended: detachSession(after, new ProtocolError('rate_exceeded', reason)) };
}
