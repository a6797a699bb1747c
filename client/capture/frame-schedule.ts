/**
 * When the picture after this one is due, or null while this one is not yet. Times on the monotonic
 * clock, ms; `dueMs` is null before the first. Keeps the rate on average though video frames come
 * on their own beat, and does not catch up on what was missed.
 */
export function nextDueMs(dueMs: number | null, nowMs: number, fps: number): number | null {
  const intervalMs = 1000 / fps;
  if (dueMs === null || nowMs - dueMs >= intervalMs) return nowMs + intervalMs;
  return nowMs >= dueMs ? dueMs + intervalMs : null;
}
