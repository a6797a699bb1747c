import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { contributingWithMap, edgesOf, faultsOf } from './imports/check.ts';
import { ROOMS } from './imports/map.ts';

/**
 * `npm run imports`: fails on an import that the map (scripts/imports/map.ts) does not allow, and on an import circle.
 * With --write it also renews the map in CONTRIBUTING.md.
 */
process.chdir(fileURLToPath(new URL('..', import.meta.url)));
const folders = new Set(Object.keys(ROOMS).map((name) => name.split('/', 1)[0] ?? name));
const files = [...folders].flatMap((folder) =>
  readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((file) => /\.m?ts$/.test(file))
    .map((file) => `${folder}/${file.replaceAll('\\', '/')}`),
);
const edges = edgesOf(new Map(files.map((file) => [file, readFileSync(file, 'utf8')])));
const faults = faultsOf(edges);
for (const fault of faults) process.stderr.write(`${fault}\n`);
if (faults.length > 0) process.exitCode = 1;
else process.stdout.write(`${files.length} files, ${edges.length} imports: all as the map allows, no circle\n`);
if (process.argv.includes('--write')) {
  writeFileSync('CONTRIBUTING.md', contributingWithMap(readFileSync('CONTRIBUTING.md', 'utf8')));
}
