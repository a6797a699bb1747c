import { describe, expect, it } from 'vitest';
import { simulate } from '../../bench/rate.ts';

describe('the rate that follows information', () => {
  it.each(['server', 'device'] as const)(
    'sends half in %s mode and tells the same, over a simulated lesson',
    (mode) => {
      const found = simulate(2, 10, mode);
      expect(found.inferencesPerSecond).toBeLessThanOrEqual(2.5);
      expect(found.worstFocusedErrorPercent).toBeLessThanOrEqual(1);
      expect(Math.abs(found.focusedAgainstTruthPercent)).toBeLessThanOrEqual(1);
      expect(found.changes).toBeGreaterThan(20);
      expect(found.changeToldMsP95).toBeLessThanOrEqual(400);
      // More of them would be flicker.
      expect(found.toldChanges).toBeLessThanOrEqual(found.toldChangesAt10 * 1.1);
    },
    60_000,
  );
});
