import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestGateway } from '../../../harness/gateway.ts';
import { type MariaDb, startMariaDb } from '../../../harness/mariadb.ts';
import { captureLog } from '../../support/log-capture.ts';

let database: MariaDb;

beforeAll(async () => {
  database = await startMariaDb();
});

afterAll(async () => {
  await database?.stop();
});

async function aheadOf(url: string): Promise<number | null> {
  const status = (await (await fetch(new URL('/readyz', url))).json()) as { databaseAheadMs: number | null };
  return status.databaseAheadMs;
}

describe("the database's clock", () => {
  it.each([
    [0, false],
    [3_600_000, true],
  ])('%d ms behind ours is reported by /readyz, and by the log where it is too much', async (behindMs, isLogged) => {
    const log = captureLog();
    const now = () => Date.now() + behindMs;
    const gateway = await startTestGateway(
      { MYSQL_URL: await database.createDatabase('relay') },
      { now, logger: log.logger },
    );
    await expect.poll(() => aheadOf(gateway.url), { timeout: 10_000 }).not.toBeNull();
    const aheadMs = await aheadOf(gateway.url);
    expect(Math.abs((aheadMs ?? 0) + behindMs)).toBeLessThan(5000);
    expect(log.codes().includes('clock_skew')).toBe(isLogged);
    await gateway.dispose();
  });
});
