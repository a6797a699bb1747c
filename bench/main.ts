import { readdir } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { describeError } from '../shared/errors.ts';

/** `npm run bench -- NAME [--json]`: runs bench/NAME.ts, whose `run(argv)` sets the exit code where it found a fault. */
const here = new URL('.', import.meta.url);
const names = (await readdir(fileURLToPath(here)))
  .filter((file) => file.endsWith('.ts') && file !== 'main.ts')
  .map((file) => file.slice(0, -3));
const [name, ...argv] = process.argv.slice(2);

if (name === undefined || !names.includes(name)) {
  process.stderr.write(`bench_unknown: name one of ${names.join(', ') || '(none)'}: npm run bench -- NAME [--json]\n`);
  process.exit(1);
}
const bench = (await import(new URL(`${name}.ts`, here).href)) as { run: (argv: readonly string[]) => Promise<void> };
try {
  await bench.run(argv);
} catch (error) {
  process.stderr.write(`${describeError(error)}\n`);
  process.exit(1);
}
