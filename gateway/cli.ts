import { runCli } from './cli/commands.ts';

process.title = 'gaze-relay operator';

process.exitCode = await runCli(process.argv.slice(2), {
  env: process.env,
  now: Date.now,
  out: (text) => process.stdout.write(`${text}\n`),
  err: (text) => process.stderr.write(`${text}\n`),
});
