import { GATEWAY_ASSETS } from '../lib/gateway-assets.ts';

/** True if this browser has what device mode needs. No network access. */
export function deviceIsSupported(): boolean {
  return (
    GATEWAY_ASSETS !== null &&
    typeof Worker !== 'undefined' &&
    typeof WebAssembly !== 'undefined' &&
    typeof OffscreenCanvas !== 'undefined' &&
    typeof createImageBitmap !== 'undefined'
  );
}
