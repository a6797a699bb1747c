import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';

const SCRIPT = fileURLToPath(new URL('../../bench/main.ts', import.meta.url));

it('students who study for a while are all there, nothing grows, and their totals are the truth to the millisecond', async () => {
  const argv = ['--import', 'tsx', SCRIPT, 'soak', '--no-build', '--json', '--minutes', '0.8', '--students', '20'];
  const { stdout } = await promisify(execFile)(process.execPath, argv, { maxBuffer: 10_000_000 }).catch(
    // What grew or was lost is in the summary, not in the exit status alone.
    (error: { stdout: string }) => error,
  );
  const summary = JSON.parse(stdout.trim().split('\n').at(-1) ?? '');
  expect(summary).toMatchObject({ students: 20, disconnected: 0, maxErrorMs: 0, grew: [] });
  expect(summary.samples.length).toBeGreaterThanOrEqual(4);
});
