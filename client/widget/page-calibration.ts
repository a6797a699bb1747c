import { describeError } from '../../shared/errors.ts';
import type { CalibrationStatus } from '../../shared/protocol/calibration.ts';
import type { CalibrationChannel } from '../calibration/channel.ts';
import { type CalibrationResult, UNAVAILABLE } from '../calibration/result.ts';
import { gatewayAddresses } from '../connection/addresses.ts';
import { loadAsset } from '../lib/gateway-assets.ts';

/** A calibration status as it was received. */
export interface ReceivedCalibration {
  readonly status: CalibrationStatus;
  /** On the clock of performance.now. */
  readonly atMs: number;
}

/** The status with its present age. */
export function presentCalibration({ status, atMs }: ReceivedCalibration): CalibrationStatus {
  const { version, ageMs, yawErrorDeg, pitchErrorDeg } = status;
  return { version, ageMs: ageMs + Math.round(performance.now() - atMs), yawErrorDeg, pitchErrorDeg };
}

/**
 * Loads the five dots from the gateway and shows them. `freeChannel` gives the session's channel, null while nothing is
 * captured or a calibration runs. Resolves with `unavailable` where they cannot be loaded or begun. Never rejects.
 */
export async function runCalibration(
  serverUrl: string,
  freeChannel: () => CalibrationChannel | null,
): Promise<CalibrationResult> {
  if (freeChannel() === null) return UNAVAILABLE;
  try {
    const { httpOrigin } = gatewayAddresses(serverUrl);
    const module = await loadAsset<typeof import('../calibration/calibrate.ts')>('calibration', httpOrigin);
    const channel = freeChannel();
    return channel === null ? UNAVAILABLE : module.calibrate(channel);
  } catch (error) {
    console.warn(`gaze-relay: ${describeError(error)}`);
    return UNAVAILABLE;
  }
}
