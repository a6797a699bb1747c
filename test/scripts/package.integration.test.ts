import { type ChildProcess, execFile, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync } from 'node:fs';
import { chmod, chown, mkdir, mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CLIP_FRAMES } from '../../harness/clip.ts';
import { ORIGIN, SECRET } from '../../harness/gateway.ts';
import { frameMessage, Peer } from '../../harness/peer.ts';
import { folderBytes, isIgnored, LIMIT_MB } from '../../scripts/package.ts';
import { assembleImage, builtContents, IMAGE_MODELS, type ImageService } from '../../scripts/package-image.ts';
import { dockerfileStages, imageProcess } from '../support/dockerfile.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const SERVICES: readonly ImageService[] = ['gateway', 'inference'];
const isRoot = process.getuid?.() === 0;
/** `nobody` on every Unix. */
const NOBODY = { uid: 65_534, gid: 65_534 };

let work: string;
let dataDir: string;
let home: string;
const packages = new Map<ImageService, string[]>();

const imageOf = (service: ImageService) => join(work, service);

beforeAll(async () => {
  work = await mkdtemp(join(tmpdir(), 'gaze-relay-images-'));
  await chmod(work, 0o755);
  for (const service of SERVICES) {
    const options = { service, tree: ROOT, nodeModules: join(ROOT, 'node_modules'), out: imageOf(service) };
    packages.set(service, await assembleImage(options));
  }
  dataDir = join(work, 'data');
  await mkdir(dataDir);
  home = join(work, 'home');
  await mkdir(home);
  if (isRoot) for (const path of [dataDir, home]) await chown(path, NOBODY.uid, NOBODY.gid);
  // As with a read-only root file system: nothing but DATA_DIR may be written.
  for (const service of SERVICES) execFileSync('chmod', ['-R', 'a-w', imageOf(service)]);
});

afterAll(async () => {
  for (const service of SERVICES) {
    execFileSync('chmod', ['-R', 'u+w', imageOf(service)]);
    chmodSync(imageOf(service), 0o755);
  }
  await rm(work, { recursive: true, force: true });
});

interface Started {
  readonly child: ChildProcess;
  readonly port: number;
  readonly env: Record<string, string>;
}

/** Environment of a container: what the Dockerfile sets, with paths of this machine, and what is given. */
function environment(service: ImageService, given: Record<string, string>): Record<string, string> {
  const { env } = imageProcess(service);
  const here = Object.fromEntries(
    Object.entries(env).map(([name, value]) => [name, value.replace(/^\/app/, imageOf(service))]),
  );
  return { ...here, PORT: '0', LOG_LEVEL: 'warn', ...given };
}

/** Starts an image's own command, as nobody where we are root. */
async function start(service: ImageService, given: Record<string, string>): Promise<Started> {
  const [, ...args] = imageProcess(service).command;
  const env = environment(service, given);
  const child = spawn(process.execPath, args, {
    cwd: imageOf(service),
    env,
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    ...(isRoot ? NOBODY : {}),
  });
  const [message] = (await Promise.race([
    once(child, 'message'),
    once(child, 'exit').then(([code]) => Promise.reject(new Error(`${service} ended with ${code}`))),
  ])) as [{ port: number }];
  return { child, port: message.port, env: { ...env, PORT: String(message.port) } };
}

async function end({ child }: Started): Promise<number | null> {
  const exited = once(child, 'exit');
  child.kill('SIGTERM');
  const [code] = await exited;
  return code;
}

