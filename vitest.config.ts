import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

/** It is no dependency (docs/railway.md), because it wants Node 22. */
const RAILWAY = { 'railway/iac': fileURLToPath(new URL('test/support/railway-iac.ts', import.meta.url)) };

// `*.test.ts` touch no process, port or file outside the project; `*.integration.test.ts` use the real parts.
export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: 'unit',
          include: ['test/**/*.test.ts'],
          exclude: ['test/**/*.integration.test.ts'],
        },
      },
      {
        resolve: { alias: RAILWAY },
        test: {
          name: 'integration',
          include: ['test/**/*.integration.test.ts'],
          globalSetup: ['test/support/global-setup.ts'],
          testTimeout: 120_000,
          hookTimeout: 300_000,
          fileParallelism: false,
        },
      },
    ],
  },
});
