import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { brotliCompress, constants } from 'node:zlib';
import { build } from 'esbuild';
import { sha256 } from '../../inference/models/files.ts';
import { defaultModelFolder, loadModels } from '../../inference/models/store.ts';
import { loadTfjsModels } from '../../inference/models/tfjs-store.ts';
import { packageFolder } from '../../inference/packages.ts';
import { projectRoot } from '../../inference/project-root.ts';
import { deviceModels } from '../../scripts/models/device.ts';
import { prepareModels } from '../../scripts/models/prepare.ts';
import { writeAtomically } from '../../scripts/models/write-atomically.ts';

export const CANDIDATES = ['own', 'onnxruntime-web', 'tfjs-wasm'] as const;
export type Candidate = (typeof CANDIDATES)[number];

/** What a candidate's page loads: file names and contents; `page.js` among them. */
export type CandidateFiles = ReadonlyMap<string, Uint8Array>;

function packagePath(name: string, ...path: readonly string[]): string {
  const folder = packageFolder(name);
  if (folder === null) throw new Error(`${name} is not installed: npm ci`);
  return join(folder, ...path);
}

async function pageScript(candidate: Candidate): Promise<Uint8Array> {
  const here = fileURLToPath(new URL('.', import.meta.url));
  const result = await build({
    stdin: {
      contents: `import { serveBench } from './page.ts'; import { runtime } from './${candidate}.ts'; serveBench(runtime);`,
      resolveDir: here,
      loader: 'ts',
    },
    bundle: true,
    minify: true,
    format: 'esm',
    target: 'es2022',
    conditions: ['onnxruntime-web-use-extern-wasm'],
    logLevel: 'error',
    write: false,
  });
  return result.outputFiles[0]?.contents ?? new Uint8Array();
}

async function assets(candidate: Candidate): Promise<[string, Uint8Array][]> {
  switch (candidate) {
    case 'own':
      return [['models.bin', await deviceModels()]];
    case 'onnxruntime-web': {
      await prepareModels();
      const files = await loadModels();
      // Its package.json may not be asked for.
      const dist = dirname(createRequire(import.meta.url).resolve('onnxruntime-web'));
      return [
        ['ort-wasm-simd-threaded.wasm', await readFile(join(dist, 'ort-wasm-simd-threaded.wasm'))],
        ['ort-wasm-simd-threaded.mjs', await readFile(join(dist, 'ort-wasm-simd-threaded.mjs'))],
        ['mesh.onnx', files.observedMesh],
        ['detector.onnx', files.detector],
      ];
    }
    case 'tfjs-wasm': {
      const files = await loadTfjsModels(defaultModelFolder());
      const backend = packagePath('@tensorflow/tfjs-backend-wasm', 'wasm-out', 'tfjs-backend-wasm-simd.wasm');
      return [
        ['tfjs-backend-wasm-simd.wasm', await readFile(backend)],
        ['mesh.json', files.meshGraph],
        ['mesh.bin', files.meshWeights],
        ['detector.json', files.detectorGraph],
        ['detector.bin', files.detectorWeights],
      ];
    }
  }
}

/** Everything that a candidate's page loads. */
export async function candidateFiles(candidate: Candidate): Promise<CandidateFiles> {
  return new Map([['page.js', await pageScript(candidate)], ...(await assets(candidate))]);
}

/** Compressing as well as brotli can takes half a minute for the largest file: lengths are kept by contents. */
const KEPT = join(projectRoot(), '.cache', 'bench-brotli.json');

async function readKept(): Promise<Record<string, number>> {
  try {
    return JSON.parse(await readFile(KEPT, 'utf8'));
  } catch {
    return {};
  }
}

/** Bytes on the wire when all of it is compressed as well as brotli can. */
export async function brotliBytes(files: Iterable<Uint8Array>): Promise<number> {
  const params = {
    [constants.BROTLI_PARAM_QUALITY]: constants.BROTLI_MAX_QUALITY,
    [constants.BROTLI_PARAM_LGWIN]: constants.BROTLI_MAX_WINDOW_BITS,
  };
  const kept = await readKept();
  const sizes = await Promise.all(
    [...files].map(async (bytes) => {
      const key = sha256(bytes);
      kept[key] ??= (await promisify(brotliCompress)(bytes, { params })).length;
      return kept[key];
    }),
  );
  await writeAtomically(KEPT, Buffer.from(JSON.stringify(kept)));
  return sizes.reduce((sum, size) => sum + size, 0);
}

/** What @mediapipe/face_mesh loads for itself, with SIMD. */
export const MEDIAPIPE_FILES = [
  'face_mesh.js',
  'face_mesh.binarypb',
  'face_mesh_solution_packed_assets.data',
  'face_mesh_solution_packed_assets_loader.js',
  'face_mesh_solution_simd_wasm_bin.js',
  'face_mesh_solution_simd_wasm_bin.wasm',
];

/** Contents of those. */
export function mediapipeFiles(): Promise<Uint8Array[]> {
  return Promise.all(MEDIAPIPE_FILES.map((name) => readFile(packagePath('@mediapipe/face_mesh', name))));
}
