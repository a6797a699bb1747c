import { RelayError } from '../../shared/errors.ts';

/**
 * What pages load from the gateway only when they need it: paths relative to its origin. Names change with the
 * contents.
 */
export interface GatewayAssets {
  /** Module with `calibrate`: few students use it, so it is not in the script that all of them load. */
  readonly calibration: string;
  /** Module with `LessonWidget`: pages that start the tracker themselves have a sign of their own. */
  readonly lessonWidget: string;
  /** Module that explains what the page around the tracker forbids. */
  readonly pageTrouble: string;
  /** Worker that draws and encodes pictures in server mode: until it runs, the page does. */
  readonly captureWorker: string;
  /** Module with `DeviceMode`: most students stay in server mode. */
  readonly deviceMode: string;
  /** Module with `Transports`: only where a WebSocket does not get through. */
  readonly transports: string;
  readonly deviceWorker: string;
  readonly deviceModels: string;
  /** Bytes of the models, uncompressed. */
  readonly deviceModelsBytes: number;
}

/** Put in by the build. */
declare const GAZE_RELAY_ASSETS: GatewayAssets | undefined;

/** The assets this build was made with; null outside a build. */
export const GATEWAY_ASSETS: GatewayAssets | null = typeof GAZE_RELAY_ASSETS === 'undefined' ? null : GAZE_RELAY_ASSETS;

/** Browsers remember a module that could not be loaded: another try needs another address. */
let failures = 0;

/** Loads a module of the gateway. Rejects with RelayError `module_unavailable`; a later call tries again. */
export async function loadAsset<T>(
  name: 'calibration' | 'lessonWidget' | 'deviceMode' | 'transports' | 'pageTrouble',
  httpOrigin: string,
): Promise<T> {
  if (GATEWAY_ASSETS === null) throw new RelayError('module_unavailable', 'this needs a built client');
  try {
    const again = failures > 0 ? `?${failures}` : '';
    return (await import(`${httpOrigin}/${GATEWAY_ASSETS[name]}${again}`)) as T;
  } catch (cause) {
    failures += 1;
    throw new RelayError('module_unavailable', 'a part of the tracker could not be loaded: reload the page', { cause });
  }
}
