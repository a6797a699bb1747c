import { readingOf } from '../../shared/focus/tracker.ts';
import type { FaceObservation } from '../../shared/observation.ts';
import { type ClientControl, faultMessage, type ServerControl } from '../../shared/protocol/control.ts';
import { CLOSE, ProtocolError, type ProtocolFault } from '../../shared/protocol/errors.ts';
import type { ClientMessage } from '../../shared/protocol/frames.ts';
import { type Outcome, UPDATE_BYTES, type Update } from '../../shared/protocol/update.ts';
import { nextCrop } from '../../shared/vision/crop.ts';
import {
  accountTotals,
  addCounts,
  captureClock,
  countSample,
  cutWindow,
  isTimely,
  type SessionAccount,
  settleAccount,
  startCapture,
  stopCapture,
  unflushedMs,
} from './account.ts';
import type {
  Capturing,
  ConnectionContext,
  ConnectionEffect,
  ConnectionEvent,
  ConnectionState,
  ConnectionStep,
} from './connection-state.ts';
import { isFrozen, NO_PICTURE, noteFrame } from './freeze.ts';
import { EMPTY_SLOT, offerFrame, type RelayedFrame, releaseFrame } from './relay-slot.ts';
import { type BucketLimits, fullBucket, takeTokens } from './token-bucket.ts';

/** From opening to hello, and for authentication: absolute, traffic does not extend it. */
export const HELLO_DEADLINE_MS = 5000;
/** How long a stop waits for the frame that is still being looked at. */
export const STOP_DEADLINE_MS = 2000;
/** A face is not where it was after this long: the detector searches again. */
export const ROI_MAX_AGE_MS = 2000;
/** Refused messages that a connection may send before it is closed. */
export const MAX_FAULTS = 50;
/** Longer side of the picture that searches for a face: small faces need more than a face crop's pixels. */
export const SEARCH_IMAGE_PX = 320;

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

function stay(state: ConnectionState, ...effects: ConnectionEffect[]): ConnectionStep {
  return { state, effects };
}

function endWith(error: ProtocolError, before: readonly ConnectionEffect[] = []): ConnectionStep {
  return {
    state: { phase: 'ended' },
    effects: [
      ...before,
      { type: 'send', message: { ...faultMessage(error), fatal: true } as ServerControl },
      { type: 'close', code: error.closeCode ?? CLOSE.protocolViolation, reason: error.fault },
    ],
  };
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
            totals: plainTotals(account),
            limits: context.limits,
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

type Ready = Extract<ConnectionState, { phase: 'ready' }>;

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
      }
      return stay(state);
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
    },
    { type: 'send', message: { type: 'started', atMs: account.lastCaptureMs } },
  );
}

type Tracking = Extract<ConnectionState, { phase: 'tracking' }>;
type Stopping = Extract<ConnectionState, { phase: 'stopping' }>;

function whenTracking(state: Tracking, event: ConnectionEvent, context: ConnectionContext): ConnectionStep {
  switch (event.type) {
    case 'control':
      return controlWhileTracking(state, event.message, context);
    case 'message':
      return receive(state, event, context);
    case 'observed':
    case 'unserved':
      return answered(state, event, context);
    case 'fault':
      return event.error.closeCode === null ? refuse(state, event.error, event.seq) : leave(state, event.error);
    case 'tick': {
      if (unflushedMs(state.account) < context.windowMs) return stay(state);
      const { account, effects } = saveWindow(state.account, false);
      return stay({ ...state, account }, ...effects);
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
      const { effects, account } = enterSection(state.account, message.sectionId, message.atMs, context);
      return stay(
        {
          ...state,
          account: { ...account, mode: message.mode },
          camera: message.camera,
          roi: null,
          nextCrop: null,
          lastObservation: null,
        },
        ...effects,
        { type: 'send', message: { type: 'started', atMs: account.lastCaptureMs } },
      );
    }
    case 'section': {
      const { effects, account } = enterSection(state.account, message.sectionId, message.atMs, context);
      return stay({ ...state, account }, ...effects);
    }
    case 'stop':
      if (state.slot.inFlight === null) return finish(state, message.atMs, context);
      return stay({ ...state, phase: 'stopping', atMs: message.atMs, sinceMs: context.nowMs });
    case 'hello':
      return refuse(state, new ProtocolError('control_unexpected', 'hello comes once per connection'), null);
  }
}

/** Time up to now belongs to the old section: its window is cut before the new one begins. */
function enterSection(account: SessionAccount, sectionId: number | null, atMs: number, context: ConnectionContext) {
  if (sectionId === account.sectionId) return { account, effects: [] };
  const boundaryMs = Math.max(account.lastCaptureMs, Math.min(atMs, captureClock(account, context.nowMs)));
  const saved = saveWindow(settleAccount(account, boundaryMs), false);
  return { account: { ...saved.account, sectionId }, effects: saved.effects };
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
  const { account, effects } = saveWindow(stopCapture(state.account, atMs, context.nowMs), true);
  return stay({ phase: 'ready', account, faults: state.faults, frameBucket: state.frameBucket }, ...effects, {
    type: 'stopped',
    account,
  });
}

