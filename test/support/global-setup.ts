import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { CHROMIUM, ensureProgram, MARIADB } from '../../harness/debian-packages.ts';
import { buildClient, buildServices } from '../../scripts/build.ts';

/** Finds or installs what the integration tests need, and builds what they start. */
export async function setup(): Promise<void> {
  for (const program of [MARIADB, CHROMIUM]) ensureProgram(program);
  await Promise.all([buildClient(), buildServices()]);
  if (!existsSync(fileURLToPath(new URL('../../dist/gateway/main.mjs', import.meta.url)))) {
    throw new Error('the build left no dist/gateway/main.mjs');
  }
}
