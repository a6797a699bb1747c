import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { faceAtScreen } from '../../../harness/observations.ts';
import type { Rule } from '../../../shared/direction.ts';
import { stateOfDirection } from '../../../shared/focus/account.ts';
import type { FocusSample, FocusTotals } from '../../../shared/focus/focus.ts';
import {
  createFocusTracker,
  type FocusTrackerState,
  observeSample,
  pendingMsOf,
  readingOf,
  settle,
  takeBouts,
  totalsOf,
} from '../../../shared/focus/tracker.ts';
import { type Look, lengthOf, observationOf, type Signal, sampleAt, timesOf } from './signal.ts';

const RULES: readonly Rule[] = ['geometric', 'seed'];
const LOOKS: readonly Look[] = [
  'centered',
  'looking_left',
  'looking_right',
  'looking_up',
  'looking_down',
  'face_turned',
  'eyes_closed',
  'no_face',
  'frozen',
  'dark',
];

function run(samples: readonly FocusSample[], rule: Rule = 'geometric', from?: FocusTrackerState): FocusTrackerState {
  return samples.reduce(observeSample, from ?? createFocusTracker({ rule }));
}

function sumOf(totals: FocusTotals): number {
  return totals.focusedMs + totals.unfocusedMs + totals.unknownMs + totals.untrackedMs;
}

function follow(signal: Signal, fps: number): FocusTrackerState {
  return settle(run(sampleAt(signal, timesOf(lengthOf(signal), fps))), lengthOf(signal));
}

const anySamples = fc
  .array(fc.record({ stepMs: fc.integer({ min: -50, max: 2600 }), look: fc.constantFrom(...LOOKS) }), {
    maxLength: 80,
  })
  .map((steps) => {
    let atMs = 0;
    return steps.map(({ stepMs, look }): FocusSample => {
      atMs += stepMs;
      return { atMs, observation: observationOf(look) };
    });
  });
const anyRule = fc.constantFrom(...RULES);

describe('time adds up', () => {
  it('to the newest sample, to the millisecond, with what is undecided, at every moment', () => {
    fc.assert(
      fc.property(anySamples, anyRule, (samples, rule) => {
        let state = createFocusTracker({ rule });
        for (const sample of samples) {
          const before = totalsOf(state);
          state = observeSample(state, sample);
          const after = totalsOf(state);
          expect(sumOf(after) + pendingMsOf(state)).toBe(state.atMs ?? 0);
          expect(pendingMsOf(state)).toBeGreaterThanOrEqual(0);
          expect(pendingMsOf(state)).toBeLessThanOrEqual(1200);
          for (const key of ['focusedMs', 'unfocusedMs', 'unknownMs', 'untrackedMs'] as const) {
            expect(Number.isInteger(after[key])).toBe(true);
            expect(after[key]).toBeGreaterThanOrEqual(before[key]);
          }
          expect(after.focusBouts).toBeGreaterThanOrEqual(before.focusBouts);
          expect(after.unfocusBouts).toBeGreaterThanOrEqual(before.unfocusBouts);
        }
      }),
    );
  });

  it('to the end of the session once it is settled, by kind, by direction and by bouts', () => {
    fc.assert(
      fc.property(anySamples, anyRule, fc.integer({ min: 0, max: 5000 }), (samples, rule, tailMs) => {
        const running = run(samples, rule);
        const endMs = (running.atMs ?? 0) + tailMs;
        const { state, bouts } = takeBouts(settle(running, endMs));
        const totals = totalsOf(state);
        expect(sumOf(totals)).toBe(endMs);
        expect(pendingMsOf(state)).toBe(0);
        const byDirection = Object.values(totals.directionMs).reduce((sum, ms) => sum + ms, 0);
        expect(byDirection).toBe(totals.focusedMs + totals.unfocusedMs + totals.unknownMs);
        expect(totals.directionMs.centered ?? 0).toBe(totals.focusedMs);
        expect(totals.directionMs.unknown ?? 0).toBe(totals.unknownMs);
        for (const [kind, ms, count] of [
          ['focused', totals.focusedMs, totals.focusBouts],
          ['unfocused', totals.unfocusedMs, totals.unfocusBouts],
        ] as const) {
          const own = bouts.filter((bout) => bout.kind === kind);
          expect(own.reduce((sum, bout) => sum + bout.durationMs, 0)).toBe(ms);
          expect(own.length).toBe(count);
        }
        bouts.forEach((bout, i) => {
          const next = bouts[i + 1];
          if (next !== undefined) expect(bout.startMs + bout.durationMs).toBeLessThanOrEqual(next.startMs);
        });
        expect(takeBouts(state).bouts).toEqual([]);
      }),
    );
  });

  it('and state and direction agree at every moment', () => {
    fc.assert(
      fc.property(anySamples, anyRule, (samples, rule) => {
        let state = createFocusTracker({ rule });
        for (const sample of samples) {
          state = observeSample(state, sample);
          const reading = readingOf(state);
          expect(reading.state).toBe(stateOfDirection(reading.direction));
          expect(reading.confidence).toBeGreaterThanOrEqual(0);
          expect(reading.confidence).toBeLessThanOrEqual(1);
        }
      }),
    );
  });

  it('the same when the state goes through JSON on the way', () => {
    fc.assert(
      fc.property(anySamples, anyRule, fc.nat(80), (samples, rule, cut) => {
        const before = run(samples.slice(0, cut), rule);
        const resumed = run(samples.slice(cut), rule, JSON.parse(JSON.stringify(before)) as FocusTrackerState);
        expect(resumed).toEqual(run(samples, rule));
      }),
    );
  });

  it('and samples that do not move forward change nothing', () => {
    const state = run(sampleAt([{ look: 'centered', ms: 3000 }], [500, 1000, 1500]));
    for (const atMs of [1500, 1499, 0, -5, Number.NaN]) {
      expect(observeSample(state, { atMs, observation: observationOf('no_face') })).toBe(state);
    }
  });
});

