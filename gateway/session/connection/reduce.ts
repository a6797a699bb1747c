import type { Mode } from '../../../shared/direction.ts';
import type { ClientControl } from '../../../shared/protocol/control.ts';
import { closeCodeOf, ProtocolError } from '../../../shared/protocol/errors.ts';
import { agreedFeatures } from '../../../shared/protocol/features.ts';
import { accountTotals, captureClock, isTimely, plainTotals, startCapture, stopCapture } from '../account.ts';
import { calibrationStatus, withView } from '../account-calibration.ts';
import { unflushedMs } from '../account-windows.ts';
import { NO_PICTURE } from '../freeze.ts';
import { EMPTY_SLOT } from '../relay-slot.ts';
import { fullBucket } from '../token-bucket.ts';
import { advanceCalibration, calibrationOutsideCapture, controlCalibration, interruption } from './calibration.ts';
import { NOT_CALM } from './calm.ts';
import { closeReasonOf, closeWith, detachSession, refuse } from './closing.ts';
import { CONTROL_LIMITS, takeControl } from './control-rate.ts';
import { answered, frameBucketLimits, receive } from './frames.ts';
import {
  applyDueSwitches,
  applySwitch,
  captureMsOf,
  leadTo,
  saveWindow,
  scheduleSwitch,
  switchFault,
} from './sections.ts';
import {
  type ConnectionContext,
  type ConnectionEvent,
  type ConnectionState,
  type ConnectionStep,
  next,
  type Ready,
  type StopMessage,
  type Stopping,
  type Tracking,
} from './state.ts';

/** From opening to hello, and for authentication: absolute, traffic does not extend it. */
export const HELLO_DEADLINE_MS = 5000;
/** How long a stop waits for the frame that is still at inference. */
export const STOP_DEADLINE_MS = 2000;

/** The state of a connection just opened. */
export function openConnection(nowMs: number): ConnectionState {
  return { phase: 'awaiting_hello', openedAtMs: nowMs };
}

/**
 * One step of a student's connection: pure. Sockets, timers, stores and inference are edges that
 * feed events in and carry effects out, in order.
 */
export function reduceConnection(
  state: ConnectionState,
  event: ConnectionEvent,
  context: ConnectionContext,
): ConnectionStep {
  const step = reducePhase(state, event, context);
  return event.type === 'tick' ? announceLimits(step, context) : step;
}

/** A client whose limits have changed is informed (U-7). */
function announceLimits(step: ConnectionStep, { limits }: ConnectionContext): ConnectionStep {
  const { state, effects } = step;
  if (!('limits' in state) || state.limits === limits) return step;
  const reason = limits.maxFps < state.limits.maxFps ? 'overloaded' : 'recovered';
  return next({ ...state, limits }, ...effects, { type: 'send', message: { type: 'limits', limits, reason } });
}

function reducePhase(before: ConnectionState, event: ConnectionEvent, context: ConnectionContext): ConnectionStep {
  if (event.type === 'lost') return before.phase === 'ended' ? next(before) : closeWith(closeReasonOf(event.reason));
  let state = before;
  const isPaced = event.type === 'control' || event.type === 'ping';
  if (isPaced && (state.phase === 'ready' || state.phase === 'tracking' || state.phase === 'stopping')) {
    const taken = takeControl(state, context);
    if ('ended' in taken) return taken.ended;
    state = taken.state;
  }
  switch (state.phase) {
    case 'awaiting_hello':
    case 'authenticating':
      return beforeAdmission(state, event, context);
    case 'ready':
      return whenReady(state, event, context);
    case 'tracking':
      return whenTracking(state, event, context);
    case 'stopping':
      return whenStopping(state, event, context);
    case 'ended':
      return next(state);
  }
}

type Early = Extract<ConnectionState, { phase: 'awaiting_hello' | 'authenticating' }>;

