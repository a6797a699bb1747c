import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { CHROMIUM, ensureProgram, MARIADB } from '../../harness/debian-packages.ts';
import { installMariaDb, TEMPLATE_VARIABLE } from '../../harness/mariadb.ts';
import { buildClient, buildServices } from '../../scripts/build.ts';

const BUILT = fileURLToPath(new URL('../../dist/gateway/main.mjs', import.meta.url));

/** Set by the first project that runs in this process: the next one finds everything there. */
let prepared = false;

/** Finds or installs what the integration tests need, builds what they start, and makes a data folder for databases. */
export async function setup(): Promise<(() => Promise<void>) | undefined> {
  if (prepared) return undefined;
  prepared = true;
  for (const program of [MARIADB, CHROMIUM]) ensureProgram(program);
  const folder = await mkdtemp(join(tmpdir(), 'gaze-relay-tests-'));
  const template = join(folder, 'mariadb');
  await Promise.all([buildClient(), buildServices(), installMariaDb(template)]);
  if (!existsSync(BUILT)) throw new Error('the build left no dist/gateway/main.mjs');
  process.env[TEMPLATE_VARIABLE] = template;
  return () => rm(folder, { recursive: true, force: true });
}
