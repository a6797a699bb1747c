import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { folderRecords } from '../../../gateway/delivery/folder-records.ts';
import { openQueue } from '../../../gateway/delivery/queue.ts';
import { createLibsqlStore } from '../../../gateway/store/libsql/store.ts';
import { STORE_FILE } from '../../../gateway/store/open.ts';
import type { MetricsStore } from '../../../gateway/store/port.ts';
import { RelayError } from '../../../shared/errors.ts';
import { cli, doctor } from '../../support/cli.ts';
import { captureLog } from '../../support/log-capture.ts';
import { metricsWindow, SESSION_A, SESSION_B } from '../store/windows.ts';

/** Older than the default rules keep, whenever this runs. */
const LONG_AGO_MS = Date.UTC(2024, 0, 15, 10);
const NOWHERE = 'mysql://u:p@127.0.0.1:1/d';
const ANA = 7;
const BEN = 8;

let dataDir: string;
let env: Record<string, string>;

const window = (userId: number, sessionId: string, seq: number) =>
  metricsWindow({
    userId,
    sessionId,
    seq,
    sessionStartedAtMs: LONG_AGO_MS,
    startedAtMs: LONG_AGO_MS + seq * 30_000,
    endedAtMs: LONG_AGO_MS + (seq + 1) * 30_000,
    bouts: [],
  });

async function withStore<T>(work: (store: MetricsStore) => Promise<T>): Promise<T> {
  const store = createLibsqlStore({ path: join(dataDir, STORE_FILE), logger: captureLog().logger });
  try {
    await store.migrate();
    return await work(store);
  } finally {
    await store.close();
  }
}

const rowsOf = (table: string, userId: number) =>
  withStore(async (store) => {
    const [found] = await store.execute([
      { sql: `SELECT COUNT(*) AS n FROM ${table} WHERE user_id = ?`, values: [userId] },
    ]);
    return Number(found?.rows[0]?.n);
  });

const waiting = async (userId: number) =>
  (await folderRecords(dataDir).exportOf(userId))['spool.db/spool_windows']?.length;

beforeEach(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'relay-privacy-'));
  env = { DATA_DIR: dataDir };
  await withStore((store) =>
    store.applyWindows([window(ANA, SESSION_A, 0), window(ANA, SESSION_A, 1), window(BEN, SESSION_B, 0)]),
  );
  // One more window of each waits in the folder.
  const queue = await openQueue({
    dataDir,
    store: { applyWindows: () => Promise.reject(new RelayError('store_unreachable', 'not now')) },
    logger: captureLog().logger,
  });
  await queue.append(window(ANA, SESSION_A, 2));
  await queue.append(window(BEN, SESSION_B, 1));
  await queue.close();
});

afterEach(() => rm(dataDir, { recursive: true, force: true }));

describe('delete-student', () => {
  it('wants a word that it is meant', async () => {
    expect(await cli(['delete-student', '--user', '7'], env)).toMatchObject({ status: 2, out: '' });
    expect([await rowsOf('relay_windows', ANA), await waiting(ANA)]).toEqual([2, 1]);
  });

  it('deletes what is stored and what waits, of this student alone, and prints the receipt', async () => {
    const { status, out } = await cli(['delete-student', '--user', '7', '--yes'], env);
    expect(status).toBe(0);
    expect(JSON.parse(out)).toMatchObject({ relay_windows: 2, relay_sessions: 1, 'spool.db/spool_windows': 1 });
    expect([await rowsOf('relay_windows', ANA), await waiting(ANA)]).toEqual([0, 0]);
    expect([await rowsOf('relay_windows', BEN), await waiting(BEN)]).toEqual([1, 1]);
  });

  it('leaves everything as it is where the database cannot be reached', async () => {
    const { status, err } = await cli(['delete-student', '--user', '7', '--yes'], { ...env, MYSQL_URL: NOWHERE });
    expect(status).toBe(1);
    expect(err).toContain('store_unreachable');
    expect(await waiting(ANA)).toBe(1);
  });
});

describe('export-student', () => {
  it('writes a file for its owner alone, with what waits in the folder too', async () => {
    const file = join(dataDir, 'ana.json');
    expect((await cli(['export-student', '--user', '7', '--out', file], env)).status).toBe(0);
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    const text = await readFile(file, 'utf8');
    expect(text.match(/"seq":/g)).toHaveLength(2);
    expect(text).toContain('spool.db/spool_windows');
  });

  it('writes nothing where the audit line cannot be written', async () => {
    const file = join(dataDir, 'ana.json');
    const { status } = await cli(['export-student', '--user', '7', '--out', file], { ...env, MYSQL_URL: NOWHERE });
    expect([status, existsSync(file)]).toEqual([1, false]);
  });
});

describe('retention', () => {
  it('deletes nothing of a database with older data while nobody has said how long to keep it; doctor says so too', async () => {
    const { status, err } = await cli(['retention'], env);
    expect(status).toBe(1);
    expect(err).toContain('RETENTION_DAYS');
    expect(await rowsOf('relay_windows', ANA)).toBe(2);
    expect((await doctor(env)).codes()).toContain('retention_unset');
  });

  it('deletes windows past RETENTION_DAYS, and keeps what is to be kept forever', async () => {
    const kept = await cli(['retention'], { ...env, RETENTION_DAYS: 'forever', RETENTION_TOTALS_DAYS: 'forever' });
    expect(JSON.parse(kept.out)).toEqual({ isDone: true });
    const rules = { ...env, RETENTION_DAYS: '30', RETENTION_TOTALS_DAYS: 'forever' };
    expect(JSON.parse((await cli(['retention'], rules)).out)).toMatchObject({ relay_windows: 3, isDone: true });
    expect([await rowsOf('relay_windows', ANA), await rowsOf('relay_sessions', ANA)]).toEqual([0, 1]);
    expect((await doctor(rules)).codes()).not.toContain('retention_unset');
  });

  it('stops after so many steps, and goes on from there', async () => {
    await withStore((store) =>
      store.applyWindows(
        Array.from({ length: 60 }, (_, no) =>
          window(BEN, `00000000-0000-4000-8000-${String(no).padStart(12, '0')}`, 0),
        ),
      ),
    );
    const rules = { ...env, RETENTION_DAYS: '30', RETENTION_TOTALS_DAYS: '30' };
    const first = JSON.parse((await cli(['retention', '--max-steps', '1'], rules)).out);
    expect(first.isDone).toBe(false);
    expect(await rowsOf('relay_sessions', BEN)).toBeGreaterThan(0);
    expect(JSON.parse((await cli(['retention'], rules)).out).isDone).toBe(true);
    expect([await rowsOf('relay_sessions', BEN), await rowsOf('relay_hours', BEN)]).toEqual([0, 0]);
  });
});
