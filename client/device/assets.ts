/** Where the gateway keeps what device mode loads, relative to its origin. Names change with the contents. */
export interface DeviceAssets {
  readonly worker: string;
  readonly models: string;
  /** Bytes of the models, uncompressed. */
  readonly modelsBytes: number;
}

/** Put in by the build. */
declare const GAZE_RELAY_DEVICE_ASSETS: DeviceAssets | undefined;

/** The assets this build was made with; null outside a build. */
export const DEVICE_ASSETS: DeviceAssets | null =
  typeof GAZE_RELAY_DEVICE_ASSETS === 'undefined' ? null : GAZE_RELAY_DEVICE_ASSETS;
