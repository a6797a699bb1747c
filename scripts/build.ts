import { cp, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build, type Metafile } from 'esbuild';
import { buildClient } from './build-client.ts';
import { prepareModels } from './models/prepare.ts';

export { buildClient };

const root = fileURLToPath(new URL('..', import.meta.url));
const at = (...parts: string[]) => join(root, ...parts);

/** Those of the packages that are not bundled that the bundles do import. */
function importedOf(packages: readonly string[], { outputs }: Metafile): string[] {
  const imported = Object.values(outputs).flatMap(({ imports }) => imports.map(({ path }) => path));
  return packages.filter((name) => imported.some((path) => path === name || path.startsWith(`${name}/`)));
}

/** Files of a build that run, relative to the project's root. */
function scriptsOf({ outputs }: Metafile): string[] {
  return Object.keys(outputs).filter((path) => path.endsWith('.mjs'));
}

const OUTSIDE = {
  gateway: ['libsql'],
  inference: ['onnxruntime-node', 'onnxruntime-web', 'sharp', '@jsquash/webp'],
};

/**
 * The two services as bundles, and inference's models. Packages with native parts stay outside; which those are, and which files there
 * are, is written to dist/contents.json, for the containers.
 */
export async function buildServices(): Promise<void> {
  const common = {
    bundle: true,
    platform: 'node',
    target: 'node20',
    format: 'esm',
    sourcemap: true,
    minify: true,
    keepNames: true,
    metafile: true,
    // Paths in the metafile are relative to this.
    absWorkingDir: root,
    outExtension: { '.js': '.mjs' },
    logLevel: 'warning',
    // CommonJS packages inside an ESM bundle still call require().
    banner: {
      js: "import { createRequire as bundleRequire } from 'node:module'; const require = bundleRequire(import.meta.url);",
    },
  } as const;
  const [gateway, inference] = await Promise.all([
    build({
      ...common,
      entryPoints: [at('gateway/main.ts'), at('gateway/cli.ts')],
      outdir: at('dist/gateway'),
      // What is imported when it is needed stays out of what is read at the start. Parts of earlier builds stay
      // where they are: a gateway that runs may yet want them.
      splitting: true,
      chunkNames: 'chunks/[name]-[hash]',
      external: OUTSIDE.gateway,
    }),
    build({
      ...common,
      entryPoints: [at('inference/main.ts'), at('inference/worker.ts')],
      outdir: at('dist/inference'),
      external: OUTSIDE.inference,
    }),
    cp(at('migrations'), at('dist/migrations'), { recursive: true }),
    cp(at('gateway/eyelearn/pages'), at('dist/php'), { recursive: true }),
    prepareModels(process.env.MODEL_CACHE_DIR ? { folder: process.env.MODEL_CACHE_DIR } : {}),
  ]);
  const contents = {
    gateway: { packages: importedOf(OUTSIDE.gateway, gateway.metafile), files: scriptsOf(gateway.metafile) },
    inference: { packages: importedOf(OUTSIDE.inference, inference.metafile), files: scriptsOf(inference.metafile) },
  };
  await writeFile(at('dist/contents.json'), `${JSON.stringify(contents, null, 2)}\n`);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const startedMs = performance.now();
  await Promise.all([buildClient(), buildServices()]);
  process.stdout.write(`built into dist/ in ${Math.round(performance.now() - startedMs)} ms\n`);
}
