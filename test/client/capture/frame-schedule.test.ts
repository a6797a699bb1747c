import { describe, expect, it } from 'vitest';
import { nextDueMs } from '../../../client/capture/frame-schedule.ts';

describe('beat', () => {
  it.each([
    [30, 5],
    [30, 7],
    [15, 10],
    [60, 2.5],
    [25, 25],
  ])('from a %i fps camera takes %f pictures a second on average', (cameraFps, fps) => {
    let dueMs: number | null = null;
    let taken = 0;
    for (let frame = 0; frame < cameraFps * 60; frame++) {
      const next = nextDueMs(dueMs, 1000 + (frame * 1000) / cameraFps, fps);
      if (next === null) continue;
      dueMs = next;
      taken++;
    }
    expect(taken / 60).toBeGreaterThan(fps * 0.97);
    expect(taken / 60).toBeLessThanOrEqual(fps + 1 / 60);
  });

  it('does not catch up on pictures that it missed', () => {
    expect(nextDueMs(1000, 9000, 5)).toBe(9200);
    expect(nextDueMs(9200, 9100, 5)).toBeNull();
  });
});
