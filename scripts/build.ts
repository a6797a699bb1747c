import { cp, mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const root = fileURLToPath(new URL('..', import.meta.url));
const at = (...parts: string[]) => join(root, ...parts);

/** Pages and scripts that the gateway serves, into dist/client. */
export async function buildClient(): Promise<void> {
  const out = at('dist/client');
  await rm(out, { recursive: true, force: true });
  await mkdir(join(out, 'js'), { recursive: true });
  const common = { bundle: true, minify: true, sourcemap: true, target: 'es2022', logLevel: 'warning' } as const;
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
    ...['index.html', 'report.html', 'style.css'].map((name) => cp(at('client/page', name), join(out, name))),
  ]);
}

/** The two services as bundles: packages with native parts stay outside. */
export async function buildServices(): Promise<void> {
  const common = {
    bundle: true,
    platform: 'node',
    target: 'node20',
    format: 'esm',
    sourcemap: true,
    outExtension: { '.js': '.mjs' },
    logLevel: 'warning',
    // CommonJS packages inside an ESM bundle still call require().
    banner: { js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);" },
  } as const;
  await Promise.all([
    build({
      ...common,
      entryPoints: [at('gateway/main.ts')],
      outdir: at('dist/gateway'),
      external: ['@libsql/client', 'libsql'],
    }),
    build({
      ...common,
      entryPoints: [at('inference/main.ts'), at('inference/worker.ts')],
      outdir: at('dist/inference'),
      external: ['onnxruntime-node', 'sharp', '@mediapipe/face_mesh'],
    }),
    cp(at('migrations'), at('dist/migrations'), { recursive: true }),
  ]);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const startedMs = performance.now();
  await Promise.all([buildClient(), buildServices()]);
  process.stdout.write(`built into dist/ in ${Math.round(performance.now() - startedMs)} ms\n`);
}
