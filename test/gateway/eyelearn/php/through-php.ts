import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { createClient } from '@libsql/client';
import type { Connection, RowDataPacket } from 'mysql2/promise';
import type { DeliveryQueue } from '../../../../gateway/delivery/queue.ts';
import type { PhpFallbackOptions } from '../../../../gateway/eyelearn/php/fallback.ts';
import type { PhpServer } from '../../../../harness/php-server.ts';
import type { MetricsWindow } from '../../../../shared/metrics-window.ts';
import { metricsWindow } from '../../store/windows.ts';

export const WAIT = { timeout: 60_000, interval: 20 };
export const BACKOFF = { firstMs: 20, maxMs: 100 };
export const QUICK: Omit<PhpFallbackOptions, 'url' | 'use'> = {
  timeoutMs: 1000,
  backoff: BACKOFF,
  fallbackAfterMs: 0,
  settleAfterMs: 3000,
  minDeltaS: 30,
  maxWaitMs: 600_000,
};

/** What the endpoint may do with a post; the first two are tried over the stream as well. */
export const OUTCOMES: readonly (readonly [string, (php: PhpServer) => unknown])[] = [
  ['stores and answers HTML', (at: PhpServer) => at.failNext('fatal_after')],
  ['is silent and does not store', (at: PhpServer) => at.failNext('silence_before')],
  ['answers HTML before it stores', (at: PhpServer) => at.failNext('fatal_before')],
  ['stores and is silent', (at: PhpServer) => at.failNext('silence_after')],
  ['is cut off after the body', async (at: PhpServer) => at.cutAfterBody(true)],
  ['is away', (at: PhpServer) => at.kill()],
];

/** Windows of today, since PHP adds to today's rows. */
export function lesson(from: number, to: number, changes: Partial<MetricsWindow> = {}): MetricsWindow[] {
  const startMs = Math.floor(Date.now() / 1000) * 1000;
  return Array.from({ length: to - from }, (_, index) =>
    metricsWindow({
      seq: from + index,
      sectionId: 12,
      sessionStartedAtMs: startMs,
      startedAtMs: startMs + index,
      endedAtMs: startMs + index + 30_000,
      focusedMs: 20_500,
      unfocusedMs: 9500,
      unknownMs: 0,
      untrackedMs: 0,
      bouts: [],
      ...changes,
    }),
  );
}

/** What EyeLearn's rows have, all students together. */
export async function storedRows(
  connection: Connection,
): Promise<{ rows: number; focusedS: number; unfocusedS: number; totalS: number }> {
  const [rows] = await connection.query<RowDataPacket[]>(
    `SELECT COUNT(*) AS n, COALESCE(SUM(focused_time_seconds), 0) AS focusedS, COALESCE(SUM(unfocused_time_seconds), 0) AS unfocusedS,
      COALESCE(SUM(total_time_seconds), 0) AS totalS FROM eye_tracking_sessions`,
  );
  const [row] = rows;
  return {
    rows: Number(row?.n),
    focusedS: Number(row?.focusedS),
    unfocusedS: Number(row?.unfocusedS),
    totalS: Number(row?.totalS),
  };
}

/** What our own table of windows has. */
export async function storedWindows(connection: Connection): Promise<{ windows: number; focusedMs: number }> {
  const [rows] = await connection.query<RowDataPacket[]>(
    'SELECT COUNT(*) AS n, COALESCE(SUM(focused_ms), 0) AS ms FROM relay_windows',
  );
  return { windows: Number(rows[0]?.n), focusedMs: Number(rows[0]?.ms) };
}

export async function appendAll(spool: DeliveryQueue, windows: readonly MetricsWindow[]): Promise<void> {
  for (const window of windows) await spool.append(window);
}

/** Rows of the queue's own file. */
export async function onDisk(folder: string, sql: string): Promise<Record<string, unknown>[]> {
  const client = createClient({ url: pathToFileURL(path.join(folder, 'spool.db')).href });
  const { rows } = await client.execute(sql);
  client.close();
  return rows.map((row) => ({ ...row }));
}
