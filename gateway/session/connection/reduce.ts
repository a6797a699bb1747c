import type { ClientControl } from '../../../shared/protocol/control.ts';
import { ProtocolError } from '../../../shared/protocol/errors.ts';
import { accountTotals, captureClock, startCapture, stopCapture, unflushedMs } from '../account.ts';
import { calibrationStatus } from '../account-calibration.ts';
import { NO_PICTURE } from '../freeze.ts';
import { EMPTY_SLOT } from '../relay-slot.ts';
import { fullBucket } from '../token-bucket.ts';
import { advanceCalibration, calibrationOutsideCapture, controlCalibration, interruption } from './calibration.ts';
import { answered, receive } from './frames.ts';
import { crossMoves, enter, moveSection, sampleTime } from './sections.ts';
import type { ConnectionContext, ConnectionEvent, ConnectionState, ConnectionStep } from './state.ts';
import {
  endWith,
  frameBucketLimits,
  leave,
  plainTotals,
  type Ready,
  refuse,
  type Stopping,
  saveWindow,
  stay,
  type Tracking,
} from './steps.ts';

/** From opening to hello, and for authentication: absolute, traffic does not extend it. */
export const HELLO_DEADLINE_MS = 5000;
/** How long a stop waits for the frame that is still being looked at. */
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
      return stay(state);
  }
}

type Early = Extract<ConnectionState, { phase: 'awaiting_hello' | 'authenticating' }>;

function beforeAdmission(state: Early, event: ConnectionEvent, context: ConnectionContext): ConnectionStep {
  const waiting = state.phase === 'awaiting_hello';
  switch (event.type) {
    case 'control':
      if (waiting && event.message.type === 'hello') {
        return stay(
          { phase: 'authenticating', openedAtMs: state.openedAtMs },
          { type: 'authenticate', hello: event.message },
        );
      }
      return endWith(new ProtocolError('hello_expected', 'one hello comes first, then wait for welcome'));
    case 'message':
      return endWith(new ProtocolError('hello_expected', 'a binary message came before hello was answered'));
    case 'fault':
      return waiting && event.error.closeCode === null
        ? endWith(new ProtocolError('hello_expected', `hello comes first: ${event.error.message}`))
        : endWith(event.error);
    case 'admitted': {
      const { account } = event;
      const bucket = frameBucketLimits(context);
      return stay(
        { phase: 'ready', account, faults: 0, frameBucket: fullBucket(bucket, context.nowMs) },
        {
          type: 'send',
          message: {
            type: 'welcome',
            sessionId: account.sessionId,
            epoch: account.epoch,
            resume: event.resumeToken,
            resumed: event.resumed,
            clockMs: captureClock(account, context.nowMs),
            totals: plainTotals(accountTotals(account)),
            limits: context.limits,
            calibration: calibrationStatus(account, context.nowMs),
          },
        },
      );
    }
    case 'tick':
      return context.nowMs - state.openedAtMs >= HELLO_DEADLINE_MS
        ? endWith(new ProtocolError('hello_timeout', `no hello within ${HELLO_DEADLINE_MS / 1000} s of connecting`))
        : stay(state);
    case 'superseded':
    case 'drain':
      return endWith(farewell(event.type));
    case 'closed':
      return stay({ phase: 'ended' });
    default:
      return stay(state);
  }
}

function farewell(type: 'superseded' | 'drain'): ProtocolError {
  return type === 'drain'
    ? new ProtocolError('shutting_down', 'the gateway restarts; connect again, nothing is lost')
    : new ProtocolError('superseded', 'tracking goes on in another tab or window');
}

function whenReady(state: Ready, event: ConnectionEvent, context: ConnectionContext): ConnectionStep {
  switch (event.type) {
    case 'control':
      switch (event.message.type) {
        case 'start':
          return begin(state, event.message, context);
        case 'section':
          return stay({ ...state, account: { ...state.account, sectionId: event.message.sectionId } });
        case 'stop':
          return stay(state, { type: 'stopped', account: state.account });
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
      return event.error.closeCode === null ? refuse(state, event.error, event.seq) : leave(state, event.error);
    case 'superseded':
    case 'drain':
      return leave(state, farewell(event.type));
    case 'closed':
      return { state: { phase: 'ended' }, effects: [{ type: 'detach', account: state.account }] };
    default:
      return stay(state);
  }
}

function begin(
  state: Ready,
  start: Extract<ClientControl, { type: 'start' }>,
  context: ConnectionContext,
): ConnectionStep {
  const account = startCapture(state.account, start, context.nowMs);
  return stay(
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
      calibration: null,
    },
    { type: 'send', message: { type: 'started', atMs: account.lastCaptureMs } },
  );
}

