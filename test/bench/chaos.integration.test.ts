import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';

const SCRIPT = fileURLToPath(new URL('../../bench/main.ts', import.meta.url));
const STUDENTS = 12;

describe('gateway, inference, database, link and PHP killed at random', () => {
  it('lose no window, count none twice, and keep every student within a second of the truth', async () => {
    const { stdout } = await promisify(execFile)(
      process.execPath,
      [
        '--import',
        'tsx',
        SCRIPT,
        'chaos',
        '--no-build',
        '--json',
        '--students',
        `${STUDENTS}`,
        '--seconds',
        '15',
        '--seed',
        '7',
      ],
      { maxBuffer: 10_000_000 },
    );
    const summary = JSON.parse(stdout.trim().split('\n').at(-1) ?? '');
    expect(summary).toMatchObject({ students: STUDENTS, duplicates: 0 });
    expect(summary.faults).toBeGreaterThan(5);
    expect(summary.windowsExpected).toBeGreaterThan(STUDENTS);
    expect(summary.windowsStored).toBe(summary.windowsExpected);
    expect(summary.maxErrorMs).toBeLessThanOrEqual(1000);
    // EyeLearn's rows hold whole seconds of each kind: at most two short of the truth for each student.
    expect(summary.phpStoredSeconds).toBeLessThanOrEqual(summary.phpTruthSeconds + STUDENTS);
    expect(summary.phpStoredSeconds).toBeGreaterThanOrEqual(summary.phpTruthSeconds - 3 * STUDENTS);
  });
});
