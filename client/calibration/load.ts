import { RelayError } from '../../shared/errors.ts';
import { GATEWAY_ASSETS } from '../lib/gateway-assets.ts';

/** Loads what shows the dots. Rejects with RelayError `calibration_unavailable`. */
export async function loadCalibration(httpOrigin: string): Promise<typeof import('./calibrate.ts').calibrate> {
  if (GATEWAY_ASSETS === null) throw new RelayError('calibration_unavailable', 'calibration needs a built client');
  try {
    const url = `${httpOrigin}/${GATEWAY_ASSETS.calibration}`;
    const module: typeof import('./calibrate.ts') = await import(url);
    return module.calibrate;
  } catch (cause) {
    throw new RelayError('calibration_unavailable', 'the set-up of the screen could not be loaded', {
      hint: 'reload the page: the gateway may have a newer client',
      cause,
    });
  }
}
