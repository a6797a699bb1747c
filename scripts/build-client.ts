import { cp, mkdir, mkdtemp, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { brotliCompress, constants, gzip } from 'node:zlib';
import { type BuildOptions, build, type Plugin, transform } from 'esbuild';
import type { GatewayAssets } from '../client/lib/gateway-assets.ts';
import { bundleDeclarations } from './build-declarations.ts';
import { buildDevice, hashOf } from './build-device.ts';

const root = fileURLToPath(new URL('..', import.meta.url));
const at = (...parts: string[]) => join(root, ...parts);

/** The best for scripts that every student loads; the pages for staff are three times as long, and take seconds with it. */
const QUALITY_UP_TO = { bytes: 128 * 1024, quality: constants.BROTLI_MAX_QUALITY };
const QUALITY_BEYOND = 9;

/** `import style from './overlay.css?inline'`: a style sheet, minified, as text. */
const inlineStyles: Plugin = {
  name: 'inline-styles',
  setup(context) {
    context.onResolve({ filter: /\.css\?inline$/ }, ({ path, resolveDir }) => ({
      path: join(resolveDir, path.replace(/\?inline$/, '')),
      namespace: 'inline-style',
    }));
    context.onLoad({ filter: /.*/, namespace: 'inline-style' }, async ({ path }) => {
      const { code } = await transform(await readFile(path, 'utf8'), { loader: 'css', minify: true });
      return { contents: code.trim(), loader: 'text', watchFiles: [path] };
    });
  },
};

const COMMON = {
  bundle: true,
  minify: true,
  target: 'es2022',
  logLevel: 'warning',
  plugins: [inlineStyles],
} satisfies BuildOptions;

/** How a script of EyeLearn's pages is made. */
export function dropInOptions(assets: GatewayAssets, entryPoint = 'client/webcam-websocket.ts'): BuildOptions {
  return {
    ...COMMON,
    define: { GAZE_RELAY_ASSETS: JSON.stringify(assets) },
    entryPoints: [at(entryPoint)],
    format: 'iife',
  };
}

/** A text as it is served to browsers that take brotli. */
export function compress(bytes: Uint8Array): Promise<Buffer> {
  const quality = bytes.length <= QUALITY_UP_TO.bytes ? QUALITY_UP_TO.quality : QUALITY_BEYOND;
  return promisify(brotliCompress)(bytes, { params: { [constants.BROTLI_PARAM_QUALITY]: quality } });
}

/**
 * A script that pages load when they need it, into `out`/device under a name with its hash: a module, or a worker's
 * script (`iife`). Returns its path in `out`.
 */
async function buildLazy(
  out: string,
  name: string,
  entryPoint: string,
  format: 'esm' | 'iife' = 'esm',
): Promise<string> {
  const bundle = await build({ ...COMMON, entryPoints: [at(entryPoint)], format, write: false });
  const script = bundle.outputFiles[0]?.contents ?? new Uint8Array();
  const path = `device/${name}-${hashOf(script)}.${format === 'esm' ? 'mjs' : 'js'}`;
  await writeFile(join(out, path), script);
  return path;
}

/** What pages load on demand, into `out`/device. Resolves with the names. */
export async function buildAssets(out: string): Promise<GatewayAssets> {
  await mkdir(join(out, 'device'), { recursive: true });
  const [device, calibration, lessonWidget, captureWorker, deviceMode, transports, pageTrouble] = await Promise.all([
    buildDevice(out),
    buildLazy(out, 'calibration', 'client/calibration/calibrate.ts'),
    buildLazy(out, 'lesson-widget', 'client/eyelearn/lesson-widget.ts'),
    buildLazy(out, 'capture', 'client/capture/capture-worker.ts', 'iife'),
    buildLazy(out, 'device-mode', 'client/session/device-mode.ts'),
    buildLazy(out, 'transports', 'client/connection/transports.ts'),
    buildLazy(out, 'page-trouble', 'client/widget/page-trouble.ts'),
  ]);
  return { ...device, calibration, lessonWidget, captureWorker, deviceMode, transports, pageTrouble };
}

/** Pages and scripts that the gateway serves, into dist/client. */
export async function buildClient(): Promise<void> {
  // Built beside its place and moved there file by file: a gateway that serves from it never misses one.
  await mkdir(at('dist'), { recursive: true });
  const out = await mkdtemp(at('dist/client-'));
  await mkdir(join(out, 'js'));
  const assets = await buildAssets(out);
  const dropIn = { ...dropInOptions(assets), sourcemap: true };
  const modules = { ...dropIn, format: 'esm' } satisfies BuildOptions;
  await Promise.all([
    build({ ...dropIn, outfile: join(out, 'js/webcam-websocket.js') }),
    // The same script under both names that the platform's versions load.
    ...['cv-eye-tracking.js', 'cv-eye-tracking-client.js'].map((name) =>
      build({ ...dropIn, entryPoints: [at('client/cv-eye-tracking.ts')], outfile: join(out, 'js', name) }),
    ),
    build({ ...modules, entryPoints: [at('client/index.ts')], outfile: join(out, 'js/gaze-relay.mjs') }),
    build({
      ...modules,
      entryPoints: [at('client/page/live.ts')],
      outdir: join(out, 'js'),
    }),
    build({ ...modules, entryPoints: [at('client/dashboard/main.ts')], outfile: join(out, 'js/dashboard.js') }),
    ...['index.html', 'style.css'].map((name) => cp(at('client/page', name), join(out, name))),
    bundleDeclarations().then((types) => writeFile(join(out, 'js/gaze-relay.d.mts'), types)),
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
      const [brotli, gzipped] = await Promise.all([compress(bytes), promisify(gzip)(bytes)]);
      await Promise.all([writeFile(`${path}.br`, brotli), writeFile(`${path}.gz`, gzipped)]);
    }),
  );
}