describe('a signal gives the same time at any frame rate', () => {
  // Stretches a person really spends, with blinks of up to 400 ms in between.
  const stretch = fc.record({
    look: fc.constantFrom<Look>('centered', 'looking_left', 'looking_down', 'no_face', 'eyes_closed', 'face_turned'),
    ms: fc.integer({ min: 3000, max: 9000 }),
    blinkMs: fc.integer({ min: 80, max: 400 }),
  });
  const signals = fc.array(stretch, { minLength: 12, maxLength: 20 }).map((parts) => {
    const signal = parts.flatMap(({ look, ms, blinkMs }) => [
      { look: 'centered' as const, ms },
      { look: 'eyes_closed' as const, ms: blinkMs },
      { look: 'centered' as const, ms },
      { look, ms },
    ]);
    const focused = parts.reduce(
      (sum, { look, ms, blinkMs }) => sum + 2 * ms + blinkMs + (look === 'centered' ? ms : 0),
      0,
    );
    return { signal, focused };
  });

  for (const fps of [3, 7, 15, 30]) {
    it(`within 2 % of the truth at ${fps} frames a second with jitter`, () => {
      fc.assert(
        fc.property(
          signals,
          fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { minLength: 97, maxLength: 97 }),
          (made, noise) => {
            const end = lengthOf(made.signal);
            const totals = totalsOf(settle(run(sampleAt(made.signal, timesOf(end, fps, 0.3, noise))), end));
            expect(Math.abs(totals.focusedMs - made.focused) / made.focused).toBeLessThan(0.02);
          },
        ),
        { numRuns: 12 },
      );
    });
  }
});

