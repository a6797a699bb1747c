import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describeError, RelayError } from '../../shared/errors.ts';
import { projectRoot } from '../project-root.ts';
import { MODEL_CATALOG, MODEL_NAMES, type ModelName, type ServedModel } from './catalog.ts';
import { isMissing, sha256 } from './files.ts';

export type ModelFiles<Name extends ModelName = ServedModel> = Readonly<Record<Name, Uint8Array>>;

/** `.cache/models` in the project, where the build puts the converted models. */
export function defaultModelFolder(): string {
  return join(projectRoot(), '.cache', 'models');
}

async function loadModel(folder: string, name: ModelName): Promise<Uint8Array> {
  const entry = MODEL_CATALOG[name];
  const hint = 'run `npm run build`: it makes the models from @mediapipe/face_mesh';
  let bytes: Uint8Array;
  try {
    bytes = await readFile(join(folder, entry.file));
  } catch (cause) {
    if (isMissing(cause)) throw new RelayError('model_missing', `${entry.file} is not in ${folder}`, { hint, cause });
    throw new RelayError('model_unreadable', `cannot read ${entry.file}: ${describeError(cause)}`, {
      hint: 'give the service the right to read MODEL_CACHE_DIR',
      cause,
    });
  }
  if (sha256(bytes) === entry.sha256) return bytes;
  throw new RelayError('model_corrupt', `${entry.file} in ${folder} is damaged or of another version`, { hint });
}

/**
 * The converted models of those names, all by default, as the build left them in `folder`, each checked against its
 * sha256. Rejects with RelayError `model_missing`, `model_corrupt` or `model_unreadable`.
 */
export async function loadModels<Name extends ModelName = ModelName>(
  folder: string = defaultModelFolder(),
  names: readonly Name[] = MODEL_NAMES as readonly ModelName[] as readonly Name[],
): Promise<ModelFiles<Name>> {
  const entries = await Promise.all(names.map(async (name) => [name, await loadModel(folder, name)] as const));
  return Object.fromEntries(entries) as Record<Name, Uint8Array>;
}