describe('what a container holds', () => {
  it.each(SERVICES)('%s stays below its limit', async (service) => {
    const bytes = await folderBytes(imageOf(service));
    expect(bytes).toBeLessThanOrEqual(LIMIT_MB[service] * 1e6);
    // An empty one would, too.
    expect(bytes).toBeGreaterThan(10e6);
  });

  it('gateway: the database file and nothing of vision', () => {
    const names = packages.get('gateway')?.map((name) => name.replace(/@[^@]*$/, '')) ?? [];
    expect(names).toContain('libsql');
    expect(names.filter((name) => /onnx|sharp|@img|mediapipe|tensorflow|mysql|hono|zod/.test(name))).toEqual([]);
    expect(names.filter((name) => name.startsWith('@libsql/linux-')).length).toBeLessThanOrEqual(1);
  });

  it('inference: engine and decoder; neither the converter nor what only installs', () => {
    const names = packages.get('inference')?.map((name) => name.replace(/@[^@]*$/, '')) ?? [];
    expect(names).toEqual(expect.arrayContaining(['onnxruntime-node', 'onnxruntime-common', 'sharp']));
    const unwanted = /flatbuffers|protobufjs|mediapipe|tensorflow|global-agent|adm-zip|onnxruntime-web/;
    expect(names.filter((name) => unwanted.test(name))).toEqual([]);
  });

  it("inference: of the engine's binaries those of this platform alone", async () => {
    const binaries = join(imageOf('inference'), 'node_modules/onnxruntime-node/bin/napi-v6');
    expect(await readdir(binaries)).toEqual([process.platform]);
    expect(await readdir(join(binaries, process.platform))).toEqual([process.arch]);
  });

  it.each(SERVICES)(
    '%s: every package that its bundle imports is found inside, but for the fallback engine',
    async (service) => {
      const { packages: imported } = await builtContents(ROOT, service);
      const inside = createRequire(join(imageOf(service), 'package.json'));
      expect(imported.length).toBeGreaterThan(0);
      for (const name of imported) {
        if (name !== 'onnxruntime-web') expect(inside.resolve(name)).toContain(imageOf(service));
      }
    },
  );

  it.each(SERVICES)('%s: no sources, types or maps, but the licences', async (service) => {
    const files = await readdir(imageOf(service), { recursive: true });
    expect(files.filter((file) => /\.(map|ts)$/.test(file))).toEqual([]);
    expect(files).toEqual(expect.arrayContaining(['LICENSE', 'NOTICE']));
  });
});

describe('Dockerfiles', () => {
  it.each(SERVICES)('%s: by these steps, as a user, and only with known instructions of Railway', (service) => {
    const stages = dockerfileStages(service);
    const build = stages.slice(0, -1).join('\n');
    for (const step of ['npm ci --omit=dev', 'npm run build', `scripts/package-image.ts ${service} /image`]) {
      expect(build).toContain(`${step}`);
    }
    expect(imageProcess(service).user).toBe('node');
    expect(stages.join('\n')).not.toMatch(/^VOLUME/m);
  });

  it('inference finds its models where they are put', () => {
    expect(imageProcess('inference').env.MODEL_CACHE_DIR).toBe(`/app/${IMAGE_MODELS}`);
  });
});

