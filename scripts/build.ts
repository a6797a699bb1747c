import { cp, mkdir, mkdtemp, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { brotliCompress, constants, gzip } from 'node:zlib';
import { type BuildOptions, build, type Metafile, type Plugin } from 'esbuild';
import { buildDevice } from './build-device.ts';

const root = fileURLToPath(new URL('..', import.meta.url));
const at = (...parts: string[]) => join(root, ...parts);

/** Within 2 % of the best in a tenth of its time: every `npm start` builds. */
const BROTLI_QUALITY = 9;

/** `import source from './worker.ts?inline'`: the bundle of that script as text, for a worker started from a Blob. */
const inlineWorkers: Plugin = {
  name: 'inline-workers',
  setup(context) {
    context.onResolve({ filter: /\?inline$/ }, ({ path, resolveDir }) => ({
      path: join(resolveDir, path.replace(/\?inline$/, '')),
      namespace: 'inline-worker',
    }));
    context.onLoad({ filter: /.*/, namespace: 'inline-worker' }, async ({ path }) => {
      const bundle = await build({
        entryPoints: [path],
        bundle: true,
        minify: true,
        write: false,
        metafile: true,
        format: 'iife',
        target: 'es2022',
        logLevel: 'warning',
      });
      const watchFiles = Object.keys(bundle.metafile.inputs).map((file) => resolve(file));
      return { contents: bundle.outputFiles[0]?.text ?? '', loader: 'text', watchFiles };
    });
  },
};

/** Pages and scripts that the gateway serves, into dist/client. */
export async function buildClient(): Promise<void> {
  // Built beside its place and moved there file by file: a gateway that serves from it never misses one.
  await mkdir(at('dist'), { recursive: true });
  const out = await mkdtemp(at('dist/client-'));
  await mkdir(join(out, 'js'));
  const assets = await buildDevice(out);
  const common = {
    bundle: true,
    minify: true,
    sourcemap: true,
    target: 'es2022',
    logLevel: 'warning',
    define: { GAZE_RELAY_DEVICE_ASSETS: JSON.stringify(assets) },
    plugins: [inlineWorkers],
  } satisfies BuildOptions;
  await Promise.all([
    build({
      ...common,
      entryPoints: [at('client/webcam-websocket.ts')],
      outfile: join(out, 'js/webcam-websocket.js'),
      format: 'iife',
    }),
    build({ ...common, entryPoints: [at('client/index.ts')], outfile: join(out, 'js/gaze-relay.mjs'), format: 'esm' }),
    build({
      ...common,
      entryPoints: [at('client/page/live.ts'), at('client/page/report.ts')],
      outdir: join(out, 'js'),
      format: 'esm',
    }),
    build({
      ...common,
      entryPoints: [at('client/dashboard/main.ts')],
      outfile: join(out, 'js/dashboard.js'),
      format: 'esm',
    }),
    ...['index.html', 'report.html', 'style.css'].map((name) => cp(at('client/page', name), join(out, name))),
    cp(at('client/gaze-relay.d.mts'), join(out, 'js/gaze-relay.d.mts')),
    ...['reports.html', 'dashboard.css'].map((name) => cp(at('client/dashboard', name), join(out, name))),
  ]);
  await precompress(out);
  const place = at('dist/client');
  await mkdir(join(place, 'js'), { recursive: true });
  await mkdir(join(place, 'device'), { recursive: true });
  const files = await readdir(out, { recursive: true, withFileTypes: true });
  await Promise.all(
    files
      .filter((entry) => entry.isFile())
      .map(({ parentPath, name }) => rename(join(parentPath, name), join(place, relative(out, parentPath), name))),
  );
  await rm(out, { recursive: true });
  await removeOthers(
    join(place, 'device'),
    files.filter(({ parentPath }) => parentPath === join(out, 'device')),
  );
}

/** Hashed names of earlier builds would gather for ever. */
async function removeOthers(folder: string, wanted: readonly { readonly name: string }[]): Promise<void> {
  const names = new Set(wanted.map(({ name }) => name));
  const stale = (await readdir(folder)).filter((name) => !names.has(name));
  await Promise.all(stale.map((name) => rm(join(folder, name))));
}

/** Writes .br and .gz beside every text file, so that serving them compressed costs nothing. */
async function precompress(folder: string): Promise<void> {
  const files = await readdir(folder, { recursive: true });
  const texts = files.filter((file) => /\.(?:js|mjs|css|html)$/.test(file));
  await Promise.all(
    texts.map(async (file) => {
      const path = join(folder, file);
      const bytes = await readFile(path);
      const [brotli, gzipped] = await Promise.all([
        promisify(brotliCompress)(bytes, { params: { [constants.BROTLI_PARAM_QUALITY]: BROTLI_QUALITY } }),
        promisify(gzip)(bytes),
      ]);
      await Promise.all([writeFile(`${path}.br`, brotli), writeFile(`${path}.gz`, gzipped)]);
    }),
  );
}

/** Models are converted once, and never where they are there already: the converter is a file of its own. */
const converterApart: Plugin = {
  name: 'converter-apart',
  setup(context) {
    context.onResolve({ filter: /^\.\/convert\.ts$/ }, () => ({ path: './convert.mjs', external: true }));
  },
};

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
  inference: ['onnxruntime-node', 'onnxruntime-web', 'sharp', '@jsquash/webp', '@mediapipe/face_mesh'],
};

/**
 * The two services as bundles. Packages with native parts stay outside; which those are, and which files there
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
      entryPoints: {
        main: at('inference/main.ts'),
        worker: at('inference/worker.ts'),
        convert: at('scripts/models/convert.ts'),
      },
      outdir: at('dist/inference'),
      external: OUTSIDE.inference,
      plugins: [converterApart],
    }),
    cp(at('migrations'), at('dist/migrations'), { recursive: true }),
    cp(at('gateway/eyelearn/pages'), at('dist/php'), { recursive: true }),
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
