import { mkdtemp, open, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { runCli } from '../../../gateway/cli/commands.ts';
import { connectBlocking, isSetAside } from '../../../gateway/lib/sqlite-file.ts';
import { openStore, STORE_FILE } from '../../../gateway/store/open.ts';
import { SILENT, startTestGateway } from '../../../harness/gateway.ts';
import { captureLog } from '../../support/log-capture.ts';
import { metricsWindow } from './windows.ts';

const PAGE_BYTES = 4096;
const WINDOWS = 300;

let source: string;
let dataDir: string;
let file: string;

/** An embedded store with many windows of a session, as a copy that no connection of this process has ever had open. */
beforeEach(async () => {
  source = await mkdtemp(path.join(os.tmpdir(), 'relay-damaged-store-source-'));
  dataDir = await mkdtemp(path.join(os.tmpdir(), 'relay-damaged-store-'));
  file = path.join(dataDir, STORE_FILE);
  const store = await openStore({ mysqlUrl: null, dataDir: source }, SILENT);
  await store.applyWindows(Array.from({ length: WINDOWS }, (_, seq) => metricsWindow({ seq })));
  await store.close();
  const connection = connectBlocking(path.join(source, STORE_FILE));
  connection.exec(`VACUUM INTO '${file}'`);
  connection.close();
});

afterEach(async () => {
  for (const folder of [source, dataDir]) await rm(folder, { recursive: true, force: true });
});

/** Starts a gateway on the folder, and closes it; resolves with what its log says of damage, and the rows of a table. */
async function restart(table: string) {
  const log = captureLog();
  const gateway = await startTestGateway({}, { dataDir, logger: log.logger });
  await gateway.close();
  const store = await openStore({ mysqlUrl: null, dataDir }, SILENT);
  const [{ rows } = { rows: [] }] = await store.execute([{ sql: `SELECT COUNT(*) AS n FROM ${table}`, values: [] }]);
  const { rows: indexes = [] } =
    (await store.execute([{ sql: "SELECT name FROM sqlite_master WHERE type = 'index'", values: [] }]))[0] ?? {};
  await store.close();
  const damaged = log.entries.filter(({ fields }) => fields.code === 'file_damaged').map(({ fields }) => fields);
  return { damaged, count: Number(rows[0]?.n), indexes: indexes.map(({ name }) => String(name)) };
}

describe('a damaged embedded store', () => {
  it('is set aside under a dated name, what can be read is saved with its indexes, and doctor says so', async () => {
    const bytes = await readFile(file);
    const page = Math.floor(bytes.length / PAGE_BYTES / 2);
    bytes.fill(0xff, page * PAGE_BYTES, (page + 1) * PAGE_BYTES);
    await writeFile(file, bytes);
    const { damaged, count, indexes } = await restart('relay_windows');
    expect(damaged).toEqual([expect.objectContaining({ file, savedRows: expect.any(Number) })]);
    expect(count).toBeGreaterThan(WINDOWS / 2);
    expect(indexes).toContain('relay_sessions_uuid');
    expect((await readdir(dataDir)).filter(isSetAside)).toEqual([expect.stringMatching(/^gaze-relay\.db\.damaged-/)]);
    const said: string[] = [];
    const out = (line: string) => void said.push(line);
    await runCli(['doctor'], { env: { DATA_DIR: dataDir }, now: Date.now, out, err: out });
    expect(said.join('\n')).toMatch(/damaged files were set aside .*gaze-relay\.db\.damaged-/);
    expect((await restart('relay_windows')).damaged).toEqual([]);
  });

  it('begins anew where its header is gone, and takes windows', async () => {
    const handle = await open(file, 'r+');
    await handle.write('this is a letter, and not a database at all', 0);
    await handle.close();
    const { damaged, count } = await restart('relay_windows');
    expect(damaged).toEqual([expect.objectContaining({ file, savedRows: 0 })]);
    expect(count).toBe(0);
    const store = await openStore({ mysqlUrl: null, dataDir }, SILENT);
    expect(await store.applyWindows([metricsWindow({ seq: 1 })])).toEqual({ applied: 1, repeated: 0 });
    await store.close();
  });
});
