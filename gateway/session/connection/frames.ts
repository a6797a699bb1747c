import { MAX_COVER_MS, readingOf } from '../../../shared/focus/tracker.ts';
import type { FaceObservation } from '../../../shared/observation.ts';
import { implausibility } from '../../../shared/observation-check.ts';
import { ProtocolError, type ProtocolFault } from '../../../shared/protocol/errors.ts';
import type { ClientMessage, FrameMessage, ObservationMessage } from '../../../shared/protocol/frames.ts';
import { type Outcome, UPDATE_BYTES, type Update, wholeImageSizePx } from '../../../shared/protocol/update.ts';
import { nextCrop } from '../../../shared/vision/crop.ts';
import { isTimeToCountFaces } from '../../../shared/vision/face-count.ts';
import {
  accountTotals,
  addCounts,
  captureClock,
  countSample,
  isTimely,
  plainTotals,
  type SessionAccount,
} from '../account.ts';
import { skipSample } from '../account-calibration.ts';
import { noteReading } from '../calibration.ts';
import { isFrozen, noteFrame } from '../freeze.ts';
import { offerFrame, type RelayedFrame, releaseFrame } from '../relay-slot.ts';
import { noteObservation } from '../suspicion.ts';
import { type BucketLimits, takeTokens } from '../token-bucket.ts';
import { CALM_FPS, isCalm, noteCalm } from './calm.ts';
import { detachSession, refuse } from './closing.ts';
import {
  type Capturing,
  type ConnectionContext,
  type ConnectionEffect,
  type ConnectionEvent,
  type ConnectionState,
  type ConnectionStep,
  next,
  type Stopping,
  type Tracking,
} from './state.ts';

/** A face is not where it was after this long: the detector searches again. */
export const ROI_MAX_AGE_MS = 2000;
/** Pictures of an outage are kept in a page's memory: older ones come from nowhere (L-5, L-6). */
export const LATE_PICTURE_MAX_MS = 10 * 60_000;
/** A message that comes so long after its moment is late even without the flag. */
const LATE_AFTER_MS = 10_000;
/** What a late message costs of the allowed rate: an outage leaves many (L-3). */
export const LATE_COST = 0.25;

/** How fast messages may come. */
export function frameBucketLimits(context: ConnectionContext): BucketLimits {
  // Twice the operator's rate, so that clients with late messages, or with limits just lowered, are not punished.
  return { perSecond: context.maxFps * 2, burst: Math.max(10, context.maxFps * 4) };
}

/** A binary message of a tracking client: refused, dropped, or on its way to become an observation. */
export function receive(
  state: Tracking,
  event: Extract<ConnectionEvent, { type: 'message' }>,
  context: ConnectionContext,
): ConnectionStep {
  const { message } = event;
  const cost = message.late ? LATE_COST : 1;
  const drawn = takeTokens(state.frameBucket, frameBucketLimits(context), context.nowMs, cost);
  const arrived: Tracking = {
    ...state,
    frameBucket: drawn.bucket,
    account: addCounts(state.account, { framesReceived: 1, bytesUp: event.bytes }),
  };
  if (!drawn.taken) {
    return detachSession(
      arrived,
      new ProtocolError('rate_exceeded', `more than ${context.maxFps * 2} messages per second; obey maxFps and credit`),
    );
  }
  if (
    !isTimely(state.account, message.captureMs, context.nowMs) ||
    (state.account.lateOnly && !message.late) ||
    isTooLate(state.account, message.captureMs, context)
  ) {
    return acknowledge(dropped(arrived), message, 'out_of_order');
  }
  const misplaced = modeFault(state, message);
  if (misplaced !== null) return refuseMessage(arrived, misplaced, message);
  switch (message.kind) {
    case 'frame':
      return receiveFrame(arrived, message, event.digest, context);
    case 'same': {
      // Frames on their way will say more than a repetition of the one before them.
      if (state.slot.inFlight !== null) return acknowledge(dropped(arrived), message, 'superseded');
      const frozen = isFrozen(state.freeze, message.captureMs);
      return acknowledge(
        sampled(
          arrived,
          message.captureMs,
          frozen ? null : state.lastObservation,
          null,
          isLate(arrived, message, context),
        ),
        message,
        'processed',
      );
    }
    case 'observation':
      return receiveObservation(arrived, message, event.digest, isLate(arrived, message, context));
  }
}

