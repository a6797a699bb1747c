import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describeError, RelayError } from '../../shared/errors.ts';
import { packageFolder } from '../packages.ts';
import { projectRoot } from '../project-root.ts';
import { MODEL_CATALOG, MODEL_NAMES, type ModelName, type ServedModel } from './catalog.ts';
import { isMissing, sha256, writeAtomically } from './files.ts';
import { packedFile, readPackedIndex } from './packed-assets.ts';

const SOURCE_PACKAGE = '@mediapipe/face_mesh';
const PACKED_ASSETS = 'face_mesh_solution_packed_assets';

export type ModelFiles<Name extends ModelName = ServedModel> = Readonly<Record<Name, Uint8Array>>;

export interface LoadedModels<Name extends ModelName> {
  readonly files: ModelFiles<Name>;
  /** Models that were not in the cache as they should be, and were converted. */
  readonly converted: readonly Name[];
  /** Why the cache could not be written, when it could not: the models are good all the same. */
  readonly cacheFault: string | null;
}

export interface ModelLocations {
  readonly cacheDir: string;
  /** Folder of npm package @mediapipe/face_mesh; null when it is not installed. */
  readonly sourceDir: string | null;
}

/** `.cache/models` in the project, and the installed npm package. */
export function defaultModelLocations(): ModelLocations {
  const sourceDir = packageFolder(SOURCE_PACKAGE);
  return { cacheDir: join(projectRoot(), '.cache', 'models'), sourceDir };
}

type Cached = { readonly state: 'good'; readonly bytes: Uint8Array } | { readonly state: 'missing' | 'corrupt' };

async function readCached(cacheDir: string, name: ModelName): Promise<Cached> {
  const entry = MODEL_CATALOG[name];
  try {
    const bytes = await readFile(join(cacheDir, entry.file));
    return sha256(bytes) === entry.sha256 ? { state: 'good', bytes } : { state: 'corrupt' };
  } catch (error) {
    if (isMissing(error)) return { state: 'missing' };
    throw new RelayError('model_unreadable', `cannot read ${entry.file}: ${describeError(error)}`, {
      hint: 'give the service the right to read MODEL_CACHE_DIR',
      cause: error,
    });
  }
}

/** A model as its npm package has it, checked; null when the package is missing. Rejects with RelayError `model_source_changed`. */
export async function readSource(sourceDir: string | null, name: ModelName): Promise<Uint8Array | null> {
  if (sourceDir === null) return null;
  const entry = MODEL_CATALOG[name];
  let loader: string;
  let data: Uint8Array;
  try {
    loader = await readFile(join(sourceDir, `${PACKED_ASSETS}_loader.js`), 'utf8');
    data = await readFile(join(sourceDir, `${PACKED_ASSETS}.data`));
  } catch (error) {
    if (isMissing(error)) return null;
    throw error;
  }
  const bytes = packedFile(readPackedIndex(loader), data, entry.source);
  if (sha256(bytes) !== entry.sourceSha256) {
    throw new RelayError(
      'model_source_changed',
      `${entry.source} of ${SOURCE_PACKAGE} is not the file that was checked`,
      {
        hint: 'install the version that package-lock.json names: npm ci',
      },
    );
  }
  return bytes;
}

async function convert(locations: ModelLocations, name: ModelName, cached: Cached['state']): Promise<Uint8Array> {
  const entry = MODEL_CATALOG[name];
  const source = await readSource(locations.sourceDir, name);
  if (source === null) {
    const hint = `install npm package ${SOURCE_PACKAGE} (npm ci) so that it can be converted again, or put back ${entry.file} as the build made it`;
    throw cached === 'corrupt'
      ? new RelayError(
          'model_corrupt',
          `${entry.file} in ${locations.cacheDir} is damaged, and its source is missing`,
          {
            hint,
          },
        )
      : new RelayError(
          'model_source_missing',
          `${entry.file} is not in ${locations.cacheDir}, and its source is missing`,
          {
            hint,
          },
        );
  }
  const { convertModel } = await import('../../scripts/models/convert.ts');
  const bytes = convertModel(name, source);
  if (sha256(bytes) !== entry.sha256) {
    throw new RelayError('model_result_changed', `converting ${entry.source} gave other bytes than were checked`, {
      hint: 'a change of the converter must bring the new sha256 into inference/models/catalog.ts, after the parity test',
    });
  }
  return bytes;
}

/**
 * The converted models of those names, all by default, each checked against its sha256: from the cache, else converted from the
 * npm package and cached. Rejects with RelayError `model_source_missing`, `model_source_changed`,
 * `model_corrupt`, `model_result_changed` or `model_unreadable`.
 */
export async function loadModels<Name extends ModelName = ModelName>(
  locations: ModelLocations = defaultModelLocations(),
  names: readonly Name[] = MODEL_NAMES as readonly ModelName[] as readonly Name[],
): Promise<LoadedModels<Name>> {
  const converted: Name[] = [];
  let cacheFault: string | null = null;
  const load = async (name: Name): Promise<Uint8Array> => {
    const cached = await readCached(locations.cacheDir, name);
    if (cached.state === 'good') return cached.bytes;
    const bytes = await convert(locations, name, cached.state);
    converted.push(name);
    try {
      await writeAtomically(join(locations.cacheDir, MODEL_CATALOG[name].file), bytes);
    } catch (error) {
      cacheFault = describeError(error);
    }
    return bytes;
  };
  const entries: [Name, Uint8Array][] = [];
  for (const name of names) entries.push([name, await load(name)]);
  return { files: Object.fromEntries(entries) as Record<Name, Uint8Array>, converted, cacheFault };
}