function whenTracking(before: Tracking, event: ConnectionEvent, context: ConnectionContext): ConnectionStep {
  const atMs = sampleTime(event);
  const moved = atMs === null ? null : crossMoves(before.account, atMs, context);
  const state = moved === null ? before : { ...before, account: moved.account };
  const step = track(state, event, context);
  return moved === null ? step : { state: step.state, effects: [...moved.effects, ...step.effects] };
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
      return event.error.closeCode === null ? refuse(state, event.error, event.seq) : leave(state, event.error);
    case 'tick': {
      if (unflushedMs(state.account) < context.windowMs) return advanceCalibration(stay(state), context);
      const { account, effects } = saveWindow(state.account, false);
      return advanceCalibration(stay({ ...state, account }, ...effects), context);
    }
    case 'superseded':
    case 'drain':
      return leave(state, farewell(event.type));
    case 'closed':
      return leave(state, null);
    default:
      return stay(state);
  }
}

function controlWhileTracking(state: Tracking, message: ClientControl, context: ConnectionContext): ConnectionStep {
  switch (message.type) {
    case 'start': {
      // The camera's frame size changed (a phone was turned): regions of the old frame mean nothing.
      const { effects, account } = enter(state.account, message, message.atMs, context);
      const { calibration, effects: interrupted } = interruption(state);
      return stay(
        {
          ...state,
          account,
          calibration,
          camera: message.camera,
          roi: null,
          nextCrop: null,
          lastObservation: null,
          freeze: NO_PICTURE,
        },
        ...effects,
        ...interrupted,
        { type: 'send', message: { type: 'started', atMs: account.lastCaptureMs } },
      );
    }
    case 'section': {
      const { effects, account } = moveSection(state.account, message, context);
      return stay({ ...state, account }, ...effects);
    }
    case 'stop': {
      const { calibration, effects } = interruption(state);
      if (state.slot.inFlight !== null) {
        return stay(
          { ...state, calibration, phase: 'stopping', atMs: message.atMs, sinceMs: context.nowMs },
          ...effects,
        );
      }
      const finished = finish(state, message.atMs, context);
      return { state: finished.state, effects: [...effects, ...finished.effects] };
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
      const finished = finish(step.state, step.state.atMs, context);
      return { state: finished.state, effects: [...step.effects, ...finished.effects] };
    }
    case 'tick':
      return context.nowMs - state.sinceMs >= STOP_DEADLINE_MS ? finish(state, state.atMs, context) : stay(state);
    case 'superseded':
    case 'drain':
    case 'closed': {
      const finished = finish(state, state.atMs, context);
      return finished.state.phase === 'ready' ? chain(finished, event, context) : finished;
    }
    case 'control':
      // A client that stops and at once starts again does not wait for the last frame.
      return chain(finish(state, state.atMs, context), event, context);
    case 'message':
      return refuse(
        state,
        new ProtocolError('frame_not_started', 'frames come between start and stop'),
        event.message.seq,
      );
    default:
      return stay(state);
  }
}

function chain(step: ConnectionStep, event: ConnectionEvent, context: ConnectionContext): ConnectionStep {
  const next = reduceConnection(step.state, event, context);
  return { state: next.state, effects: [...step.effects, ...next.effects] };
}

function finish(state: Tracking | Stopping, atMs: number, context: ConnectionContext): ConnectionStep {
  const moved = crossMoves(state.account, atMs, context);
  const { account, effects } = saveWindow(stopCapture(moved.account, atMs, context.nowMs), true);
  return stay(
    { phase: 'ready', account, faults: state.faults, frameBucket: state.frameBucket },
    ...moved.effects,
    ...effects,
    {
      type: 'stopped',
      account,
    },
  );
}
