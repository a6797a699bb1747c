import { describe, expect, it } from 'vitest';
import {
  inferenceReading,
  type LoadLevel,
  lagReading,
  limitsByLevel,
  MAX_CALM_MS,
  MAX_LEVEL,
  MIN_CALM_MS,
  NO_LOAD,
  type Reading,
  STEP_DOWN_MS,
  stepLoad,
} from '../../../gateway/session/load.ts';
import { LIMITS } from './connection/driver.ts';

/** Readings once a second; returns the level after each. */
function play(readings: readonly Reading[], from: LoadLevel = NO_LOAD, fromMs = 0): LoadLevel[] {
  let state = from;
  return readings.map((reading, index) => {
    state = stepLoad(state, reading, fromMs + index * 1000);
    return state;
  });
}

const times = (count: number, reading: Reading): Reading[] => Array(count).fill(reading);

describe('readings', () => {
  it.each([
    [1000, 0, 'low'],
    [0, 0, 'low'],
    [1000, 10, 'low'],
    [1000, 30, 'between'],
    [1000, 50, 'high'],
    [3, 1, 'between'],
    [3, 2, 'high'],
  ] as const)('of %i answers %i that say "too much": %s', (answers, busy, reading) => {
    expect(inferenceReading(answers, busy)).toBe(reading);
  });

  it.each([
    [0, 'low'],
    [30, 'low'],
    [60, 'between'],
    [100, 'high'],
  ] as const)('an event loop that lags %i ms: %s', (lagMs, reading) => {
    expect(lagReading(lagMs)).toBe(reading);
  });
});

describe('level', () => {
  it('goes down a step every two seconds while the load is high, and no further than the last', () => {
    const levels = play(times(20, 'high')).map(({ level }) => level);
    expect(levels.slice(0, 5)).toEqual([1, 1, 2, 2, 3]);
    expect(STEP_DOWN_MS).toBe(2000);
    expect(levels.at(-1)).toBe(MAX_LEVEL);
  });

  it('goes up a step after ten calm seconds each, and not while the load is between', () => {
    const down = play(times(3, 'high')).at(-1) ?? NO_LOAD;
    expect(play(times(60, 'between'), down, 3000).map(({ level }) => level)).toEqual(Array(60).fill(2));
    const levels = play(times(24, 'low'), down, 3000).map(({ level }) => level);
    expect(levels).toEqual([...Array(MIN_CALM_MS / 1000).fill(2), ...Array(10).fill(1), ...Array(4).fill(0)]);
  });

  it('tries more seldom where each step up brings the load back, up to a bound, and forgets that in a long calm', () => {
    // A load that is too high at level 1 and none at level 2.
    let state = NO_LOAD;
    const stepsUp: number[] = [];
    for (let nowMs = 0; nowMs < 2_000_000; nowMs += 1000) {
      const { level } = state;
      state = stepLoad(state, level < 2 ? 'high' : 'low', nowMs);
      if (state.level < level) stepsUp.push(nowMs);
    }
    const gaps = stepsUp.slice(1).map((atMs, index) => atMs - (stepsUp[index] ?? 0));
    expect(gaps.every((gapMs, index) => gapMs >= (gaps[index - 1] ?? 0))).toBe(true);
    expect([state.calmMs, gaps.length < 20]).toEqual([MAX_CALM_MS, true]);
    const calm = play(times(1000, 'low'), state, 2_000_000).at(-1);
    expect(calm).toEqual(NO_LOAD);
  });
});

describe('limits by level', () => {
  it("begin with the operator's own, fall from level to level, and are never above them", () => {
    const all = limitsByLevel(LIMITS);
    expect(all[0]).toBe(LIMITS);
    expect(all).toHaveLength(MAX_LEVEL + 1);
    for (const [index, limits] of all.slice(1).entries()) {
      expect(limits.maxFps).toBeLessThan(all[index]?.maxFps ?? 0);
      expect(limits.imageSizePx).toBeLessThanOrEqual(all[index]?.imageSizePx ?? 0);
      expect(limits).toMatchObject({ credit: LIMITS.credit, maxFrameBytes: LIMITS.maxFrameBytes });
    }
    expect(Math.max(...limitsByLevel({ ...LIMITS, maxFps: 2 }).map(({ maxFps }) => maxFps))).toBe(2);
  });
});
