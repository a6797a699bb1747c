import { runAccuracy } from './accuracy/main.ts';

/** The accuracy report: `npm run accuracy -- --help`. */
export async function run(argv: readonly string[]): Promise<void> {
  process.exitCode = await runAccuracy(argv, {
    out: (text) => process.stdout.write(text),
    progress: (text) => process.stderr.write(`${text}\n`),
  });
}