function beforeAdmission(state: Early, event: ConnectionEvent, context: ConnectionContext): ConnectionStep {
  const waiting = state.phase === 'awaiting_hello';
  switch (event.type) {
    case 'control':
      if (waiting && event.message.type === 'hello') {
        return next(
          {
            phase: 'authenticating',
            openedAtMs: state.openedAtMs,
            features: agreedFeatures(event.message.features ?? [], context.features),
          },
          { type: 'authenticate', hello: event.message },
        );
      }
      return closeWith(new ProtocolError('hello_expected', 'one hello comes first, then wait for welcome'));
    case 'message':
      return closeWith(new ProtocolError('hello_expected', 'a binary message came before hello was answered'));
    case 'fault':
      return waiting && closeCodeOf(event.error) === null
        ? closeWith(new ProtocolError('hello_expected', `hello comes first: ${event.error.message}`))
        : closeWith(event.error);
    case 'admitted': {
      const { account } = event;
      const features = 'features' in state ? state.features : [];
      const bucket = frameBucketLimits(context);
      return next(
        {
          phase: 'ready',
          account,
          faults: 0,
          frameBucket: fullBucket(bucket, context.nowMs),
          controlBucket: fullBucket(CONTROL_LIMITS, context.nowMs),
          limits: context.limits,
          features,
        },
        {
          type: 'send',
          message: {
            type: 'welcome',
            sessionId: account.sessionId,
            epoch: account.epoch,
            resume: event.resumeToken,
            resumed: event.resumed,
            ...(features.includes('late') && { late: event.lateToken }),
            clockMs: captureClock(account, context.nowMs),
            totals: plainTotals(accountTotals(account)),
            limits: context.limits,
            calibration: calibrationStatus(account, context.nowMs),
            features: [...features],
          },
        },
      );
    }
    case 'tick':
      return context.nowMs - state.openedAtMs >= HELLO_DEADLINE_MS
        ? closeWith(new ProtocolError('hello_timeout', `no hello within ${HELLO_DEADLINE_MS / 1000} s of connecting`))
        : next(state);
    case 'superseded':
    case 'drain':
      return closeWith(closeReasonOf(event.type));
    case 'closed':
      return next({ phase: 'ended' });
    default:
      return next(state);
  }
}

function whenReady(state: Ready, event: ConnectionEvent, context: ConnectionContext): ConnectionStep {
  switch (event.type) {
    case 'control':
      switch (event.message.type) {
        case 'start': {
          const fault = startFault(event.message, context);
          return fault === null ? begin(state, event.message, context) : refuse(state, fault, null);
        }
        case 'section':
          return next({ ...state, account: { ...state.account, sectionId: event.message.sectionId } });
        case 'stop':
          return next(state, { type: 'stopped', account: state.account });
        case 'hello':
          return refuse(state, new ProtocolError('control_unexpected', 'hello comes once per connection'), null);
        default:
          return calibrationOutsideCapture(state, event.message);
      }
    case 'message':
      return refuse(
        state,
        new ProtocolError('frame_not_started', 'frames come between start and stop'),
        event.message.seq,
      );
    case 'fault':
      return closeCodeOf(event.error) === null
        ? refuse(state, event.error, event.seq)
        : detachSession(state, event.error);
    case 'superseded':
    case 'drain':
      return detachSession(state, closeReasonOf(event.type));
    case 'closed':
      return next({ phase: 'ended' }, { type: 'detach', account: state.account });
    default:
      return next(state);
  }
}

/** A mode that the operator does not allow (S-8). */
function startFault({ mode }: { readonly mode: Mode }, { allowedModes }: ConnectionContext): ProtocolError | null {
  if (allowedModes.includes(mode)) return null;
  return new ProtocolError('control_unexpected', `this gateway takes ${allowedModes.join(' and ')} mode alone`);
}

function begin(
  state: Ready,
  start: Extract<ClientControl, { type: 'start' }>,
  context: ConnectionContext,
): ConnectionStep {
  const account = withView(startCapture(state.account, start, context.nowMs), start);
  return next(
    {
      ...state,
      phase: 'tracking',
      account,
      camera: start.camera,
      slot: EMPTY_SLOT,
      freeze: NO_PICTURE,
      lastObservation: null,
      roi: null,
      nextCrop: null,
      calm: NOT_CALM,
      calibration: null,
    },
    { type: 'send', message: { type: 'started', atMs: account.lastCaptureMs } },
  );
}

function whenTracking(before: Tracking, event: ConnectionEvent, context: ConnectionContext): ConnectionStep {
  const atMs = captureMsOf(event);
  if (atMs === null || !isTimely(before.account, atMs, context.nowMs)) return track(before, event, context);
  const switched = applyDueSwitches(before.account, atMs, context);
  const left = leadTo(switched.account, atMs, context);
  const step = track({ ...before, account: left.account }, event, context);
  return next(step.state, ...switched.effects, ...left.effects, ...step.effects);
}

