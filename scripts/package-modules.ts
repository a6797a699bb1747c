import { existsSync } from 'node:fs';
import { cp, readdir, readFile, rm } from 'node:fs/promises';
import { dirname, join, relative, resolve } from 'node:path';
import { RelayError } from '../shared/errors.ts';

interface Manifest {
  readonly name: string;
  readonly version: string;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
}

/** What a package depends on only while it is installed, by scripts that never run here (`ignore-scripts`). */
const FOR_INSTALLATION: Readonly<Record<string, readonly string[]>> = {
  'onnxruntime-node': ['adm-zip', 'global-agent'],
};

/** Packages that hold types and nothing else. */
const TYPES_ALONE = /^(@types\/|undici-types$)/;

/** Files that no program reads when it runs. Licences and notices stay. */
const NOT_FOR_RUNNING = /\.(d\.[cm]?ts|[cm]?ts|map|md|markdown|cc|h|gyp|flow)$/i;
const LEGAL = /(licen[cs]e|notice|copying|third.?party)/i;

async function manifestOf(folder: string): Promise<Manifest> {
  return JSON.parse(await readFile(join(folder, 'package.json'), 'utf8')) as Manifest;
}

/** Folder of the package that `name` means in a module of `from`, looked for as Node does; null if there is none. */
function resolvePackage(name: string, from: string, top: string): string | null {
  for (let at = from; ; at = dirname(at)) {
    const candidate = join(at, 'node_modules', name);
    if (existsSync(join(candidate, 'package.json'))) return candidate;
    if (at === dirname(top) || at === dirname(at)) return null;
  }
}

/** True for a prebuilt binary of the other C library: npm installs both. */
function isOtherLibc(name: string): boolean {
  if (process.platform !== 'linux') return false;
  const { glibcVersionRuntime } = (process.report.getReport() as { header: { glibcVersionRuntime?: string } }).header;
  return glibcVersionRuntime === undefined ? /-(gnu|glibc)$/.test(name) : /musl/.test(name);
}

/**
 * Folders of the named packages and of all that they depend on, in an installed `node_modules`. Rejects with
 * RelayError `package_missing`.
 */
export async function closureOf(names: readonly string[], nodeModules: string): Promise<Set<string>> {
  const top = resolve(nodeModules);
  const found = new Set<string>();
  const visit = async (name: string, from: string, isOptional: boolean): Promise<void> => {
    if (TYPES_ALONE.test(name)) return;
    const folder = resolvePackage(name, from, top);
    if (folder === null || isOtherLibc(name)) {
      if (isOptional) return;
      throw new RelayError('package_missing', `${name} is not installed in ${nodeModules}`, { hint: 'run `npm ci`' });
    }
    if (found.has(folder)) return;
    found.add(folder);
    const { dependencies = {}, optionalDependencies = {} } = await manifestOf(folder);
    for (const needed of Object.keys(dependencies)) {
      if (FOR_INSTALLATION[name]?.includes(needed) !== true) {
        await visit(needed, folder, needed in optionalDependencies);
      }
    }
    for (const needed of Object.keys(optionalDependencies)) await visit(needed, folder, true);
  };
  for (const name of names) await visit(name, dirname(top), false);
  return found;
}

/** onnxruntime-node brings the binaries of every platform, and what it fetches others with. */
async function trimOnnxruntime(folder: string): Promise<void> {
  await rm(join(folder, 'script'), { recursive: true, force: true });
  const binaries = join(folder, 'bin');
  for (const napi of await readdir(binaries)) {
    for (const platform of await readdir(join(binaries, napi))) {
      const path = join(binaries, napi, platform);
      if (platform !== process.platform) await rm(path, { recursive: true });
      else {
        const others = (await readdir(path)).filter((arch) => arch !== process.arch);
        await Promise.all(others.map((arch) => rm(join(path, arch), { recursive: true })));
      }
    }
  }
}

/** What a package holds beyond what is used of it: cut away after copying. */
const TRIMMED: Readonly<Record<string, (folder: string) => Promise<void>>> = {
  'onnxruntime-node': trimOnnxruntime,
  // The encoders are three quarters of it.
  '@jsquash/webp': (folder) => rm(join(folder, 'codec/enc'), { recursive: true }),
};

/**
 * Copies the named packages and all that they depend on, as far as this platform runs them, and nothing else.
 * Returns the names with versions. Rejects with RelayError `package_missing`.
 */
export async function copyPackages(names: readonly string[], nodeModules: string, out: string): Promise<string[]> {
  const folders = await closureOf(names, nodeModules);
  const copied: string[] = [];
  for (const folder of folders) {
    const target = join(out, relative(resolve(nodeModules), folder));
    await cp(folder, target, {
      recursive: true,
      dereference: true,
      filter: (source) => {
        const path = relative(folder, source);
        // Packages inside this one are in the set by themselves, or not needed.
        if (path.split(/[\\/]/).includes('node_modules')) return false;
        return LEGAL.test(path) || !NOT_FOR_RUNNING.test(path);
      },
    });
    const { name, version } = await manifestOf(folder);
    await TRIMMED[name]?.(target);
    copied.push(`${name}@${version}`);
  }
  return copied.sort();
}
