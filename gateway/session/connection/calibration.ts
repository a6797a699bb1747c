import type { Calibrated, CalibrateFinish, CalibrationRequest } from '../../../shared/protocol/calibration.ts';
import { ProtocolError } from '../../../shared/protocol/errors.ts';
import { type SessionAccount, settleAccount } from '../account.ts';
import { type DatedCalibration, withCalibration } from '../account-calibration.ts';
import {
  evaluate,
  FINISH_DEADLINE_MS,
  isAbandoned,
  lastMomentMs,
  type OpenCalibration,
  openCalibration,
  refusal,
} from '../calibration.ts';
import { refuse } from './closing.ts';
import { saveWindow } from './sections.ts';
import {
  type Capturing,
  type ConnectionContext,
  type ConnectionEffect,
  type ConnectionStep,
  next,
  type Ready,
  type Tracking,
} from './state.ts';

/** A calibration message while no capture runs: there is no calibration (K-1, K-3). */
export function calibrationOutsideCapture(state: Ready, { type }: CalibrationRequest): ConnectionStep {
  switch (type) {
    case 'calibrate':
      return refuse(
        state,
        new ProtocolError('control_unexpected', 'a calibration is made between start and stop'),
        null,
      );
    case 'calibrate_finish':
      return next(state, { type: 'send', message: refusal('not_open') });
    case 'calibrate_abort':
      return next(state);
  }
}

/** A calibration message while tracking. */
export function controlCalibration(
  state: Tracking,
  message: CalibrationRequest,
  context: ConnectionContext,
): ConnectionStep {
  const { effects } = interruption(state);
  switch (message.type) {
    case 'calibrate':
      if (state.account.rule === 'seed') return next(state, { type: 'send', message: refusal('rule') });
      return next({ ...state, calibration: openCalibration(context.nowMs) }, ...effects);
    case 'calibrate_finish': {
      if (state.calibration === null) return next(state, { type: 'send', message: refusal('not_open') });
      const finish = { request: message, sinceMs: context.nowMs };
      const step = next(
        { ...state, calibration: { ...state.calibration, heardAtMs: context.nowMs, finish } },
        ...effects,
      );
      return advanceCalibration(step, context);
    }
    case 'calibrate_abort':
      return next({ ...state, calibration: null }, ...effects);
  }
}

/** No calibration any more; a finish that waits for its answer gets it (K-3). */
export function interruption(state: { readonly calibration: OpenCalibration | null }): {
  readonly calibration: null;
  readonly effects: readonly ConnectionEffect[];
} {
  const waits = state.calibration?.finish != null;
  return { calibration: null, effects: waits ? [{ type: 'send', message: refusal('interrupted') }] : [] };
}

/** Whether a frame that may belong to one of the points is still at inference. */
function isAwaited({ slot }: Capturing, request: CalibrateFinish): boolean {
  const untilMs = lastMomentMs(request);
  return [slot.inFlight, slot.waiting].some((frame) => frame !== null && frame.message.captureMs <= untilMs);
}

/** After any step of a tracking connection: a finish that has all its frames is answered, an abandoned calibration ends. */
export function advanceCalibration(step: ConnectionStep, context: ConnectionContext): ConnectionStep {
  const { state } = step;
  if (state.phase !== 'tracking' || state.calibration === null) return step;
  const { finish } = state.calibration;
  if (finish === null) {
    return isAbandoned(state.calibration, context.nowMs) ? { ...step, state: { ...state, calibration: null } } : step;
  }
  const isLate = context.nowMs - finish.sinceMs >= FINISH_DEADLINE_MS;
  if (!isLate && isAwaited(state, finish.request)) return step;
  const answer = answerFinish(state, state.calibration, finish.request, context);
  return next(answer.state, ...step.effects, ...answer.effects);
}

function answerFinish(
  state: Tracking,
  open: OpenCalibration,
  request: CalibrateFinish,
  context: ConnectionContext,
): ConnectionStep {
  const outcome = evaluate(open, request, state.account.tracker.view ?? { camera: state.camera, screen: null });
  if (outcome.kind === 'too_few_readings') {
    const message = refusal(outcome.kind, outcome.points);
    return next({ ...state, calibration: { ...open, finish: null } }, { type: 'send', message });
  }
  const { calibration, points, pointCount, applied } = outcome;
  const message: Omit<Calibrated, 'kept'> = {
    type: 'calibrated',
    version: calibration.version,
    yawErrorDeg: calibration.validationYawDeg,
    pitchErrorDeg: calibration.validationPitchDeg,
    points: [...points],
    applied,
  };
  if (!applied) {
    return next({ ...state, calibration: null }, { type: 'send', message: { ...message, kept: false } });
  }
  const createdAtMs = Math.round(context.nowMs);
  const { account, effects } = applyCalibration(state.account, { calibration, createdAtMs });
  const { userId, deviceId } = account;
  const answer: ConnectionEffect =
    deviceId === null
      ? { type: 'send', message: { ...message, kept: false } }
      : { type: 'keep_calibration', record: { userId, deviceId, createdAtMs, pointCount, calibration }, message };
  return next({ ...state, account, calibration: null }, ...effects, answer);
}

/** The window so far belongs to the calibration before: it is cut first. */
function applyCalibration(account: SessionAccount, dated: DatedCalibration) {
  const saved = saveWindow(settleAccount(account, account.lastCaptureMs), false);
  return { account: withCalibration(saved.account, dated), effects: saved.effects };
}
