import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isMissing, sha256 } from '../../inference/models/files.ts';
import { packageFolder } from '../../inference/packages.ts';
import { RelayError } from '../../shared/errors.ts';
import { packedFile, readPackedIndex } from './packed-assets.ts';

const SOURCE_PACKAGE = '@mediapipe/face_mesh';
const PACKED_ASSETS = 'face_mesh_solution_packed_assets';

// Apache-2.0, Google LLC: npm @mediapipe/face_mesh@0.4.1657299874.
const SOURCES = {
  mesh: {
    file: 'face_landmark_with_attention.tflite',
    sha256: '883b7411747bac657c30c462d305d312e9dec6adbf8b85e2f5d8d722fca9455d',
  },
  detector: {
    file: 'face_detection_short_range.tflite',
    sha256: '3bc182eb9f33925d9e58b5c8d59308a760f4adea8f282370e428c51212c26633',
  },
} as const;

/** A TFLite model of the npm package. */
export type SourceName = keyof typeof SOURCES;

/** Folder of the installed npm package; null when it is not installed. */
export function installedSource(): string | null {
  return packageFolder(SOURCE_PACKAGE);
}

/**
 * A TFLite model from the folder of its npm package, checked against its sha256. Rejects with RelayError
 * `model_source_missing` when the package is not there, `model_source_changed` when it is another one.
 */
export async function readSource(name: SourceName, folder: string | null = installedSource()): Promise<Uint8Array> {
  const hint = 'install the version that package-lock.json names: npm ci';
  const source = SOURCES[name];
  let loader: string;
  let data: Uint8Array;
  try {
    if (folder === null) throw new RelayError('model_source_missing', `${SOURCE_PACKAGE} is not installed`, { hint });
    loader = await readFile(join(folder, `${PACKED_ASSETS}_loader.js`), 'utf8');
    data = await readFile(join(folder, `${PACKED_ASSETS}.data`));
  } catch (cause) {
    if (!isMissing(cause)) throw cause;
    throw new RelayError('model_source_missing', `the models are not in ${folder}`, { hint, cause });
  }
  const bytes = packedFile(readPackedIndex(loader), data, source.file);
  if (sha256(bytes) === source.sha256) return bytes;
  throw new RelayError('model_source_changed', `${source.file} of ${SOURCE_PACKAGE} is not the file that was checked`, {
    hint,
  });
}