describe('what changes the state', () => {
  it('a look away that lasts, about 300 ms after it began and dated from its beginning', () => {
    const signal: Signal = [
      { look: 'centered', ms: 3000 },
      { look: 'looking_left', ms: 3000 },
    ];
    const samples = sampleAt(signal, timesOf(6000, 30));
    let state = createFocusTracker({ rule: 'geometric' });
    let changedAtMs: number | null = null;
    for (const sample of samples) {
      state = observeSample(state, sample);
      if (changedAtMs === null && readingOf(state).direction === 'looking_left') changedAtMs = sample.atMs;
    }
    expect(changedAtMs).toBeGreaterThan(3250);
    expect(changedAtMs).toBeLessThan(3450);
    const totals = totalsOf(settle(state, 6000));
    expect(Math.abs(totals.focusedMs - 3000)).toBeLessThan(50);
    expect(Math.abs((totals.directionMs.looking_left ?? 0) - 3000)).toBeLessThan(50);
  });

  it('a turn away that two frames of different moments show, also where it begins with a blink', () => {
    const signal: Signal = [
      { look: 'centered', ms: 3000 },
      { look: 'eyes_closed', ms: 200 },
      { look: 'looking_left', ms: 1000 },
    ];
    const steadyMs = [...timesOf(3000, 5), 3200];
    const directionAfter = (...turnedMs: readonly number[]) =>
      readingOf(run(sampleAt(signal, [...steadyMs, ...turnedMs]))).direction;
    expect(directionAfter(3300)).toBe('centered');
    expect(directionAfter(3300, 3400)).toBe('looking_left');
  });

  it('not a blink of up to 400 ms, at any frame rate and however it falls between the frames', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 2, max: 30 }),
        fc.integer({ min: 40, max: 400 }),
        fc.array(fc.integer({ min: 900, max: 4000 }), { minLength: 1, maxLength: 10 }),
        (fps, blinkMs, pauses) => {
          const signal: Signal = [
            { look: 'centered', ms: 2000 },
            ...pauses.flatMap((ms) => [
              { look: 'eyes_closed' as const, ms: blinkMs },
              { look: 'centered' as const, ms },
            ]),
          ];
          const totals = totalsOf(follow(signal, fps));
          expect(totals.unfocusedMs).toBe(0);
          expect(totals.focusBouts).toBe(1);
        },
      ),
    );
  });

  it('lids that flutter, shut in six of ten frames for seconds, for that share of the time', () => {
    const flutter = Array.from({ length: 12 }, () => [
      { look: 'eyes_closed' as const, ms: 300 },
      { look: 'centered' as const, ms: 200 },
    ]).flat();
    const totals = totalsOf(follow([{ look: 'centered', ms: 3000 }, ...flutter], 10));
    const closedMs = totals.directionMs.eyes_closed ?? 0;
    expect(closedMs).toBeGreaterThan(3000);
    expect(closedMs).toBeLessThan(6000);
  });

  it('not a blink while looking away either', () => {
    const away = [
      { look: 'looking_left' as const, ms: 4000 },
      { look: 'eyes_closed' as const, ms: 350 },
      { look: 'looking_left' as const, ms: 4000 },
    ];
    const totals = totalsOf(follow(away, 15));
    expect(totals.directionMs).toEqual({ looking_left: 8350 });
  });

  it('eyes closed for more than a second, dated from when they closed', () => {
    for (const fps of [3, 7, 15, 30]) {
      const signal: Signal = [
        { look: 'centered', ms: 5000 },
        { look: 'eyes_closed', ms: 1100 },
        { look: 'centered', ms: 5000 },
      ];
      const totals = totalsOf(follow(signal, fps));
      expect(Math.abs((totals.directionMs.eyes_closed ?? 0) - 1100)).toBeLessThanOrEqual(1000 / fps + 1);
    }
  });

  it('a long closure even when single frames in it look open', () => {
    const times = timesOf(4000, 30);
    const samples = sampleAt([{ look: 'eyes_closed', ms: 4000 }], times).map((sample, i) =>
      i % 12 === 11 ? { ...sample, observation: observationOf('centered') } : sample,
    );
    const totals = totalsOf(settle(run(samples), 4000));
    expect(totals.directionMs.eyes_closed).toBe(4000);
  });

  it('to distracted when looks off the screen are in no direction for long, and to that direction when they settle', () => {
    const looks: readonly Look[] = ['looking_left', 'looking_up', 'looking_right', 'looking_down'];
    const wandering = Array.from({ length: 20 }, (_, i) => ({ look: looks[i % 4] ?? 'centered', ms: 100 }));
    const signal: Signal = [{ look: 'centered', ms: 3000 }, ...wandering];
    const state = run(sampleAt(signal, timesOf(lengthOf(signal), 10)));
    expect(readingOf(state)).toMatchObject({ state: 'unfocused', direction: 'distracted' });
    const settled = run(sampleAt([...signal, { look: 'looking_up', ms: 1000 }], timesOf(lengthOf(signal) + 1000, 10)));
    expect(readingOf(settled).direction).toBe('looking_up');
    expect(totalsOf(settle(settled, 6000)).focusedMs).toBe(3000);
  });

  it('not the odd frame that says otherwise', () => {
    const samples = sampleAt([{ look: 'centered', ms: 60_000 }], timesOf(60_000, 15)).map((sample, i) =>
      i % 7 === 3 ? { ...sample, observation: observationOf('looking_down') } : sample,
    );
    expect(totalsOf(settle(run(samples), 60_000))).toMatchObject({ focusedMs: 60_000, focusBouts: 1 });
  });
});

