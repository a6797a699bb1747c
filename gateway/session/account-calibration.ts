import { type Calibration, carriedOver } from '../../shared/focus/calibration.ts';
import { likelyScreenSize, type ScreenHint } from '../../shared/focus/likely-screen.ts';
import { NO_CENTRE } from '../../shared/focus/own-centre.ts';
import { skipObserving } from '../../shared/focus/tracker.ts';
import type { FrameSize } from '../../shared/geometry.ts';
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
  const isNewer = (found?.createdAtMs ?? 0) > (account.calibratedAtMs ?? 0);
  if (isSameDevice && !isNewer) return placed;
  const calibration = found === null ? null : { ...found, calibration: carriedOver(found.calibration) };
  return withCalibration(placed, calibration);
}
