import { describe, expect, it } from 'vitest';
import { clockTime, dataAmount, duration, percent, share, tenthsTime } from '../../../client/page/format.ts';
import { directionForStudent, explain, REPORT_DIRECTIONS, shownState } from '../../../client/page/labels.ts';
import { DIRECTIONS, FOCUS_STATES, UNKNOWN_REASONS } from '../../../shared/direction.ts';

describe('times and amounts in words', () => {
  it.each([
    [0, '0:00'],
    [999, '0:00'],
    [61_000, '1:01'],
    [3_599_999, '59:59'],
    [3_723_000, '1:02:03'],
  ])('%i ms on a clock is %s', (ms, text) => expect(clockTime(ms)).toBe(text));

  it.each([
    [null, '–'],
    [0, '0 s'],
    [430, '0.4 s'],
    [9949, '9.9 s'],
    [9950, '10 s'],
    [59_600, '1 min'],
    [185_000, '3 min 5 s'],
    [3_720_000, '1 h 2 min'],
    [7_200_000, '2 h'],
  ])('%j ms take %s', (ms, text) => expect(duration(ms)).toBe(text));

  it.each([
    [0, '0:00.0'],
    [1749, '0:01.7'],
    [59_960, '1:00.0'],
    [3_723_400, '62:03.4'],
  ])('%i ms to the tenth are %s', (ms, text) => expect(tenthsTime(ms)).toBe(text));

  it('makes neither nothing of little nor all of nearly all', () => {
    expect([0, 0.001, 0.5, 0.999, 1].map(percent)).toEqual(['0 %', '< 1 %', '50 %', '> 99 %', '100 %']);
  });

  it('has no share of nothing', () => {
    expect(share(0, 0)).toBeNull();
    expect(percent(share(0, 0))).toBe('–');
    expect(share(1, 4)).toBe(0.25);
  });

  it.each([
    [0, '0.0 kB'],
    [9_999, '10.0 kB'],
    [640_500, '641 kB'],
    [2_340_000, '2.3 MB'],
  ])('%i bytes are %s', (bytes, text) => expect(dataAmount(bytes)).toBe(text));
});

describe('states in words', () => {
  it('says what to do by why nothing can be told', () => {
    const texts = UNKNOWN_REASONS.map((reason) => explain('unknown', reason).meaning);
    expect(new Set([...texts, explain('unknown').meaning]).size).toBe(UNKNOWN_REASONS.length + 1);
    for (const text of texts) expect(text).toMatch(/does not count against you/);
    expect(explain('focused', 'too_dark')).toEqual(explain('focused'));
  });

  it('explains every state in its own words', () => {
    const texts = [...FOCUS_STATES, 'no_face' as const].map((state) => explain(state));
    expect(new Set(texts.map(({ title }) => title)).size).toBe(5);
    expect(texts.every(({ meaning }) => meaning.endsWith('.'))).toBe(true);
  });

  it('tells an absent student so, whatever kind of time that is', () => {
    expect(shownState('unfocused', 'no_face')).toBe('no_face');
    expect(shownState('unknown', 'no_face')).toBe('no_face');
    expect(shownState('untracked', 'no_face')).toBe('untracked');
    expect(shownState('unfocused', 'looking_down')).toBe('unfocused');
  });

  it("names sides as the student has them: the picture's left is the student's right", () => {
    expect(directionForStudent('looking_left')).toContain('your right');
    expect(directionForStudent('looking_right')).toContain('your left');
    expect(REPORT_DIRECTIONS.looking_left).toContain('right');
  });

  it('has a row for every direction that a report can hold', () => {
    expect(Object.keys(REPORT_DIRECTIONS).sort()).toEqual([...DIRECTIONS].sort());
  });
});