describe('time that says nothing of focus', () => {
  it('is unknown while the picture is frozen or dark, and ends a bout', () => {
    for (const look of ['frozen', 'dark'] as const) {
      const { state, bouts } = takeBouts(
        follow(
          [
            { look: 'centered', ms: 5000 },
            { look, ms: 5000 },
            { look: 'centered', ms: 5000 },
          ],
          10,
        ),
      );
      expect(totalsOf(state)).toMatchObject({ focusedMs: 10_000, unfocusedMs: 0, unknownMs: 5000, untrackedMs: 0 });
      expect(bouts.map((bout) => [bout.kind, bout.startMs, bout.durationMs])).toEqual([
        ['focused', 0, 5000],
        ['focused', 10_000, 5000],
      ]);
    }
  });

  it('is untracked for the whole length of a gap of more than 2 s, which ends a bout', () => {
    const before = timesOf(5000, 10);
    const after = timesOf(5000, 10).map((ms) => ms + 8000);
    const state = settle(run(sampleAt([{ look: 'centered', ms: 13_000 }], [...before, ...after])), 13_000);
    expect(totalsOf(state)).toMatchObject({ focusedMs: 9900, untrackedMs: 3100, focusBouts: 2 });
  });

  it('is not a gap of up to 2 s', () => {
    const state = run(sampleAt([{ look: 'centered', ms: 6000 }], [2000, 4000, 6000]));
    expect(totalsOf(state)).toMatchObject({ focusedMs: 6000, untrackedMs: 0 });
  });

  it('is untracked before a first sample that comes late, and after the last one when the end comes late', () => {
    const state = run(sampleAt([{ look: 'centered', ms: 9000 }], [3000, 3500, 4000]));
    expect(totalsOf(settle(state, 9000))).toMatchObject({ focusedMs: 1000, untrackedMs: 8000 });
    expect(totalsOf(settle(createFocusTracker({ rule: 'geometric' }), 1500))).toMatchObject({ untrackedMs: 1500 });
  });

  it('is unknown before anything was seen', () => {
    expect(readingOf(createFocusTracker({ rule: 'geometric' }))).toEqual({
      state: 'unknown',
      direction: 'unknown',
      confidence: 0,
    });
  });
});

describe('the rule `seed`', () => {
  it('is focused while more than six of the last ten frames are, and otherwise what most of the others say', () => {
    const frame = (seedDirection: 'centered' | 'looking_left' | 'looking_up') => faceAtScreen({ seedDirection });
    let state = createFocusTracker({ rule: 'seed' });
    let atMs = 0;
    const see = (direction: 'centered' | 'looking_left' | 'looking_up', times: number): void => {
      for (let i = 0; i < times; i++) {
        atMs += 100;
        state = observeSample(state, { atMs, observation: frame(direction) });
      }
    };
    see('centered', 10);
    see('looking_left', 2);
    see('looking_up', 1);
    expect(readingOf(state).direction).toBe('centered');
    see('looking_up', 1);
    expect(readingOf(state).direction).toBe('looking_up');
    see('looking_left', 1);
    expect(readingOf(state).direction).toBe('looking_left');
    see('centered', 7);
    expect(readingOf(state).direction).toBe('centered');
  });

  it('knows neither screens nor blinks: three closed frames of ten are let pass, four are not', () => {
    const closed = sampleAt([{ look: 'eyes_closed', ms: 5000 }], timesOf(5000, 10));
    const samples = sampleAt([{ look: 'centered', ms: 5000 }], timesOf(5000, 10));
    expect(readingOf(run([...samples.slice(0, 20), ...closed.slice(20, 23)], 'seed')).direction).toBe('centered');
    expect(readingOf(run([...samples.slice(0, 20), ...closed.slice(20, 24)], 'seed')).direction).toBe('eyes_closed');
  });
});

describe('the reading', () => {
  it('says why nothing can be told while that holds, and nothing of it afterwards', () => {
    const seen = faceAtScreen();
    const covered = { ...seen, face: null, faceCount: 0, fault: 'camera_covered' } as const;
    let state = createFocusTracker({ rule: 'geometric' });
    for (let atMs = 0; atMs <= 2000; atMs += 200) state = observeSample(state, { atMs, observation: covered });
    expect(readingOf(state)).toEqual({
      state: 'unknown',
      direction: 'unknown',
      confidence: 0,
      reason: 'camera_covered',
    });
    for (let atMs = 2200; atMs <= 4000; atMs += 200) state = observeSample(state, { atMs, observation: seen });
    expect(readingOf(state)).not.toHaveProperty('reason');
  });
});
