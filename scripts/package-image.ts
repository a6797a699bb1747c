import { cp, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { MODEL_CATALOG, SERVED_MODELS } from '../inference/models/catalog.ts';
import { loadModels } from '../inference/models/store.ts';
import { describeError, RelayError } from '../shared/errors.ts';
import { copyPackages } from './package-modules.ts';

export const IMAGE_SERVICES = ['gateway', 'inference'] as const;
export type ImageService = (typeof IMAGE_SERVICES)[number];

/** Where the converted models are in inference's image; its Dockerfile says the same. */
export const IMAGE_MODELS = 'models';

/** What each service takes of the built tree besides its scripts. */
const PARTS: Readonly<Record<ImageService, readonly string[]>> = {
  gateway: ['dist/client', 'dist/migrations', 'dist/php'],
  inference: [],
};

/** Imported where onnxruntime-node does not load alone, which it does in these images. */
const LEFT_OUT = ['onnxruntime-web'];

/** Written by the build for this script. */
const CONTENTS = 'dist/contents.json';

/** What the build says of one service. */
interface BuiltContents {
  /** Imported packages that are not in the bundle. */
  readonly packages: readonly string[];
  /** Scripts, relative to the project's root. */
  readonly files: readonly string[];
}

export interface ImageOptions {
  readonly service: ImageService;
  /** The project's folder after `npm run build`. */
  readonly tree: string;
  /** An installed node_modules to take packages from: that of `npm ci --omit=dev`, or any with at least as much. */
  readonly nodeModules: string;
  /** A folder that is made anew. */
  readonly out: string;
}

/** Reads what the build in `tree` has for a service. Rejects with RelayError `not_built`. */
export async function builtContents(tree: string, service: ImageService): Promise<BuiltContents> {
  try {
    const contents = JSON.parse(await readFile(join(tree, CONTENTS), 'utf8')) as Record<ImageService, BuiltContents>;
    return contents[service];
  } catch (cause) {
    throw new RelayError('not_built', `${CONTENTS} cannot be read`, { hint: 'run `npm run build`', cause });
  }
}

/**
 * Puts together all that a service's container holds beside Node: bundle, packages with native parts, pages
 * and migrations or models. Returns the packages with versions. Rejects with
 * RelayError `not_built`, `package_missing` or as loadModels.
 */
export async function assembleImage({ service, tree, nodeModules, out }: ImageOptions): Promise<string[]> {
  await rm(out, { recursive: true, force: true });
  await mkdir(out, { recursive: true });
  const built = await builtContents(tree, service);
  for (const part of [...built.files, ...PARTS[service], 'LICENSE', 'NOTICE']) {
    await cp(join(tree, part), join(out, part), { recursive: true, filter: (path) => !path.endsWith('.map') });
  }
  const { name, version, license } = JSON.parse(await readFile(join(tree, 'package.json'), 'utf8'));
  const manifest = { name: `${name}-${service}`, version, license, private: true, type: 'module' };
  await writeFile(join(out, 'package.json'), `${JSON.stringify(manifest, null, 2)}\n`);
  const wanted = built.packages.filter((name) => !LEFT_OUT.includes(name));
  const packages = await copyPackages(wanted, nodeModules, join(out, 'node_modules'));
  if (service === 'inference') {
    const files = await loadModels(join(tree, '.cache', 'models'), SERVED_MODELS);
    await mkdir(join(out, IMAGE_MODELS));
    await Promise.all(
      SERVED_MODELS.map((model) => writeFile(join(out, IMAGE_MODELS, MODEL_CATALOG[model].file), files[model])),
    );
  }
  return packages;
}

async function main(): Promise<void> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { modules: { type: 'string', default: 'node_modules' } },
  });
  const service = IMAGE_SERVICES.find((known) => known === positionals[0]);
  const out = positionals[1];
  if (service === undefined || out === undefined) {
    throw new RelayError('option_invalid', 'usage: package-image.ts gateway|inference OUT [--modules NODE_MODULES]');
  }
  const packages = await assembleImage({ service, tree: '.', nodeModules: values.modules, out });
  process.stdout.write(`${service} with ${packages.join(', ')} is in ${out}\n`);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  main().catch((error) => {
    process.stderr.write(`${describeError(error)}\n`);
    process.exit(1);
  });
}