describe('.dockerignore', () => {
  it('keeps back what is not built from, secrets first, and lets everything else through', async () => {
    const lines = (await readFile(join(ROOT, '.dockerignore'), 'utf8'))
      .split('\n')
      .filter((line) => /^[^#]/.test(line));
    for (const path of [
      '.env',
      '.git/config',
      'node_modules/ws/index.js',
      'data/spool.db',
      'harness/clips/cap12.mjpeg',
    ]) {
      expect(isIgnored(path, lines)).toBe(true);
    }
    for (const path of ['.npmrc', 'package.json', 'gateway/main.ts', 'client/page/index.html', 'LICENSE', 'NOTICE']) {
      expect(isIgnored(path, lines)).toBe(false);
    }
  });
});

describe('both images, as an unprivileged user', () => {
  it('play a frame: ticket from the CLI, picture in, face out, time counted; health checked; SIGTERM ends both', async () => {
    const inference = await start('inference', { INFERENCE_WORKERS: '1', HOME: home, XDG_CACHE_HOME: '' });
    const gateway = await start('gateway', {
      DATA_DIR: dataDir,
      RELAY_JWT_SECRET: SECRET,
      ALLOWED_ORIGINS: ORIGIN,
      INFERENCE_URL: `http://localhost:${inference.port}`,
    });
    try {
      const ask = (...argv: string[]) =>
        promisify(execFile)(process.execPath, ['dist/gateway/cli.mjs', ...argv], {
          cwd: imageOf('gateway'),
          env: gateway.env,
          ...(isRoot ? NOBODY : {}),
        });
      const { stdout: ticket } = await ask('mint-ticket', '--user', '7', '--module', '3');
      const peer = await Peer.open(`http://localhost:${gateway.port}`, { origin: ORIGIN });
      await peer.hello(ticket.trim());
      await peer.start();
      const frames = CLIP_FRAMES.slice(0, 3);
      for (const [seq, image] of frames.entries()) {
        peer.send(frameMessage(seq, seq * 100, image));
        expect((await peer.update(seq)).seq).toBe(seq);
      }
      expect(peer.updates.at(-1)).toMatchObject({ outcome: 'processed' });
      const stopped = await peer.stop(300);
      await peer.close();
      expect(stopped.type).toBe('stopped');
      for (const [service, { env }] of [
        ['gateway', gateway],
        ['inference', inference],
      ] as const) {
        const [, ...args] = imageProcess(service).healthcheck;
        await promisify(execFile)(process.execPath, args, { env });
      }
      const examined = JSON.parse((await ask('doctor', '--json')).stdout);
      expect(examined.ok).toBe(true);
      // Where the engine's library keeps a device's number and reports to its maker, if it is let.
      expect(await readdir(home)).toEqual([]);
    } finally {
      expect([await end(gateway), await end(inference)]).toEqual([0, 0]);
    }
  });

  it('a health check of nothing fails', async () => {
    const [, ...args] = imageProcess('gateway').healthcheck;
    await expect(promisify(execFile)(process.execPath, args, { env: { PORT: '1' } })).rejects.toMatchObject({
      code: 1,
    });
  });

  it('a gateway without a secret fails with a message instead of listening', async () => {
    const [, ...args] = imageProcess('gateway').command;
    await expect(
      promisify(execFile)(process.execPath, args, { cwd: imageOf('gateway'), env: environment('gateway', {}) }),
    ).rejects.toMatchObject({ code: 1, stderr: expect.stringContaining('RELAY_JWT_SECRET: is needed') });
  });
});

/** True where we may make a process the first of its own PID namespace, as a container engine does. */
function mayUnshare(): boolean {
  try {
    execFileSync('unshare', ['--pid', '--fork', 'true'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

describe.runIf(mayUnshare())('as PID 1', () => {
  it.each(SERVICES)('%s hears SIGTERM and ends well', async (service) => {
    const [, ...args] = imageProcess(service).command;
    const env = environment(service, {
      DATA_DIR: join(work, 'pid1'),
      RELAY_JWT_SECRET: SECRET,
      ALLOWED_ORIGINS: ORIGIN,
    });
    const outer = spawn('unshare', ['--pid', '--fork', '--kill-child', process.execPath, ...args], {
      cwd: imageOf(service),
      env: { PATH: process.env.PATH, ...env, LOG_LEVEL: 'info' },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const exited = once(outer, 'exit');
    let log = '';
    const said = new Promise<string>((resolve) => {
      outer.stdout.on('data', (chunk) => {
        log += chunk;
        const line = log.split('\n').find((text) => /"msg":"(gateway listening|inference ready)"/.test(text));
        if (line !== undefined) resolve(line);
      });
    });
    const entry = JSON.parse(await said) as { pid: number };
    expect(entry.pid).toBe(1);
    const children = await readFile(`/proc/${outer.pid}/task/${outer.pid}/children`, 'utf8');
    process.kill(Number(children.trim()), 'SIGTERM');
    expect((await exited)[0]).toBe(0);
  });
});
