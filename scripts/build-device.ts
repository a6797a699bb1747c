import { createHash } from 'node:crypto';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { brotliCompress, constants } from 'node:zlib';
import { build } from 'esbuild';
import type { GatewayAssets } from '../client/lib/gateway-assets.ts';
import { isMissing, sha256 } from '../inference/models/files.ts';
import { defaultModelFolder } from '../inference/models/store.ts';
import { DEVICE_MODELS_SHA256, deviceModels } from './models/device.ts';
import { writeAtomically } from './models/write-atomically.ts';

/** Files with this in their names never change. */
export function hashOf(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex').slice(0, 8);
}

async function cached(path: string, make: () => Promise<Uint8Array>, isGood: (bytes: Uint8Array) => boolean) {
  try {
    const bytes = await readFile(path);
    if (isGood(bytes)) return bytes;
  } catch (error) {
    if (!isMissing(error)) throw error;
  }
  const made = await make();
  await writeAtomically(path, made);
  return made;
}

/** The models, raw and with brotli (gzip gains nothing on them): made once, then taken from the cache. */
async function modelFiles(): Promise<{ readonly raw: Uint8Array; readonly br: Uint8Array }> {
  const place = join(defaultModelFolder(), `device-${DEVICE_MODELS_SHA256.slice(0, 12)}.bin`);
  const raw = await cached(place, deviceModels, (bytes) => sha256(bytes) === DEVICE_MODELS_SHA256);
  const some = (bytes: Uint8Array) => bytes.length > 0;
  const params = {
    [constants.BROTLI_PARAM_QUALITY]: constants.BROTLI_MAX_QUALITY,
    [constants.BROTLI_PARAM_LGWIN]: constants.BROTLI_MAX_WINDOW_BITS,
    [constants.BROTLI_PARAM_SIZE_HINT]: raw.length,
  };
  return {
    raw,
    br: await cached(`${place}.br`, () => promisify(brotliCompress)(raw, { params }), some),
  };
}

/**
 * What students' devices load in device mode, into `out`/device: a worker and the models, under names that change
 * with their contents. Errors as deviceModels.
 */
export async function buildDevice(
  out: string,
): Promise<Pick<GatewayAssets, 'deviceWorker' | 'deviceModels' | 'deviceModelsBytes'>> {
  const folder = join(out, 'device');
  await mkdir(folder, { recursive: true });
  const [models, bundle] = await Promise.all([
    modelFiles(),
    build({
      entryPoints: [fileURLToPath(new URL('../client/device/worker.ts', import.meta.url))],
      bundle: true,
      minify: true,
      target: 'es2022',
      format: 'iife',
      write: false,
      logLevel: 'warning',
    }),
  ]);
  const script = bundle.outputFiles[0]?.contents ?? new Uint8Array();
  const worker = `device/worker-${hashOf(script)}.js`;
  const name = `device/models-${DEVICE_MODELS_SHA256.slice(0, 8)}.bin`;
  await Promise.all([
    writeFile(join(out, worker), script),
    writeFile(join(out, name), models.raw),
    writeFile(join(out, `${name}.br`), models.br),
  ]);
  return { deviceWorker: worker, deviceModels: name, deviceModelsBytes: models.raw.length };
}
