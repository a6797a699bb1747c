/**
 * What pages load from the gateway only when they need it: paths relative to its origin. Names change with the
 * contents.
 */
export interface GatewayAssets {
  /** Module with `calibrate`: few students use it, so it is not in the script that all of them load. */
  readonly calibration: string;
  readonly deviceWorker: string;
  readonly deviceModels: string;
  /** Bytes of the models, uncompressed. */
  readonly deviceModelsBytes: number;
}

/** Put in by the build. */
declare const GAZE_RELAY_ASSETS: GatewayAssets | undefined;

/** The assets this build was made with; null outside a build. */
export const GATEWAY_ASSETS: GatewayAssets | null = typeof GAZE_RELAY_ASSETS === 'undefined' ? null : GAZE_RELAY_ASSETS;
