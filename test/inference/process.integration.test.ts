import { type ChildProcess, execFile, fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { build } from 'esbuild';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { clipFrame, wholeFrame } from '../../harness/clip.ts';
import { waitFor } from '../../harness/wait-for.ts';
import { MODEL_CATALOG } from '../../inference/models/catalog.ts';
import { defaultModelFolder } from '../../inference/models/store.ts';
import { openLink } from './support/link-client.ts';

const MAIN = fileURLToPath(new URL('../../inference/main.ts', import.meta.url));
const TSX = pathToFileURL(createRequire(import.meta.url).resolve('tsx')).href;
const END_WHILE_RUNNING = fileURLToPath(new URL('./support/end-while-running.ts', import.meta.url));

let folder: string;
let started: ChildProcess[] = [];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'gaze-relay-inference-'));
});

afterEach(async () => {
  for (const child of started) if (child.exitCode === null) child.kill('SIGKILL');
  started = [];
  await rm(folder, { recursive: true, force: true });
});

interface Service {
  readonly child: ChildProcess;
  /** Resolves with the port when the service says that it is ready. */
  readonly ready: Promise<number>;
  readonly ended: Promise<{ code: number | null; stderr: string; stdout: string }>;
}

function streamEnd(stream: NodeJS.ReadableStream | null): Promise<unknown> {
  return stream === null ? Promise.resolve() : once(stream, 'end');
}

function start(env: Record<string, string>, main = MAIN): Service {
  const child = fork(main, {
    execArgv: main.endsWith('.ts') ? ['--import', TSX] : [],
    env: { PATH: process.env.PATH ?? '', PORT: '0', INFERENCE_WORKERS: '1', ...env },
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  });
  started.push(child);
  let stderr = '';
  let stdout = '';
  child.stderr?.on('data', (data) => {
    stderr += data;
  });
  child.stdout?.on('data', (data) => {
    stdout += data;
  });
  // Not 'close', which never comes when the parent ends the channel.
  const ended = Promise.all([once(child, 'exit'), streamEnd(child.stdout), streamEnd(child.stderr)]).then(
    ([[code]]) => ({ code: code as number | null, stderr, stdout }),
  );
  const ready = new Promise<number>((resolve, reject) => {
    child.on('message', (message: { type: string; port: number }) => {
      if (message.type === 'ready') resolve(message.port);
    });
    ended.then(() => reject(new Error(`the service ended: ${stderr}`)));
  });
  ready.catch(() => {});
  return { child, ready, ended };
}