/** The connection is over, the session may go on: what was counted is saved at once. */
function leave(state: Ready | Tracking | Stopping, error: ProtocolError | null): ConnectionStep {
  const settled = state.phase === 'ready' ? state.account : settleAccount(state.account, state.account.lastCaptureMs);
  const { account, effects } = saveWindow(settled, false);
  const after: ConnectionEffect[] = [...effects, { type: 'detach', account }];
  return error === null ? { state: { phase: 'ended' }, effects: after } : endWith(error, after);
}

function saveWindow(account: SessionAccount, final: boolean) {
  const cut = cutWindow(account, final);
  const effects: ConnectionEffect[] = cut.window === null ? [] : [{ type: 'save', window: cut.window }];
  return { account: cut.account, effects };
}

/** A message is refused with its code; the connection goes on unless it is one too many. */
function refuse(state: Ready | Tracking | Stopping, error: ProtocolError, seq: number | null): ConnectionStep {
  const faults = state.faults + 1;
  if (faults > MAX_FAULTS) {
    return leave(state, new ProtocolError('too_many_faults', `${faults} refused messages, the last: ${error.message}`));
  }
  const send: ConnectionEffect = { type: 'send', message: faultMessage(error, seq) };
  return stay({ ...state, faults }, send);
}

function frameBucketLimits(context: ConnectionContext): BucketLimits {
  // Twice the allowed rate, so that clients who hold back after an outage are not punished.
  return { perSecond: context.limits.maxFps * 2, burst: Math.max(10, context.limits.maxFps * 4) };
}

function receive(
  state: Tracking,
  event: Extract<ConnectionEvent, { type: 'message' }>,
  context: ConnectionContext,
): ConnectionStep {
  const { message } = event;
  const drawn = takeTokens(state.frameBucket, frameBucketLimits(context), context.nowMs, 1);
  const arrived: Tracking = {
    ...state,
    frameBucket: drawn.bucket,
    account: addCounts(state.account, { framesReceived: 1, bytesUp: event.bytes }),
  };
  if (!drawn.taken) {
    return leave(
      arrived,
      new ProtocolError(
        'rate_exceeded',
        `more than ${context.limits.maxFps} messages per second; obey maxFps and credit`,
      ),
    );
  }
  if (!isTimely(state.account, message.captureMs, context.nowMs)) {
    return acknowledge(dropped(arrived), message, 'out_of_order', context);
  }
  switch (message.kind) {
    case 'frame':
      return receiveFrame(arrived, message, event.digest, context);
    case 'same': {
      // Frames on their way will say more than a repetition of the one before them.
      if (state.slot.inFlight !== null) return acknowledge(dropped(arrived), message, 'superseded', context);
      const frozen = isFrozen(state.freeze, message.captureMs);
      return acknowledge(
        sampled(arrived, message.captureMs, frozen ? null : state.lastObservation, null),
        message,
        'processed',
        context,
      );
    }
    case 'observation':
      return acknowledge(observed(arrived, message.captureMs, message.observation, 0), message, 'processed', context);
  }
}

function receiveFrame(
  state: Tracking,
  message: Extract<ClientMessage, { kind: 'frame' }>,
  digest: string | null,
  context: ConnectionContext,
): ConnectionStep {
  const fault = frameFault(state, message, context);
  if (fault !== null) {
    const refused = refuse(dropped(state), fault, message.seq);
    if (refused.state.phase !== 'tracking') return refused;
    const acknowledged = acknowledge(refused.state, message, 'refused', context);
    return { state: acknowledged.state, effects: [...refused.effects, ...acknowledged.effects] };
  }
  const step = offerFrame(state.slot, { message, receivedAtMs: context.nowMs });
  let next: Tracking = {
    ...state,
    slot: step.slot,
    freeze: digest === null ? state.freeze : noteFrame(state.freeze, digest, message.captureMs),
  };
  const effects: ConnectionEffect[] = [];
  if (step.superseded !== null) {
    const acknowledged = acknowledge(dropped(next), step.superseded.message, 'superseded', context);
    next = acknowledged.state as Tracking;
    effects.push(...acknowledged.effects);
  }
  if (step.send !== null) effects.push(infer(next, step.send));
  return { state: next, effects };
}

function frameFault(
  state: Tracking,
  message: Extract<ClientMessage, { kind: 'frame' }>,
  context: ConnectionContext,
): ProtocolError | null {
  const { crop, image } = message;
  if (image.byteLength > context.limits.maxFrameBytes) {
    return new ProtocolError(
      'image_too_large',
      `${image.byteLength} bytes, at most ${context.limits.maxFrameBytes} are taken`,
    );
  }
  if (crop.xPx + crop.widthPx > state.camera.widthPx || crop.yPx + crop.heightPx > state.camera.heightPx) {
    return new ProtocolError(
      'frame_geometry',
      `the crop reaches outside the ${state.camera.widthPx}×${state.camera.heightPx} camera frame announced at start`,
    );
  }
  return null;
}

