import { describe, expect, it } from 'vitest';
import {
  createFocusTracker,
  observeSample,
  pendingMsOf,
  readingOf,
  skipObserving,
  totalsOf,
} from '../../../shared/focus/tracker.ts';
import { observationOf, sampleAt, timesOf } from './signal.ts';

const watch = (fromMs: number, toMs: number) =>
  sampleAt([{ look: 'centered', ms: toMs }], timesOf(toMs, 5)).filter(({ atMs }) => atMs >= fromMs);

describe('time that is not observed on purpose', () => {
  const before = watch(0, 4000).reduce(observeSample, createFocusTracker({ rule: 'geometric' }));

  it('is untracked at once, however short the steps, and nothing is held meanwhile', () => {
    const skipped = [4200, 4400, 4600, 9000].reduce(skipObserving, before);
    expect(totalsOf(skipped)).toMatchObject({ focusedMs: 4000, untrackedMs: 5000 });
    expect(pendingMsOf(skipped)).toBe(0);
    expect(readingOf(skipped)).toMatchObject({ state: 'unknown', confidence: 0 });
  });

  it('ends the bout, and the next sample begins another', () => {
    const after = watch(9200, 12_000).reduce(observeSample, skipObserving(before, 9000));
    expect(totalsOf(after)).toMatchObject({ untrackedMs: 5000, unfocusedMs: 0, focusBouts: 2 });
  });

  it('does not go backwards', () => {
    expect(skipObserving(before, 3000)).toBe(before);
    const sample = { atMs: 4000, observation: observationOf('centered') };
    expect(observeSample(skipObserving(before, 9000), sample)).toEqual(skipObserving(before, 9000));
  });
});
