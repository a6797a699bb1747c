import { execFileSync } from 'node:child_process';
import { cp, mkdir, mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { describeError, RelayError } from '../shared/errors.ts';
import { assembleImage, IMAGE_SERVICES, type ImageService } from './package-image.ts';

const ROOT = fileURLToPath(new URL('..', import.meta.url));

/** Most that may stand beside Node in a container, MB of 10^6 bytes. */
export const LIMIT_MB: Readonly<Record<ImageService, number>> = { gateway: 25, inference: 150 };

/** Sum of the files in a folder, bytes. */
export async function folderBytes(folder: string): Promise<number> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const sizes = await Promise.all(
    entries
      .filter((entry) => entry.isFile())
      .map(async (entry) => (await stat(join(entry.parentPath, entry.name))).size),
  );
  return sizes.reduce((sum, size) => sum + size, 0);
}

function run(cwd: string, program: string, ...args: readonly string[]): void {
  process.stderr.write(`${program} ${args.join(' ')}\n`);
  execFileSync(program, args, { cwd, stdio: ['ignore', process.stderr, 'inherit'] });
}

/** True for what .dockerignore keeps from the build: of its lines, which name things at the root, the last that fits. */
export function isIgnored(path: string, lines: readonly string[]): boolean {
  return lines.reduce((ignored, line) => {
    const isException = line.startsWith('!');
    const pattern = line.slice(isException ? 1 : 0).replace(/[.+^${}()|[\]\\]/g, '\\$&');
    const fits = new RegExp(`^${pattern.replaceAll('*', '[^/]*')}(/|$)`).test(path);
    return fits ? !isException : ignored;
  }, false);
}

/** Files that git tracks, as they are now, less those that .dockerignore names: what a container's build is sent. */
async function copyContext(to: string): Promise<void> {
  const lines = (await readFile(join(ROOT, '.dockerignore'), 'utf8')).split('\n').filter((line) => /^[^#]/.test(line));
  const files = execFileSync('git', ['ls-files', '-z'], { cwd: ROOT, encoding: 'utf8' }).split('\0').filter(Boolean);
  for (const file of files.filter((path) => !isIgnored(path, lines))) {
    await mkdir(dirname(join(to, file)), { recursive: true });
    await cp(join(ROOT, file), join(to, file));
  }
}

/** The steps of both Dockerfiles in a clean folder, without a container engine, and what comes out of them. */
async function main(): Promise<void> {
  const { values } = parseArgs({ options: { out: { type: 'string' }, json: { type: 'boolean', default: false } } });
  const work = await mkdtemp(join(tmpdir(), 'gaze-relay-package-'));
  const out = resolve(values.out ?? join(work, 'images'));
  try {
    const tree = join(work, 'build');
    await copyContext(tree);
    run(tree, 'npm', 'ci');
    run(tree, 'npm', 'run', 'build');
    const production = join(work, 'modules');
    await mkdir(production);
    for (const file of ['package.json', 'package-lock.json', '.npmrc'])
      await cp(join(ROOT, file), join(production, file));
    run(production, 'npm', 'ci', '--omit=dev');
    const report: Record<string, { bytes: number; limitMb: number; packages: string[] }> = {};
    for (const service of IMAGE_SERVICES) {
      const image = join(out, service);
      const nodeModules = join(production, 'node_modules');
      const packages = await assembleImage({ service, tree, nodeModules, out: image });
      report[service] = { bytes: await folderBytes(image), limitMb: LIMIT_MB[service], packages };
    }
    if (values.json) process.stdout.write(`${JSON.stringify(report)}\n`);
    for (const [service, { bytes, limitMb, packages }] of Object.entries(report)) {
      const size = `${(bytes / 1e6).toFixed(1)} MB of ${limitMb}`;
      if (!values.json) process.stdout.write(`${service}: ${size}, with ${packages.join(', ')}\n`);
      if (bytes > limitMb * 1e6) throw new RelayError('image_too_large', `${service} has ${size} MB`);
    }
    if (values.out !== undefined && !values.json) process.stdout.write(`both are in ${out}\n`);
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  main().catch((error) => {
    process.stderr.write(`${describeError(error)}\n`);
    process.exit(1);
  });
}