function infer(state: Capturing, frame: RelayedFrame): ConnectionEffect {
  const { roi } = state;
  const fresh = roi !== null && frame.message.captureMs - roi.captureMs <= ROI_MAX_AGE_MS;
  return { type: 'infer', frame, camera: state.camera, roi: fresh ? roi.roi : null };
}

const REFUSALS: Readonly<Record<string, ProtocolFault>> = {
  imageFormat: 'image_format',
  imageTooLarge: 'image_too_large',
  imageCorrupt: 'image_corrupt',
};

const REFUSAL_TEXT: Readonly<Record<string, string>> = {
  imageFormat: 'the image bytes are neither JPEG nor WebP',
  imageTooLarge: 'the picture has more pixels than inference takes; send at most 1280×960',
  imageCorrupt: 'the picture is truncated or corrupt',
};

function answered(
  state: Tracking | Stopping,
  event: Extract<ConnectionEvent, { type: 'observed' | 'unserved' }>,
  context: ConnectionContext,
): ConnectionStep {
  if (state.slot.inFlight !== event.frame) return stay(state);
  const released = releaseFrame(state.slot);
  const { message, receivedAtMs } = event.frame;
  const freed = { ...state, slot: released.slot };
  const effects: ConnectionEffect[] = [];
  let next: ConnectionState = freed;
  if (event.type === 'observed') {
    const timely = isTimely(state.account, message.captureMs, context.nowMs);
    const frozen = isFrozen(state.freeze, message.captureMs);
    const counted = timely
      ? observed(freed, message.captureMs, event.observation, context.nowMs - receivedAtMs, frozen)
      : dropped(freed);
    const step = acknowledge(counted, message, timely ? 'processed' : 'out_of_order', context);
    next = step.state;
    effects.push(...step.effects);
  } else {
    const fault = REFUSALS[event.status];
    if (fault !== undefined) {
      const error = new ProtocolError(fault, REFUSAL_TEXT[event.status] ?? event.status);
      const refused = refuse(freed, error, message.seq);
      effects.push(...refused.effects);
      next = refused.state;
    }
    if (next.phase === 'tracking' || next.phase === 'stopping') {
      const step = acknowledge(dropped(next), message, fault === undefined ? 'unserved' : 'refused', context);
      next = step.state;
      effects.push(...step.effects);
    }
  }
  if (released.send !== null && (next.phase === 'tracking' || next.phase === 'stopping')) {
    effects.push(infer(next, released.send));
  }
  return { state: next, effects };
}

function dropped<S extends Capturing>(state: S): S {
  return { ...state, account: addCounts(state.account, { framesDropped: 1 }) };
}

function sampled<S extends Capturing>(
  state: S,
  captureMs: number,
  observation: FaceObservation | null,
  gatewayMs: number | null,
): S {
  const counted = countSample(state.account, captureMs, observation);
  const account = addCounts(counted, {
    framesProcessed: 1,
    framesWithFace: observation?.face == null ? 0 : 1,
    gatewayMsSum: gatewayMs ?? 0,
  });
  return { ...state, account };
}

function observed<S extends Capturing>(
  state: S,
  captureMs: number,
  observation: FaceObservation,
  gatewayMs: number,
  frozen = false,
): S {
  const { face } = observation;
  return {
    ...sampled(state, captureMs, frozen ? null : observation, gatewayMs),
    lastObservation: observation,
    roi: face === null ? null : { roi: face.nextRoi, captureMs },
    nextCrop: nextCrop(observation, state.camera, state.nextCrop),
  };
}

function plainTotals(account: SessionAccount) {
  const { focusedMs, unfocusedMs, unknownMs, untrackedMs } = accountTotals(account);
  return { focusedMs, unfocusedMs, unknownMs, untrackedMs };
}

/** Every message of the hot path is answered by exactly one update (U-2). */
function acknowledge<S extends Capturing & ConnectionState>(
  state: S,
  message: { seq: number; captureMs: number },
  outcome: Outcome,
  context: ConnectionContext,
): { state: S; effects: ConnectionEffect[] } {
  const totals = accountTotals(state.account);
  const update: Update = {
    seq: message.seq,
    captureMs: message.captureMs,
    outcome,
    ...readingOf(state.account.tracker),
    ...plainTotals(state.account),
    focusBouts: totals.focusBouts,
    unfocusBouts: totals.unfocusBouts,
    nextCrop: state.nextCrop,
    maxFps: context.limits.maxFps,
    credit: context.limits.credit,
    imageSizePx:
      state.nextCrop === null ? Math.max(SEARCH_IMAGE_PX, context.limits.imageSizePx) : context.limits.imageSizePx,
  };
  return {
    state: { ...state, account: addCounts(state.account, { bytesDown: UPDATE_BYTES }) },
    effects: [{ type: 'update', update }],
  };
}