/** True for what an outage held back for longer than the operator, or the kind of message, allows (L-6). */
function isTooLate({ clockZeroMs, mode }: SessionAccount, captureMs: number, context: ConnectionContext): boolean {
  if (clockZeroMs === null) return false;
  const maxMs = mode === 'device' ? context.lateMaxMs : Math.min(context.lateMaxMs, LATE_PICTURE_MAX_MS);
  return context.nowMs - clockZeroMs - captureMs > maxMs;
}

/** True for time that is reported afterwards, even if the message is not flagged late. */
function isLate(
  { account }: Capturing,
  message: Pick<ClientMessage, 'captureMs' | 'late'>,
  context: ConnectionContext,
): boolean {
  return message.late || captureClock(account, context.nowMs) - message.captureMs > LATE_AFTER_MS;
}

/** Where observations are made is announced and stored: messages of the other kind have no place (F-10). */
function modeFault(state: Tracking, { kind }: ClientMessage): ProtocolError | null {
  const { mode } = state.account;
  if (kind === 'same' || (kind === 'observation') === (mode === 'device')) return null;
  return new ProtocolError(
    'frame_mode',
    `${kind} messages do not belong to ${mode} mode; announce the mode with start`,
  );
}

function refuseMessage(state: Tracking, fault: ProtocolError, message: ClientMessage): ConnectionStep {
  const refused = refuse(dropped(state), fault, message.seq);
  if (refused.state.phase !== 'tracking') return refused;
  const acknowledged = acknowledge(refused.state, message, 'refused');
  return next(acknowledged.state, ...refused.effects, ...acknowledged.effects);
}

/** A face's numbers are compared with those before (S-10). */
function noted(state: Tracking, { observation }: ObservationMessage, digest: number | null): Tracking {
  if (observation.face === null || digest === null) return state;
  return { ...state, account: { ...state.account, suspicion: noteObservation(state.account.suspicion, digest) } };
}

function receiveObservation(
  before: Tracking,
  message: ObservationMessage,
  digest: number | null,
  late: boolean,
): ConnectionStep {
  const state = noted(before, message, digest);
  const { captureMs, observation } = message;
  const fault = implausibility(observation, state.camera);
  if (fault !== null) return refuseMessage(state, new ProtocolError('observation_invalid', fault), message);
  // An empty room looks the same for hours; a face's numbers change with every picture of a live camera.
  const seen = observation.face === null || digest === null ? -1 - captureMs : digest;
  const freeze = noteFrame(state.freeze, seen, captureMs);
  const frozen = isFrozen(freeze, captureMs);
  return acknowledge(observed({ ...state, freeze }, captureMs, observation, 0, late, frozen), message, 'processed');
}

function receiveFrame(
  state: Tracking,
  message: Extract<ClientMessage, { kind: 'frame' }>,
  digest: number | null,
  context: ConnectionContext,
): ConnectionStep {
  const fault = frameFault(state, message, context);
  if (fault !== null) return refuseMessage(state, fault, message);
  const step = offerFrame(state.slot, { message, receivedAtMs: context.nowMs });
  let after: Tracking = {
    ...state,
    slot: step.slot,
    freeze: digest === null ? state.freeze : noteFrame(state.freeze, digest, message.captureMs),
  };
  const effects: ConnectionEffect[] = [];
  if (step.superseded !== null) {
    const acknowledged = acknowledge(dropped(after), step.superseded.message, 'superseded');
    after = acknowledged.state as Tracking;
    effects.push(...acknowledged.effects);
  }
  if (step.send !== null) effects.push(infer(after, step.send));
  return next(after, ...effects);
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
  const { captureMs } = frame.message;
  const countFaces = fresh && isTimeToCountFaces(roi.captureMs, captureMs);
  return { type: 'infer', frame, camera: state.camera, roi: fresh ? roi.roi : null, countFaces };
}

const REFUSALS: Readonly<Record<string, ProtocolFault>> = {
  imageFormat: 'image_format',
  imageTooLarge: 'image_too_large',
  imageCorrupt: 'image_corrupt',
};

const REFUSAL_TEXT: Readonly<Record<string, string>> = {
  imageFormat: 'the image bytes are neither JPEG nor WebP',
  imageTooLarge: 'the picture has more pixels than inference takes; send at most 1280×960 or 960×1280',
  imageCorrupt: 'the picture is truncated or corrupt',
};

