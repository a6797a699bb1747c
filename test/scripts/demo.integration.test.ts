import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import mysql from 'mysql2/promise';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type MariaDb, startMariaDb } from '../../harness/mariadb.ts';

const DEMO = fileURLToPath(new URL('../../scripts/demo.ts', import.meta.url));
const TSX = fileURLToPath(new URL('../../node_modules/tsx/dist/cli.mjs', import.meta.url));

interface Summary {
  students: number;
  clipMs: number;
  framesSent: number;
  observations: number;
  faceFoundShare: number;
  focusedMs: number;
  unfocusedMs: number;
  untrackedMs: number;
  unknownMs: number;
  uplinkBytes: number;
  downlinkBytes: number;
  latencyMsP50: number;
  latencyMsP99: number;
  store: string;
}

async function demo(...argv: string[]): Promise<Summary> {
  const { stdout } = await promisify(execFile)(process.execPath, [TSX, DEMO, '--json', '--no-build', ...argv]);
  return JSON.parse(stdout.trim().split('\n').at(-1) ?? '') as Summary;
}

function totalMs(summary: Summary): number {
  return summary.focusedMs + summary.unfocusedMs + summary.unknownMs + summary.untrackedMs;
}

let database: MariaDb;

beforeAll(async () => {
  database = await startMariaDb();
});

afterAll(() => database?.stop());

describe('npm run demo', () => {
  it('plays the clip into the embedded store: a face throughout, and time that adds up to its length', async () => {
    const summary = await demo();
    expect(summary).toMatchObject({ students: 1, clipMs: 20_000, store: 'libsql', untrackedMs: 0 });
    expect(summary.faceFoundShare).toBeGreaterThanOrEqual(0.95);
    expect(summary.observations).toBeGreaterThanOrEqual(90);
    expect(Math.abs(totalMs(summary) - summary.clipMs)).toBeLessThanOrEqual(1000);
    expect(summary.latencyMsP99).toBeGreaterThanOrEqual(summary.latencyMsP50);
    expect(summary.uplinkBytes).toBeGreaterThan(summary.downlinkBytes);
  });

  it('plays three students into MySQL, and the rows there are what it reports', async () => {
    const url = await database.createDatabase('demo');
    const summary = await demo('--students', '3', '--mysql', url);
    expect(summary).toMatchObject({ students: 3, store: 'mysql' });
    expect(Math.abs(totalMs(summary) - 3 * summary.clipMs)).toBeLessThanOrEqual(3000);
    const connection = await mysql.createConnection(url);
    const [rows] = await connection.query<mysql.RowDataPacket[]>(
      'SELECT COUNT(*) AS sessions, SUM(focused_ms) AS focused, SUM(unfocused_ms) AS unfocused FROM relay_report_sessions',
    );
    await connection.end();
    expect(rows[0]?.sessions).toBe(3);
    expect(Number(rows[0]?.focused)).toBe(summary.focusedMs);
    expect(Number(rows[0]?.unfocused)).toBe(summary.unfocusedMs);
  });

  it('an invalid option is reported with its code', async () => {
    await expect(demo('--students', 'many')).rejects.toMatchObject({
      code: 1,
      stderr: expect.stringContaining('option_invalid'),
    });
  });
});