function track(state: Tracking, event: ConnectionEvent, context: ConnectionContext): ConnectionStep {
  switch (event.type) {
    case 'control':
      return controlWhileTracking(state, event.message, context);
    case 'message':
      return advanceCalibration(receive(state, event, context), context);
    case 'observed':
    case 'unserved':
      return advanceCalibration(answered(state, event, context), context);
    case 'fault':
      return closeCodeOf(event.error) === null
        ? refuse(state, event.error, event.seq)
        : detachSession(state, event.error);
    case 'tick': {
      if (unflushedMs(state.account) < context.windowMs) return advanceCalibration(next(state), context);
      const { account, effects } = saveWindow(state.account, false);
      return advanceCalibration(next({ ...state, account }, ...effects), context);
    }
    case 'superseded':
    case 'drain':
      return detachSession(state, closeReasonOf(event.type));
    case 'closed':
      return detachSession(state, null);
    default:
      return next(state);
  }
}

function controlWhileTracking(state: Tracking, message: ClientControl, context: ConnectionContext): ConnectionStep {
  switch (message.type) {
    case 'start': {
      const fault = startFault(message, context);
      if (fault !== null) return refuse(state, fault, null);
      // The camera's frame size changed (a phone was turned): regions of the old frame mean nothing.
      const { effects, account } = applySwitch(state.account, message, message.atMs, context);
      const { calibration, effects: interrupted } = interruption(state);
      return next(
        {
          ...state,
          account: withView(account, message),
          calibration,
          camera: message.camera,
          roi: null,
          nextCrop: null,
          calm: NOT_CALM,
          lastObservation: null,
          freeze: NO_PICTURE,
        },
        ...effects,
        ...interrupted,
        { type: 'send', message: { type: 'started', atMs: account.lastCaptureMs } },
      );
    }
    case 'section': {
      const fault = switchFault(state.account, message, context);
      if (fault !== null) return refuse(state, fault, null);
      const { effects, account } = scheduleSwitch(state.account, message, context);
      return next({ ...state, account }, ...effects);
    }
    case 'stop': {
      const { calibration, effects } = interruption(state);
      if (state.slot.inFlight !== null) {
        return next({ ...state, calibration, phase: 'stopping', stop: message, sinceMs: context.nowMs }, ...effects);
      }
      const finished = finish(state, message, context);
      return next(finished.state, ...effects, ...finished.effects);
    }
    case 'hello':
      return refuse(state, new ProtocolError('control_unexpected', 'hello comes once per connection'), null);
    default:
      return controlCalibration(state, message, context);
  }
}

function whenStopping(state: Stopping, event: ConnectionEvent, context: ConnectionContext): ConnectionStep {
  switch (event.type) {
    case 'observed':
    case 'unserved': {
      const step = answered(state, event, context);
      if (step.state.phase !== 'stopping' || step.state.slot.inFlight !== null) return step;
      const finished = finish(step.state, step.state.stop, context);
      return next(finished.state, ...step.effects, ...finished.effects);
    }
    case 'tick':
      return context.nowMs - state.sinceMs >= STOP_DEADLINE_MS ? finish(state, state.stop, context) : next(state);
    case 'superseded':
    case 'drain':
    case 'closed': {
      const finished = finish(state, state.stop, context);
      return finished.state.phase === 'ready' ? chain(finished, event, context) : finished;
    }
    case 'control':
      // A client that stops and at once starts again does not wait for the last frame.
      return chain(finish(state, state.stop, context), event, context);
    case 'fault':
      return closeCodeOf(event.error) === null
        ? refuse(state, event.error, event.seq)
        : chain(finish(state, state.stop, context), event, context);
    case 'message':
      return refuse(
        state,
        new ProtocolError('frame_not_started', 'frames come between start and stop'),
        event.message.seq,
      );
    default:
      return next(state);
  }
}

function chain(step: ConnectionStep, event: ConnectionEvent, context: ConnectionContext): ConnectionStep {
  const after = reduceConnection(step.state, event, context);
  return next(after.state, ...step.effects, ...after.effects);
}

function finish(state: Tracking | Stopping, { atMs, reason }: StopMessage, context: ConnectionContext): ConnectionStep {
  const switched = applyDueSwitches(state.account, atMs, context);
  const stopMs = Math.min(atMs, captureClock(switched.account, context.nowMs));
  const left = leadTo(switched.account, stopMs, context);
  const { account, effects } = saveWindow(stopCapture(left.account, atMs, context.nowMs, reason ?? null), true);
  return next(
    {
      phase: 'ready',
      account,
      faults: state.faults,
      frameBucket: state.frameBucket,
      controlBucket: state.controlBucket,
      limits: state.limits,
      features: state.features,
    },
    ...switched.effects,
    ...left.effects,
    ...effects,
    {
      type: 'stopped',
      account,
    },
  );
}
