import type { Calibration } from '../../shared/focus/calibration.ts';
import { skipObserving } from '../../shared/focus/tracker.ts';
import type { CalibrationStatus } from '../../shared/protocol/calibration.ts';
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
    tracker: { ...account.tracker, calibration },
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

/**
 * The account of a client that says which device it is. `found` is the newest calibration stored for the student on it, null when
 * there is none, `unknown` while it could not be determined: then a resumed session keeps what it has. One that this session made and that
 * could not be stored is newer than what is found, and stays.
 */
export function onDevice(
  account: SessionAccount,
  deviceId: string | null,
  found: DatedCalibration | null | 'unknown',
): SessionAccount {
  const placed = { ...account, deviceId };
  const isSameDevice = account.deviceId === deviceId;
  if (isSameDevice && (deviceId === null || found === 'unknown')) return placed;
  if (found === 'unknown') return withCalibration(placed, null);
  const isOlder = (found?.createdAtMs ?? 0) < (account.calibratedAtMs ?? 0);
  return isSameDevice && isOlder ? placed : withCalibration(placed, found);
}
