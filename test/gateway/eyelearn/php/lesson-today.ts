import type { Connection, RowDataPacket } from 'mysql2/promise';
import type { MetricsWindow } from '../../../../shared/metrics-window.ts';
import { metricsWindow } from '../../store/windows.ts';

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
