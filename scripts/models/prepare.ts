import { join } from 'node:path';
import { MODEL_CATALOG, MODEL_NAMES, type ModelName } from '../../inference/models/catalog.ts';
import { sha256 } from '../../inference/models/files.ts';
import { defaultModelFolder, loadModels } from '../../inference/models/store.ts';
import { RelayError } from '../../shared/errors.ts';
import { installedSource } from './source.ts';
import { writeAtomically } from './write-atomically.ts';

export interface PrepareOptions {
  /** `.cache/models` in the project by default. */
  readonly folder?: string;
  /** Folder of npm package @mediapipe/face_mesh; the installed one by default. */
  readonly sourceDir?: string | null;
}

async function isGood(folder: string, name: ModelName): Promise<boolean> {
  try {
    await loadModels(folder, [name]);
    return true;
  } catch (error) {
    if (error instanceof RelayError && error.code !== 'model_unreadable') return false;
    throw error;
  }
}

/**
 * The build's step for inference: converts the models that are missing or damaged in `folder`, and resolves with their
 * names. Rejects with RelayError `model_source_missing`, `model_source_changed`, `model_result_changed`,
 * `model_unreadable`, or with the file system's error when the folder cannot be written.
 */
export async function prepareModels(options: PrepareOptions = {}): Promise<readonly ModelName[]> {
  const { folder = defaultModelFolder(), sourceDir = installedSource() } = options;
  const converted: ModelName[] = [];
  for (const name of MODEL_NAMES) {
    if (await isGood(folder, name)) continue;
    // Most builds find the models there and need no converter.
    const { convertModel } = await import('./convert.ts');
    const bytes = await convertModel(name, sourceDir);
    const { file, sha256: expected } = MODEL_CATALOG[name];
    if (sha256(bytes) !== expected) {
      throw new RelayError('model_result_changed', `the conversion gave other bytes for ${file} than were checked`, {
        hint: 'a change of the converter must bring the new sha256 into inference/models/catalog.ts, after the parity test',
      });
    }
    await writeAtomically(join(folder, file), bytes);
    converted.push(name);
  }
  return converted;
}
