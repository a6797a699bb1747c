/**
 * When the next picture is due, or null while this one is not due yet. Times on the monotonic clock, ms; `dueMs` is null
 * before the first. Keeps the average rate although video frames have their own timing, and does not catch up on missed
 * ones.
 */
export function nextDueMs(dueMs: number | null, nowMs: number, fps: number): number | null {
  const intervalMs = 1000 / fps;
  if (dueMs === null || nowMs - dueMs >= intervalMs) return nowMs + intervalMs;
  return nowMs >= dueMs ? dueMs + intervalMs : null;
}
