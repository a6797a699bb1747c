import { execFile } from 'node:child_process';
import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { build } from 'esbuild';
import { buildAssets, dropInOptions } from './build-client.ts';
import { bundleDeclarations } from './build-declarations.ts';

const root = fileURLToPath(new URL('..', import.meta.url));
const at = (...parts: string[]) => join(root, ...parts);

/** What is imported by name, and from which file of client/. */
const ENTRIES = { index: 'client/index.ts', element: 'client/element.ts' };

const README = `# gaze-relay-client

Webcam focus tracking in a page, for a gaze-relay gateway of the same version: parts that a page needs only at times (device
mode, calibration, POSTs in place of a WebSocket) are loaded from the gateway.

\`\`\`js
import { WebcamWebSocket } from 'gaze-relay-client';

const tracker = new WebcamWebSocket({ serverUrl: 'https://relay.example', ticketUrl: '/ticket', onTrackingUpdate: console.log });
await tracker.initialize(userId, moduleId, sectionId);
\`\`\`

As an element, in any framework:

\`\`\`html
<script type="module">import 'gaze-relay-client/element';</script>
<gaze-relay server-url="https://relay.example" ticket-url="/ticket" user-id="7" module-id="22" section-id="82"></gaze-relay>
\`\`\`
`;

/** Writes the client as an npm package, ES modules with types, into `folder`. */
export async function writeClientPackage(folder: string): Promise<void> {
  const { version, license } = JSON.parse(await readFile(at('package.json'), 'utf8')) as Record<string, string>;
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { recursive: true });
  // Their names alone are wanted: pages load them from the gateway.
  const loaded = await mkdtemp(join(tmpdir(), 'gaze-relay-assets-'));
  const assets = await buildAssets(loaded);
  await rm(loaded, { recursive: true });
  await build({
    ...dropInOptions(assets),
    entryPoints: Object.fromEntries(Object.entries(ENTRIES).map(([name, path]) => [name, at(path)])),
    outdir: folder,
    format: 'esm',
    splitting: true,
    minify: false,
    chunkNames: 'shared',
  });
  for (const [name, path] of Object.entries(ENTRIES)) {
    await writeFile(join(folder, `${name}.d.ts`), await bundleDeclarations(path));
  }
  const entry = (name: string) => ({ types: `./${name}.d.ts`, default: `./${name}.js` });
  const manifest = {
    name: 'gaze-relay-client',
    version,
    description: 'Webcam focus tracking in a page, for a gaze-relay gateway.',
    license,
    type: 'module',
    exports: { '.': entry('index'), './element': entry('element'), './package.json': './package.json' },
    sideEffects: ['./element.js'],
    files: ['*.js', '*.d.ts', 'LICENSE', 'NOTICE'],
  };
  await writeFile(join(folder, 'package.json'), `${JSON.stringify(manifest, null, 2)}\n`);
  await writeFile(join(folder, 'README.md'), README);
  await Promise.all(['LICENSE', 'NOTICE'].map((name) => cp(at(name), join(folder, name))));
}

/** Packs a folder with npm; resolves with the path of the archive, which is in the folder. */
export async function packFolder(folder: string): Promise<string> {
  const { stdout } = await promisify(execFile)('npm', ['pack', '--json'], { cwd: folder });
  const [packed] = JSON.parse(stdout) as { filename: string }[];
  if (packed === undefined) throw new Error('npm pack wrote no archive');
  return join(folder, packed.filename);
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const folder = at('dist/client-package');
  await writeClientPackage(folder);
  process.stdout.write(`${await packFolder(folder)}\n`);
}
