import { execFile } from 'node:child_process';
import { access, mkdir, readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { build } from 'esbuild';
import { packageFolder } from '../../inference/packages.ts';
import { projectRoot } from '../../inference/project-root.ts';
import { type CandidateFiles, MEDIAPIPE_FILES } from './candidates.ts';

/** Other libraries that find face and eyes in the page. */
export const PEERS = ['mediapipe', 'webgazer', 'human'] as const;
export type PeerName = (typeof PEERS)[number];

/** Never installed with the project: its licence is the GPL's, and nothing of it is shipped. */
const WEBGAZER = 'webgazer@3.5.3';
const WEBGAZER_MESH = 'mediapipe/face_mesh';
const HUMAN_MODELS = ['blazeface', 'facemesh', 'iris'];
const WASM = 'tfjs-backend-wasm-simd.wasm';
const run = promisify(execFile);

/** The folder of a package that is fetched when it is first asked for. Rejects where the registry does not give it. */
async function fetchedPackage(name: string): Promise<string> {
  const folder = join(projectRoot(), '.cache', 'bench-peers', name);
  const unpacked = join(folder, 'package');
  try {
    await access(join(unpacked, 'package.json'));
  } catch {
    await mkdir(folder, { recursive: true });
    const { stdout } = await run('npm', ['pack', name, '--silent', '--pack-destination', folder]);
    await run('tar', ['-xzf', join(folder, stdout.trim()), '-C', folder]);
  }
  return unpacked;
}

async function pageScript(peer: PeerName): Promise<Uint8Array> {
  const result = await build({
    entryPoints: [fileURLToPath(new URL(`peers/${peer}.ts`, import.meta.url))],
    bundle: true,
    minify: true,
    format: 'esm',
    target: 'es2022',
    logLevel: 'error',
    write: false,
  });
  return result.outputFiles[0]?.contents ?? new Uint8Array();
}

function installed(name: string): string {
  const folder = packageFolder(name);
  if (folder === null) throw new Error(`${name} is not installed: npm ci`);
  return folder;
}

/** Names that the page asks for, and where the files are. */
async function filesOf(peer: PeerName): Promise<readonly (readonly [string, string])[]> {
  switch (peer) {
    case 'mediapipe':
      return MEDIAPIPE_FILES.map((name) => [name, join(installed('@mediapipe/face_mesh'), name)]);
    case 'webgazer': {
      const dist = join(await fetchedPackage(WEBGAZER), 'dist');
      const names = ['webgazer.js', ...MEDIAPIPE_FILES.map((name) => `${WEBGAZER_MESH}/${name}`)];
      return names.map((name) => [name, join(dist, name)]);
    }
    case 'human': {
      // The package exports neither its package.json nor its build for browsers.
      const folder = join(dirname(createRequire(import.meta.url).resolve('@vladmandic/human')), '..');
      const models = HUMAN_MODELS.flatMap((name) => [`${name}.json`, `${name}.bin`]);
      return [
        ['human.js', join(folder, 'dist/human.esm.js')],
        [WASM, join(installed('@tensorflow/tfjs-backend-wasm'), 'wasm-out', WASM)],
        ...models.map((name) => [name, join(folder, 'models', name)] as const),
      ];
    }
  }
}

/** Everything that a peer's page loads. Rejects where a package cannot be fetched. */
export async function peerFiles(peer: PeerName): Promise<CandidateFiles> {
  const files = await Promise.all(
    (await filesOf(peer)).map(async ([name, file]) => [name, new Uint8Array(await readFile(file))] as const),
  );
  return new Map([['page.js', await pageScript(peer)], ...files]);
}
