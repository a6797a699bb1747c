import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';

const SCRIPT = fileURLToPath(new URL('../../bench/main.ts', import.meta.url));

it('the built product holds against every attack in its short form, and the student who is there keeps all time', async () => {
  const argv = ['--import', 'tsx', SCRIPT, 'attack', '--short', '--no-build', '--json', '--seed', '3'];
  const { stdout } = await promisify(execFile)(process.execPath, argv, { maxBuffer: 10_000_000 }).catch(
    // A broken promise is in the table, not in the exit status alone.
    (error: { stdout: string }) => error,
  );
  const { broken, rows } = JSON.parse(stdout.trim().split('\n').at(-1) ?? '') as { broken: string[]; rows: unknown[] };
  expect(broken).toEqual([]);
  expect(rows.length).toBeGreaterThan(10);
});
