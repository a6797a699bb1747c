import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { EMPTY_TOTALS } from '../../../shared/focus/account.ts';
import type { FocusTotals } from '../../../shared/focus/focus.ts';
import { createFocusTracker, observeSample, settle, totalsOf } from '../../../shared/focus/tracker.ts';
import { diffTotals } from '../../../shared/focus/windows.ts';
import { type Look, observationOf } from './signal.ts';

function total(parts: readonly FocusTotals[]): FocusTotals {
  return parts.reduce<FocusTotals>((sum, part) => {
    const directions = [...Object.entries(sum.directionMs), ...Object.entries(part.directionMs)];
    const directionMs: Record<string, number> = {};
    for (const [name, ms] of directions) directionMs[name] = (directionMs[name] ?? 0) + ms;
    return {
      focusedMs: sum.focusedMs + part.focusedMs,
      unfocusedMs: sum.unfocusedMs + part.unfocusedMs,
      unknownMs: sum.unknownMs + part.unknownMs,
      untrackedMs: sum.untrackedMs + part.untrackedMs,
      directionMs,
      focusBouts: sum.focusBouts + part.focusBouts,
      unfocusBouts: sum.unfocusBouts + part.unfocusBouts,
    };
  }, EMPTY_TOTALS);
}

describe('windows between totals of one session', () => {
  it('hold nothing negative and add up to the whole, wherever they are cut', () => {
    const step = fc.record({
      ms: fc.integer({ min: 30, max: 2500 }),
      look: fc.constantFrom<Look>('centered', 'looking_left', 'no_face', 'frozen', 'eyes_closed'),
      cut: fc.boolean(),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        let state = createFocusTracker({ rule: 'geometric' });
        let atMs = 0;
        let before = totalsOf(state);
        const windows: FocusTotals[] = [];
        for (const { ms, look, cut } of steps) {
          atMs += ms;
          state = observeSample(state, { atMs, observation: observationOf(look) });
          if (!cut) continue;
          windows.push(diffTotals(before, totalsOf(state)));
          before = totalsOf(state);
        }
        const end = totalsOf(settle(state, atMs));
        windows.push(diffTotals(before, end));
        for (const window of windows) {
          const { directionMs, ...numbers } = window;
          for (const value of [...Object.values(numbers), ...Object.values(directionMs)]) {
            expect(value).toBeGreaterThanOrEqual(0);
          }
        }
        expect(total(windows)).toEqual(end);
      }),
    );
  });
});
