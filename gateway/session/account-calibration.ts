import { type Calibration, carriedOver } from '../../shared/focus/calibration.ts';
import { likelyScreenSize, type ScreenHint } from '../../shared/focus/likely-screen.ts';
import { CENTRE_VERSION, keptCentre, NO_CENTRE, WORTH_KEEPING_MS } from '../../shared/focus/own-centre.ts';
import { skipObserving } from '../../shared/focus/tracker.ts';
import type { FrameSize } from '../../shared/geometry.ts';
import type { CalibrationStatus } from '../../shared/protocol/calibration.ts';
import { keptOpenLevel } from '../../shared/vision/open-level.ts';
import type { CalibrationRecord } from '../store/calibrations.ts';
import type { SessionAccount } from './account.ts';

/** A calibration and when it was made, UTC ms. */
export interface DatedCalibration {
  readonly calibration: Calibration;
  readonly createdAtMs: number;
}

/** The account from now on under a calibration, or under none. The seed's rule knows none. */
export function withCalibration(account: SessionAccount, used: DatedCalibration | null): SessionAccount {
  const calibration = account.rule === 'seed' ? null : (used?.calibration ?? null);
  return {
    ...account,
    calibratedAtMs: calibration === null ? null : (used?.createdAtMs ?? null),
    tracker: { ...account.tracker, calibration, centre: NO_CENTRE },
  };
}

/** The account from now on with the camera and the screen that a `start` tells of. */
export function withView(
  account: SessionAccount,
  { camera, screen }: { readonly camera: FrameSize; readonly screen?: ScreenHint | undefined },
): SessionAccount {
  return {
    ...account,
    tracker: { ...account.tracker, view: { camera, screen: screen === undefined ? null : likelyScreenSize(screen) } },
  };
}

/** Takes note of a sample that is not to be counted: the time up to it is untracked. */
export function skipSample(account: SessionAccount, captureMs: number): SessionAccount {
  const atMs = Math.max(0, captureMs - account.pausedMs);
  return { ...account, tracker: skipObserving(account.tracker, atMs), lastCaptureMs: captureMs };
}

/** The calibration in use, as `welcome` names it; null without one. */
export function calibrationStatus(account: SessionAccount, nowMs: number): CalibrationStatus | null {
  const { calibration } = account.tracker;
  if (calibration === null || account.calibratedAtMs === null) return null;
  return {
    version: calibration.version,
    ageMs: Math.max(0, Math.round(nowMs - account.calibratedAtMs)),
    yawErrorDeg: calibration.validationYawDeg,
    pitchErrorDeg: calibration.validationPitchDeg,
  };
}

/** What was found of a student on a device: a calibration or an own centre. */
type DatedKept = Pick<CalibrationRecord, 'calibration' | 'createdAtMs'>;

/**
 * The account of a client that says which device it is. `found` is what is kept for the student on it, null when there is nothing,
 * `unknown` while that cannot be determined: then a resumed session keeps what it has. A calibration that this session made and
 * that could not be kept is newer than what is found, and stays; so does the centre that a resumed session has learnt.
 */
export function onDevice(
  account: SessionAccount,
  deviceId: string | null,
  found: DatedKept | null | 'unknown',
): SessionAccount {
  const placed = { ...account, deviceId };
  const isSameDevice = account.deviceId === deviceId;
  if (isSameDevice && (deviceId === null || found === 'unknown')) return placed;
  if (found === 'unknown' || found === null) return isSameDevice ? placed : withCalibration(placed, null);
  const { calibration, createdAtMs } = found;
  if ('centre' in calibration) {
    if (isSameDevice || account.rule === 'seed') return placed;
    const { tracker } = withCalibration(placed, null);
    const centre = keptCentre(calibration.centre);
    const openLevel = keptOpenLevel(calibration.openLevel);
    return { ...placed, calibratedAtMs: null, tracker: { ...tracker, centre, openLevel } };
  }
  const isNewer = createdAtMs > (account.calibratedAtMs ?? 0);
  if (isSameDevice && !isNewer) return placed;
  return withCalibration(placed, { calibration: carriedOver(calibration), createdAtMs });
}

/** The own centre that a session has learnt, to be kept for the next one; null where there is none worth it. */
export function centreRecordOf({ userId, deviceId, startedAtMs, tracker }: SessionAccount): CalibrationRecord | null {
  const { centre, openLevel, calibration, rule } = tracker;
  const isLearnt = rule === 'geometric' && calibration === null && centre.learntMs >= WORTH_KEEPING_MS;
  if (!isLearnt || deviceId === null || startedAtMs === null) return null;
  // By the session's start, so that a session that is resumed keeps one centre.
  return {
    userId,
    deviceId,
    createdAtMs: startedAtMs,
    pointCount: 0,
    calibration: { version: CENTRE_VERSION, centre, openLevel },
  };
}
