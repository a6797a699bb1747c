import { runAccuracy } from './accuracy/main.ts';

process.exitCode = await runAccuracy(process.argv.slice(2), {
  out: (text) => process.stdout.write(text),
  progress: (text) => process.stderr.write(`${text}\n`),
});
