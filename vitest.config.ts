import { defineConfig } from 'vitest/config';

// Unit tests touch no process, port or file outside the project; the others use the real parts.
export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: 'unit',
          include: ['test/shared/**/*.test.ts', 'test/unit/**/*.test.ts', 'test/client/**/*.test.ts'],
        },
      },
      {
        test: {
          name: 'integration',
          include: [
            'test/gateway/**/*.test.ts',
            'test/inference/**/*.test.ts',
            'test/scripts/**/*.test.ts',
            'test/e2e/**/*.test.ts',
          ],
          globalSetup: ['test/support/global-setup.ts'],
          testTimeout: 120_000,
          hookTimeout: 300_000,
          fileParallelism: false,
        },
      },
    ],
  },
});
