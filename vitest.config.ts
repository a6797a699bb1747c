import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

/** It is no dependency (docs/railway.md), because it wants Node 22. */
const RAILWAY = { 'railway/iac': fileURLToPath(new URL('test/support/railway-iac.ts', import.meta.url)) };

/** Limits that a busy machine does not reach: they end a test that hangs, and say nothing about speed. */
const PATIENT = { testTimeout: 60_000, expect: { poll: { timeout: 60_000, interval: 20 } } };

/** What every project of real parts has in common. */
const REAL = {
  ...PATIENT,
  globalSetup: ['test/support/global-setup.ts'],
  testTimeout: 120_000,
  hookTimeout: 300_000,
};

// `*.test.ts` touch no process, port or file outside the project; `*.integration.test.ts` use the real parts.
// Browsers and benches have the machine to themselves: pictures that come too late are not what they test. The dashboard and
// the accuracy report have no camera.
const ALONE = ['test/e2e/**/!(dashboard).integration.test.ts', 'test/bench/**/!(accuracy).integration.test.ts'];

export default defineConfig({
  test: {
    projects: [
      {
        test: {
          ...PATIENT,
          name: 'unit',
          include: ['test/**/*.test.ts'],
          exclude: ['test/**/*.integration.test.ts'],
          sequence: { groupOrder: 0 },
        },
      },
      {
        resolve: { alias: RAILWAY },
        test: {
          ...REAL,
          name: 'integration',
          include: ['test/**/*.integration.test.ts'],
          exclude: ALONE,
          maxWorkers: 2,
          sequence: { groupOrder: 1 },
        },
      },
      {
        test: {
          ...REAL,
          name: 'e2e',
          include: ALONE,
          maxWorkers: 1,
          fileParallelism: false,
          sequence: { groupOrder: 2 },
        },
      },
    ],
  },
});
