import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { openQueue } from '../../../gateway/delivery/queue.ts';
import { openStore } from '../../../gateway/store/open.ts';
import type { SessionReport } from '../../../gateway/store/port.ts';
import { type MariaDb, startMariaDb } from '../../../harness/mariadb.ts';
import { captureLog } from '../../support/log-capture.ts';
import { SESSION_A, sumOf } from '../store/windows.ts';

const CHILD = fileURLToPath(new URL('./crash-child.ts', import.meta.url));

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(path.join(os.tmpdir(), 'relay-crash-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

/**
 * Runs the child until it has written `lines` lines that begin with `until`, kills it with SIGKILL, and returns the keys
 * of the windows that its spool had taken by then.
 */
async function runAndKill(options: {
  mysqlUrl?: string;
  epoch: number;
  behaviour: 'deliver' | 'stall';
  until: 'appended' | 'stored';
  lines: number;
}): Promise<string[]> {
  const { mysqlUrl = '-', epoch, behaviour, until, lines } = options;
  const child = spawn(process.execPath, ['--import', 'tsx', CHILD, folder, mysqlUrl, `${epoch}`, behaviour], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const gone = once(child, 'exit');
  const taken: string[] = [];
  let left = lines;
  try {
    for await (const line of createInterface({ input: child.stdout })) {
      const [word, number] = line.split(' ');
      if (word === 'appended') taken.push(`${epoch}/${number}`);
      if (word === until) left -= 1;
      if (left === 0) break;
    }
  } finally {
    child.kill('SIGKILL');
    const [exitCode, signal] = await gone;
    expect({ exitCode, signal }).toEqual({ exitCode: null, signal: 'SIGKILL' });
  }
  return taken;
}

/** Opens what the dead process left, delivers the rest, and reads the session back. */
async function recover(mysqlUrl: string | null): Promise<{ report: SessionReport; codes: unknown[] }> {
  const log = captureLog();
  const store = await openStore({ mysqlUrl, dataDir: folder }, log.logger);
  const spool = await openQueue({ dataDir: folder, store, logger: log.logger });
  expect(await spool.flush(60_000)).toBe(0);
  const report = await store.sessionReport(SESSION_A);
  await spool.close();
  await store.close();
  if (report === null) throw new Error('nothing was stored');
  return { report, codes: log.codes() };
}

/** Every window that was taken is there, none twice, and the totals are those of the windows. */
function expectExact(report: SessionReport, taken: readonly string[]): void {
  const keys = report.windows.map(({ epoch, seq }) => `${epoch}/${seq}`);
  expect(new Set(keys).size).toBe(keys.length);
  expect(keys).toEqual(expect.arrayContaining([...taken]));
  expect(report.focusedMs).toBe(sumOf(report.windows, ({ seq }) => 1000 + seq));
  expect(report.unfocusedMs).toBe(sumOf(report.windows, ({ unfocusedMs }) => unfocusedMs));
  expect(report.bouts).toHaveLength(2 * keys.length);
}

describe('a gateway killed with its embedded store', () => {
  it('has every window it took, once, after any number of deaths', async () => {
    const taken: string[] = [];
    for (const [epoch, lines] of [1, 25, 60, 140].entries()) {
      taken.push(...(await runAndKill({ epoch, behaviour: 'deliver', until: 'appended', lines })));
    }
    expectExact((await recover(null)).report, taken);
  });

  it('counts once what was stored when it died before the spool could know', async () => {
    const taken = await runAndKill({ epoch: 0, behaviour: 'stall', until: 'stored', lines: 1 });
    const { report, codes } = await recover(null);
    expectExact(report, taken);
    expect(codes).toEqual([]);
  });
});

describe('a gateway killed with MySQL', () => {
  let server: MariaDb;
  let mysqlUrl: string;
  let count = 0;

  beforeAll(async () => {
    server = await startMariaDb();
  });
  afterAll(() => server.stop());
  beforeEach(async () => {
    count += 1;
    mysqlUrl = await server.createDatabase(`crash_${count}`);
  });

  it('has every window it took, once, after any number of deaths', async () => {
    const taken: string[] = [];
    for (const [epoch, lines] of [1, 40, 120].entries()) {
      taken.push(...(await runAndKill({ mysqlUrl, epoch, behaviour: 'deliver', until: 'appended', lines })));
    }
    expectExact((await recover(mysqlUrl)).report, taken);
  });

  it('counts once what was stored when it died before the spool could know', async () => {
    const taken = await runAndKill({ mysqlUrl, epoch: 0, behaviour: 'stall', until: 'stored', lines: 1 });
    expectExact((await recover(mysqlUrl)).report, taken);
  });

  it('takes windows without a database, dies, and delivers them when both are back', async () => {
    await server.kill();
    const taken = await runAndKill({ mysqlUrl, epoch: 0, behaviour: 'deliver', until: 'appended', lines: 80 });
    await server.restart();
    expectExact((await recover(mysqlUrl)).report, taken);
  });
});
