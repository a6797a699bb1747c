import { build } from 'esbuild';
import { describe, expect, it } from 'vitest';
import { compress, dropInOptions } from '../../scripts/build-client.ts';

/** At 64 kbit/s a student waits 3 s for it before the first picture. */
const MAX_DROP_IN_BYTES = 24_000;
/** All that is loaded before the first picture in server mode. */
const MAX_FIRST_BYTES = 28_000;
/** What pictures are made with; until it is there the page makes them itself. The lesson's sign comes when it comes. */
const AT_THE_START = ['client/capture/capture-worker.ts'];

/** Names as a build gives them: each has a hash of its own. */
const ASSETS = {
  calibration: 'device/calibration-5f0c1b9e.mjs',
  lessonWidget: 'device/lesson-widget-a81d3c72.mjs',
  captureWorker: 'device/capture-e94b06f5.js',
  pageTrouble: 'device/page-trouble-27d8ca13.mjs',
  deviceMode: 'device/device-mode-b3605e9f.mjs',
  transports: 'device/transports-6c1f84d0.mjs',
  deviceWorker: 'device/worker-d27a93e8.js',
  deviceModels: 'device/models-04be7f61.bin',
  deviceModelsBytes: 2_343_840,
};

/** Bytes of the script that is built from `entry`, as browsers get it. */
async function compressedBytes(entry: string): Promise<number> {
  const { outputFiles = [] } = await build({ ...dropInOptions(ASSETS, entry), write: false });
  const contents = outputFiles[0]?.contents ?? new Uint8Array();
  expect(contents.length).toBeGreaterThan(1000);
  return (await compress(contents)).length;
}

describe('the scripts of EyeLearn’s pages', () => {
  it.each(['client/webcam-websocket.ts', 'client/cv-eye-tracking.ts'])(
    '%s stays small enough for a slow link, alone and with what it loads at the start',
    async (entry) => {
      const script = await compressedBytes(entry);
      expect(script).toBeLessThanOrEqual(MAX_DROP_IN_BYTES);
      const others = await Promise.all(AT_THE_START.map(compressedBytes));
      expect(others.reduce((sum, bytes) => sum + bytes, script)).toBeLessThanOrEqual(MAX_FIRST_BYTES);
    },
    // Compressing as well as can be takes seconds on a busy machine.
    60_000,
  );
});
