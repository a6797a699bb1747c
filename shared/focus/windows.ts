import { DIRECTIONS } from '../direction.ts';
import type { FocusTotals } from './focus.ts';

/** What was added between two totals of one session. Every field is ≥ 0; directions without time are absent. */
export function diffTotals(before: FocusTotals, after: FocusTotals): FocusTotals {
  const grown = (from: number, to: number): number => Math.max(0, to - from);
  const directions = DIRECTIONS.map(
    (direction) => [direction, grown(before.directionMs[direction] ?? 0, after.directionMs[direction] ?? 0)] as const,
  );
  return {
    focusedMs: grown(before.focusedMs, after.focusedMs),
    unfocusedMs: grown(before.unfocusedMs, after.unfocusedMs),
    unknownMs: grown(before.unknownMs, after.unknownMs),
    untrackedMs: grown(before.untrackedMs, after.untrackedMs),
    directionMs: Object.fromEntries(directions.filter(([, ms]) => ms > 0)),
    focusBouts: grown(before.focusBouts, after.focusBouts),
    unfocusBouts: grown(before.unfocusBouts, after.unfocusBouts),
  };
}
