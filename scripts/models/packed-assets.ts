import { RelayError } from '../../shared/errors.ts';

/** One file's place in an archive of emscripten's file packager. */
export interface PackedFile {
  readonly filename: string;
  readonly start: number;
  readonly end: number;
}

function isPackedFile(value: unknown): value is PackedFile {
  if (typeof value !== 'object' || value === null) return false;
  const { filename, start, end } = value as Record<string, unknown>;
  return typeof filename === 'string' && Number.isInteger(start) && Number.isInteger(end);
}

/**
 * The table of contents that emscripten's file packager writes into its loader script as
 * `{"files": [{"filename", "start", "end"}, …]}`. Throws RelayError `model_source_changed` when
 * the script holds none.
 */
export function readPackedIndex(loaderScript: string): readonly PackedFile[] {
  const json = /\{"files":\s*(\[[^\]]*\])/.exec(loaderScript)?.[1];
  if (json !== undefined) {
    const files: unknown = JSON.parse(json);
    if (Array.isArray(files) && files.every(isPackedFile)) return files;
  }
  throw new RelayError('model_source_changed', 'the packed assets of @mediapipe/face_mesh have no readable index', {
    hint: 'install the version that package-lock.json names: npm ci',
  });
}

/** The bytes of the packed file whose path ends with `name`; a view into `data`. Errors as readPackedIndex. */
export function packedFile(index: readonly PackedFile[], data: Uint8Array, name: string): Uint8Array {
  const entry = index.find((file) => file.filename.endsWith(`/${name}`));
  if (entry === undefined || entry.end > data.length) {
    throw new RelayError('model_source_changed', `${name} is not among the packed assets of @mediapipe/face_mesh`, {
      hint: 'install the version that package-lock.json names: npm ci',
    });
  }
  return data.subarray(entry.start, entry.end);
}
