import type { CalibrationRecord } from '../../../gateway/store/calibrations.ts';
import { CALIBRATION_VERSION, type Calibration } from '../../../shared/focus/calibration.ts';
import { CENTRE_VERSION } from '../../../shared/focus/own-centre.ts';
import { START_MS } from './windows.ts';

export const DEVICE_A = '3f6c1d8e-2a4b-4c6d-8e9f-1a2b3c4d5e6f';
export const DEVICE_B = '9b8a7c6d-5e4f-4a3b-9c2d-1e0f9a8b7c6d';

type CalibrationOnDevice = CalibrationRecord & { readonly calibration: Calibration };

/** The own centre of student 7 on device A. */
export function aCentre(changes: Partial<CalibrationRecord> = {}): CalibrationRecord {
  const centre = { yawDeg: 1.5, pitchDeg: -7.25, learntMs: 90_000 };
  return {
    ...aCalibration(),
    pointCount: 0,
    calibration: { version: CENTRE_VERSION, centre, openLevel: { level: 0.21, learntMs: 80_000 } },
    ...changes,
  };
}

/** A calibration of student 7 on device A. */
export function aCalibration(changes: Partial<CalibrationOnDevice> = {}): CalibrationOnDevice {
  return {
    userId: 7,
    deviceId: DEVICE_A,
    createdAtMs: START_MS,
    pointCount: 5,
    calibration: {
      version: CALIBRATION_VERSION,
      correction: {
        imageLeftEye: { yawGain: 1.1, pitchGain: 0.9, yawOffsetDeg: 0.5, pitchOffsetDeg: -1.25, weight: 1 },
        imageRightEye: { yawGain: 1.05, pitchGain: 0.95, yawOffsetDeg: -0.5, pitchOffsetDeg: 1.25, weight: 0.75 },
        placeYawDeg: -3.25,
        placePitchDeg: 4.5,
      },
      setup: { widthCm: 34, heightCm: 19, belowCameraCm: 1, distanceCm: 55 },
      validationYawDeg: 2.5,
      validationPitchDeg: 3.75,
    },
    ...changes,
  };
}
