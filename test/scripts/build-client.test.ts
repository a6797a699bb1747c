import { build } from 'esbuild';
import { describe, expect, it } from 'vitest';
import { compress, dropInOptions } from '../../scripts/build-client.ts';

/** At 64 kbit/s a student waits 3 s for it before the first picture. */
const MAX_DROP_IN_BYTES = 24_000;

const ASSETS = {
  calibration: 'device/calibration-0123456789ab.mjs',
  lessonWidget: 'device/lesson-widget-0123456789ab.mjs',
  captureWorker: 'device/capture-0123456789ab.js',
  pageTrouble: 'device/page-trouble-0123456789ab.mjs',
  deviceMode: 'device/device-mode-0123456789ab.mjs',
  transports: 'device/transports-0123456789ab.mjs',
  deviceWorker: 'device/worker-0123456789ab.js',
  deviceModels: 'device/models-0123456789ab.bin',
  deviceModelsBytes: 2_343_840,
};

describe('the scripts of EyeLearn’s pages', () => {
  it.each(['client/webcam-websocket.ts', 'client/cv-eye-tracking.ts'])(
    '%s stays small enough for a slow link',
    async (entry) => {
      const { outputFiles = [] } = await build({ ...dropInOptions(ASSETS, entry), write: false });
      const [script] = outputFiles;
      expect(script?.text).toContain('initialize');
      const compressed = await compress(script?.contents ?? new Uint8Array());
      expect(compressed.length).toBeLessThanOrEqual(MAX_DROP_IN_BYTES);
    },
  );
});