/** Inference answered the frame in flight, well or badly; the waiting one goes. */
export function answered(
  state: Tracking | Stopping,
  event: Extract<ConnectionEvent, { type: 'observed' | 'unserved' }>,
  context: ConnectionContext,
): ConnectionStep {
  if (state.slot.inFlight !== event.frame) return next(state);
  const released = releaseFrame(state.slot);
  const { message, receivedAtMs } = event.frame;
  const freed = { ...state, slot: released.slot };
  const effects: ConnectionEffect[] = [];
  let after: ConnectionState = freed;
  if (event.type === 'observed') {
    const timely = isTimely(state.account, message.captureMs, context.nowMs);
    const unusable = isFrozen(state.freeze, message.captureMs) || missesFace(message, event.observation);
    const counted = timely
      ? observed(
          freed,
          message.captureMs,
          event.observation,
          context.nowMs - receivedAtMs,
          isLate(freed, message, context),
          unusable,
        )
      : dropped(freed);
    const step = acknowledge(counted, message, timely ? 'processed' : 'out_of_order');
    after = step.state;
    effects.push(...step.effects);
  } else {
    const fault = REFUSALS[event.status];
    if (fault !== undefined) {
      const error = new ProtocolError(fault, REFUSAL_TEXT[event.status] ?? event.status);
      const refused = refuse(freed, error, message.seq);
      effects.push(...refused.effects);
      after = refused.state;
    }
    if (after.phase === 'tracking' || after.phase === 'stopping') {
      const step = acknowledge(dropped(after), message, fault === undefined ? 'unserved' : 'refused');
      after = step.state;
      effects.push(...step.effects);
    }
  }
  if (released.send !== null && (after.phase === 'tracking' || after.phase === 'stopping')) {
    effects.push(infer(after, released.send));
  }
  return next(after, ...effects);
}

/** During an outage the gateway could not say where the face went: a part of the frame without one says nothing (L-4). */
function missesFace({ late, fullFrame }: FrameMessage, { face }: FaceObservation): boolean {
  return late && !fullFrame && face === null;
}

function dropped<S extends Capturing>(state: S): S {
  return { ...state, account: addCounts(state.account, { framesDropped: 1 }) };
}

function sampled<S extends Capturing>(
  state: S,
  captureMs: number,
  observation: FaceObservation | null,
  gatewayMs: number | null,
  late: boolean,
): S {
  // A student who looks at calibration points neither attends nor turns away: that time is untracked (K-6).
  const counted =
    state.calibration === null
      ? countSample(state.account, captureMs, observation)
      : skipSample(state.account, captureMs);
  const account = addCounts(counted, {
    framesProcessed: 1,
    framesWithFace: observation?.face == null ? 0 : 1,
    gatewayMsSum: gatewayMs ?? 0,
    lateMs: late ? Math.min(captureMs - state.account.lastCaptureMs, MAX_COVER_MS) : 0,
  });
  return { ...state, account, calm: noteCalm(state.calm, captureMs, observation, account.tracker) };
}

function observed<S extends Capturing>(
  state: S,
  captureMs: number,
  observation: FaceObservation,
  gatewayMs: number,
  late: boolean,
  unusable = false,
): S {
  const { face } = observation;
  const { calibration } = state;
  return {
    ...sampled(state, captureMs, unusable ? null : observation, gatewayMs, late),
    lastObservation: observation,
    calibration: calibration === null || unusable ? calibration : noteReading(calibration, captureMs, observation),
    roi: face === null ? null : { roi: face.nextRoi, captureMs },
    nextCrop: nextCrop(observation, state.camera, state.nextCrop),
  };
}

/** True when fewer messages tell as much: the client must send at once what moves (U-8). */
function mayRest({ features, calibration, calm }: Capturing, captureMs: number): boolean {
  return features.includes('calm') && calibration === null && isCalm(calm, captureMs);
}

/** Every message of the hot path is answered by exactly one update (U-2). */
function acknowledge<S extends Capturing & ConnectionState>(
  state: S,
  message: Pick<ClientMessage, 'seq' | 'captureMs' | 'late'>,
  outcome: Outcome,
): { state: S; effects: ConnectionEffect[] } {
  const { limits } = state;
  const totals = accountTotals(state.account);
  const update: Update = {
    seq: message.seq,
    captureMs: message.captureMs,
    outcome,
    ...readingOf(state.account.tracker),
    ...plainTotals(totals),
    focusBouts: totals.focusBouts,
    unfocusBouts: totals.unfocusBouts,
    nextCrop: state.nextCrop,
    maxFps: mayRest(state, message.captureMs) ? Math.min(limits.maxFps, CALM_FPS) : limits.maxFps,
    credit: limits.credit,
    imageSizePx: state.nextCrop === null ? wholeImageSizePx(limits.imageSizePx) : limits.imageSizePx,
  };
  return {
    state: { ...state, account: addCounts(state.account, { bytesDown: UPDATE_BYTES }) },
    effects: [{ type: 'update', update, late: message.late }],
  };
}
