import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { lockDataDir } from '../../../gateway/lib/data-dir-lock.ts';
import { SILENT, startTestGateway } from '../../../harness/gateway.ts';

let dataDir: string;

beforeEach(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'relay-lock-'));
});

afterEach(async () => {
  await rm(dataDir, { recursive: true, force: true });
});

describe('one data folder, two gateways', () => {
  it('the second is refused with a code, and the first keeps its windows', async () => {
    const first = await startTestGateway({}, { dataDir });
    await expect(lockDataDir(dataDir, { logger: SILENT, waitMs: 0 })).rejects.toMatchObject({
      code: 'data_dir_in_use',
    });
    await first.dispose();
  });

  it('it waits for one that is closing', async () => {
    const first = await startTestGateway({}, { dataDir });
    const second = startTestGateway({}, { dataDir });
    await first.dispose();
    await (await second).dispose();
  });

  it('one that waits and is asked to close does so at once', async () => {
    const held = await lockDataDir(dataDir, { logger: SILENT });
    const waiting = new AbortController();
    const second = lockDataDir(dataDir, { logger: SILENT, signal: waiting.signal });
    waiting.abort();
    await expect(second).rejects.toMatchObject({ code: 'data_dir_in_use' });
    await held.close();
  });

  it('a killed gateway holds nothing', async () => {
    const child = fork(fileURLToPath(new URL('data-dir-lock-child.ts', import.meta.url)), [dataDir], {
      execArgv: ['--import', 'tsx'],
    });
    await once(child, 'message');
    await expect(lockDataDir(dataDir, { logger: SILENT, waitMs: 0 })).rejects.toMatchObject({
      code: 'data_dir_in_use',
    });
    child.kill('SIGKILL');
    await once(child, 'exit');
    await (await lockDataDir(dataDir, { logger: SILENT, waitMs: 0 })).close();
  });
});