describe('the inference process', () => {
  it('says its port when it is ready, serves, and ends with 0 on SIGTERM', async () => {
    const service = start({});
    const port = await service.ready;
    expect(await (await fetch(`http://127.0.0.1:${port}/readyz`)).json()).toMatchObject({ ready: true });
    const link = await openLink(port);
    expect((await link.request(wholeFrame(clipFrame(0)))).status).toBe('ok');
    service.child.kill('SIGTERM');
    expect(await link.closed).toBe(1001);
    expect((await service.ended).code).toBe(0);
  });

  it('logs its life, never a picture or a request', async () => {
    const service = start({});
    const link = await openLink(await service.ready);
    await link.request(wholeFrame(clipFrame(0)));
    await link.request(wholeFrame(new Uint8Array(10)));
    service.child.kill('SIGTERM');
    const lines = (await service.ended).stdout.trim().split('\n');
    expect(lines.map((line) => JSON.parse(line).msg)).toEqual([
      'inference ready',
      'inference draining',
      'inference ended',
    ]);
  });

  it('ends with its parent', async () => {
    const service = start({});
    await service.ready;
    service.child.disconnect();
    expect((await service.ended).code).toBe(0);
  });

  it('lists every fault of its environment at once and ends non-zero', async () => {
    const { code, stderr } = await start({
      PORT: '99999',
      INFERENCE_WORKERS: 'many',
      LOG_LEVEL: 'loud',
      INFERENCE_ENGINE: 'gpu',
    }).ended;
    expect(code).toBe(1);
    expect(stderr).toContain('config_invalid');
    for (const name of ['PORT', 'INFERENCE_WORKERS', 'LOG_LEVEL', 'INFERENCE_ENGINE']) expect(stderr).toContain(name);
  });

  it('says port_in_use when another has its port, and ends non-zero', async () => {
    const other = await new Promise<Server>((resolve) => {
      const listening = createServer().listen(0, '127.0.0.1', () => resolve(listening));
    });
    const address = other.address();
    const port = typeof address === 'object' && address !== null ? address.port : 0;
    const { code, stderr } = await start({ PORT: String(port) }).ended;
    other.close();
    expect(code).toBe(1);
    expect(stderr).toMatch(/^port_in_use: .*PORT/);
  });

  it.each(['model_missing', 'model_corrupt'])('says %s and what to do, and ends non-zero', async (expected) => {
    if (expected === 'model_corrupt') {
      for (const { file } of Object.values(MODEL_CATALOG)) await writeFile(join(folder, file), 'damaged');
    }
    const { code, stderr } = await start({ MODEL_CACHE_DIR: folder }).ended;
    expect(code).toBe(1);
    expect(stderr).toMatch(new RegExp(`^${expected}: .*npm run build`));
  });

  it('fails when a worker hangs in native code at start, and ends although that thread never does', async () => {
    const main = await bundleWith([], folder);
    const library = join(folder, 'node_modules/onnxruntime-node');
    await mkdir(library);
    const fifo = join(folder, 'fifo');
    await promisify(execFile)('mkfifo', [fifo]);
    await writeFile(join(library, 'index.js'), `require('node:fs').readFileSync(${JSON.stringify(fifo)});`);
    const { code, stderr } = await start({ MODEL_CACHE_DIR: defaultModelFolder() }, main).ended;
    expect(stderr).toMatch(/^engine_start_timeout: .*INFERENCE_WORKERS/);
    expect(code).not.toBe(0);
  });

  it('serves with onnx-web, and says so, where the native library does not load', async () => {
    const into = join(folder, 'without-native');
    await mkdir(into);
    const service = start(
      { MODEL_CACHE_DIR: defaultModelFolder() },
      await bundleWith(['onnxruntime-web', 'onnxruntime-common'], into),
    );
    const link = await openLink(await service.ready);
    // A worker that computes for longer than 5 s counts as hung and is replaced, which happens to this engine on a busy machine.
    const answer = await waitFor('an observation', async () => {
      const each = await link.request(wholeFrame(clipFrame(0)));
      return each.status === 'engineFailed' ? undefined : each;
    });
    service.child.kill('SIGTERM');
    const { stdout, code } = await service.ended;
    expect(answer, stdout).toMatchObject({ status: 'ok', observation: { faceCount: 1 } });
    expect(code).toBe(0);
    expect(stdout).toMatch(/onnx-web.*native_unavailable.*engine replaced by a slower one/);
  });

  it('lives on when workers are ended at any moment, also in the middle of native code', async () => {
    const { stdout } = await promisify(execFile)(process.execPath, ['--import', TSX, END_WHILE_RUNNING]);
    expect(stdout.trim()).toBe('12');
  });
});

/** The service bundled as for production, in a folder whose node_modules has those packages and no others. */
async function bundleWith(packages: readonly string[], into: string): Promise<string> {
  const root = fileURLToPath(new URL('../../', import.meta.url));
  await build({
    entryPoints: [join(root, 'inference/main.ts'), join(root, 'inference/worker.ts')],
    outdir: join(into, 'dist/inference'),
    bundle: true,
    platform: 'node',
    target: 'node20',
    format: 'esm',
    outExtension: { '.js': '.mjs' },
    external: ['onnxruntime-node', 'sharp'],
    banner: { js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);" },
  });
  await writeFile(join(into, 'package.json'), '{"type":"module"}');
  await mkdir(join(into, 'node_modules'));
  for (const name of packages) {
    await symlink(join(root, 'node_modules', name), join(into, 'node_modules', name));
  }
  return join(into, 'dist/inference/main.mjs');
}
