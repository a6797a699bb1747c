import { describe, expect, it } from 'vitest';
import {
  ANSWER_WITHIN_MS,
  INTRO,
  PLACES,
  POINT_TIMING,
  type SequenceEffect,
  type SequenceEvent,
  type SequenceState,
  stepSequence,
  TURN_TIMING,
} from '../../../client/calibration/sequence.ts';
import type { CalibrationAnswer, CalibrationRequest } from '../../../shared/protocol/calibration.ts';
import { parseClientControl } from '../../../shared/protocol/control.ts';

const ON_SCREEN = PLACES.map(({ x, y }) => ({ across: 0.1 + 0.8 * x, down: 0.1 + 0.8 * y }));
const TICK_MS = 20;
const { settleMs: SETTLE_MS, watchMs: WATCH_MS, longestWatchMs: LONGEST_WATCH_MS } = POINT_TIMING;

/** A student, a page and a capture clock that runs 1000 ms ahead of the page's. */
class Run {
  state: SequenceState = INTRO;
  readonly effects: SequenceEffect[] = [];
  nowMs = 5000;
  /** Pictures per second; 0 for none. */
  fps = 5;
  isCapturing = true;
  canTurn = false;

  get clockMs(): number | null {
    return this.isCapturing ? this.nowMs + 1000 : null;
  }

  dispatch(event: SequenceEvent): void {
    const step = stepSequence(this.state, event, ON_SCREEN);
    this.state = step.state;
    this.effects.push(...step.effects);
  }

  begin(): void {
    this.dispatch({ type: 'begin', nowMs: this.nowMs, clockMs: this.clockMs, canTurn: this.canTurn });
  }

  advance(byMs: number): void {
    const endMs = this.nowMs + byMs;
    while (this.nowMs < endMs) {
      this.nowMs += TICK_MS;
      const captureMs = this.nowMs + 1000;
      if (this.fps > 0 && captureMs % (1000 / this.fps) === 0) this.dispatch({ type: 'processed', captureMs });
      this.dispatch({ type: 'tick', nowMs: this.nowMs, clockMs: this.clockMs });
    }
  }

  /** Until it waits for an answer; resolves with how long that took, ms. */
  watchAll(): number {
    const fromMs = this.nowMs;
    while (['point', 'turn'].includes(this.state.step.name)) this.advance(TICK_MS);
    return this.nowMs - fromMs;
  }

  answer(answer: CalibrationAnswer): void {
    this.dispatch({ type: 'answer', answer });
  }

  get sent(): CalibrationRequest[] {
    return this.effects.flatMap((effect) => (effect.type === 'send' ? [effect.request] : []));
  }

  finishes(): Extract<CalibrationRequest, { type: 'calibrate_finish' }>[] {
    return this.sent.filter((request) => request.type === 'calibrate_finish');
  }
}

function watched(): Run {
  const run = new Run();
  run.begin();
  run.watchAll();
  return run;
}

const CALIBRATED: CalibrationAnswer = {
  type: 'calibrated',
  version: 1,
  yawErrorDeg: 2,
  pitchErrorDeg: 3,
  points: PLACES.map(() => ({ ok: true, readings: 7 })),
  applied: true,
  kept: true,
};
const refused = (failed: readonly number[]): CalibrationAnswer => ({
  type: 'calibration_refused',
  reason: 'too_few_readings',
  points: PLACES.map((_, i) => ({ ok: !failed.includes(i), readings: 5 })),
  message: 'why',
});

describe('going through the dots', () => {
  it('begins with the student', () => {
    const run = new Run();
    run.advance(60_000);
    expect(run.state.step.name).toBe('intro');
    expect(run.sent).toEqual([]);
    run.begin();
    expect(run.sent).toEqual([{ type: 'calibrate' }]);
    expect(run.state.step).toMatchObject({ name: 'point', place: 0, passLength: 5 });
  });

  it('takes less than 15 seconds with five pictures a second', () => {
    const run = new Run();
    run.begin();
    expect(run.watchAll()).toBeLessThan(15_000);
  });

  it('tells when each dot was watched on the capture clock, without the eyes’ way to it, in a message that the gateway takes', () => {
    const run = new Run();
    const begunMs = run.nowMs + 1000;
    run.begin();
    run.watchAll();
    const [finish] = run.finishes();
    expect(parseClientControl(JSON.stringify(finish))).toEqual(finish);
    finish?.points.forEach((point, i) => {
      expect(point).toMatchObject(ON_SCREEN[i] ?? {});
      expect(point.untilMs - point.fromMs).toBeGreaterThanOrEqual(WATCH_MS - TICK_MS);
      const earlierMs = finish.points[i - 1]?.untilMs ?? begunMs;
      expect(point.fromMs - earlierMs).toBeGreaterThanOrEqual(SETTLE_MS);
    });
  });

  it('waits longer at each dot for pictures that come slowly, but not for ever', () => {
    const slow = new Run();
    slow.fps = 2;
    slow.begin();
    slow.watchAll();
    const [point] = slow.finishes()[0]?.points ?? [];
    expect((point?.untilMs ?? 0) - (point?.fromMs ?? 0)).toBeGreaterThan(WATCH_MS + 500);
    const none = new Run();
    none.fps = 0;
    none.begin();
    expect(none.watchAll()).toBeLessThan(PLACES.length * (SETTLE_MS + LONGEST_WATCH_MS + 2 * TICK_MS));
  });

  it('shows only what failed once more and finishes with all of it', () => {
    const run = watched();
    run.answer(refused([1, 3]));
    run.begin();
    expect(run.state.step).toMatchObject({ name: 'point', place: 1, passLength: 2 });
    run.watchAll();
    const [first, second] = run.finishes();
    expect(run.sent.filter(({ type }) => type === 'calibrate')).toHaveLength(1);
    expect(second?.points.map(({ fromMs }, i) => fromMs === first?.points[i]?.fromMs)).toEqual([
      true,
      false,
      true,
      false,
      true,
    ]);
  });

  it('begins anew after a calibration, or when the gateway has forgotten it', () => {
    for (const answer of [CALIBRATED, { ...refused([]), reason: 'not_open' } as CalibrationAnswer]) {
      const run = watched();
      run.answer(answer);
      run.begin();
      expect(run.state.step).toMatchObject({ name: 'point', place: 0, passLength: 5 });
      expect(run.sent.filter(({ type }) => type === 'calibrate')).toHaveLength(2);
    }
  });

  it('can be left at any time, and the gateway is notified while it waits', () => {
    const early = new Run();
    early.dispatch({ type: 'leave' });
    expect(early.effects).toEqual([{ type: 'end' }]);
    const midway = new Run();
    midway.begin();
    midway.advance(3000);
    midway.dispatch({ type: 'leave' });
    expect(midway.sent.at(-1)).toEqual({ type: 'calibrate_abort' });
    midway.advance(20_000);
    expect(midway.state.step.name).toBe('ended');
    const done = watched();
    done.answer(CALIBRATED);
    done.dispatch({ type: 'leave' });
    expect(done.sent.at(-1)?.type).toBe('calibrate_finish');
  });

  it('stops when capture or connection are gone, or no answer comes', () => {
    const paused = new Run();
    paused.begin();
    paused.advance(1000);
    paused.isCapturing = false;
    paused.advance(TICK_MS);
    expect(paused.state.step).toEqual({ name: 'result', answer: null });
    const silent = watched();
    silent.advance(ANSWER_WITHIN_MS + TICK_MS);
    expect(silent.state.step).toEqual({ name: 'result', answer: null });
    expect(silent.sent.at(-1)).toEqual({ type: 'calibrate_abort' });
    const before = new Run();
    before.isCapturing = false;
    before.begin();
    expect(before.state.step).toEqual({ name: 'result', answer: null });
  });

  it('hears no answer that it did not ask for', () => {
    const run = new Run();
    run.begin();
    run.answer(CALIBRATED);
    expect(run.state.step.name).toBe('point');
  });
});

describe('turning the head after the dots', () => {
  function turning(): Run {
    const run = new Run();
    run.canTurn = true;
    run.begin();
    while (run.state.step.name === 'point') run.advance(TICK_MS);
    return run;
  }

  it('is the last step where the gateway takes it: the middle dot, long enough to read the words and turn to both sides', () => {
    const run = turning();
    expect(run.state.step.name).toBe('turn');
    expect(run.sent).toEqual([{ type: 'calibrate' }]);
    run.watchAll();
    const [finish] = run.finishes();
    expect(finish?.points).toHaveLength(PLACES.length);
    expect(finish?.turning).toMatchObject(ON_SCREEN[0] ?? {});
    const { fromMs = 0, untilMs = 0 } = finish?.turning ?? {};
    expect(untilMs - fromMs).toBeGreaterThanOrEqual(TURN_TIMING.watchMs - TICK_MS);
    expect(fromMs - (finish?.points.at(-1)?.untilMs ?? 0)).toBeGreaterThanOrEqual(TURN_TIMING.settleMs);
    expect(parseClientControl(JSON.stringify(finish), ['turning'])).toEqual(finish);
  });

  it('is not there without the gateway’s feature', () => {
    const [finish] = watched().finishes();
    expect(finish).not.toHaveProperty('turning');
  });

  it('is left out by who cannot or will not turn, with all dots measured', () => {
    const run = turning();
    run.dispatch({ type: 'leave_out', nowMs: run.nowMs });
    expect(run.state.step.name).toBe('waiting');
    expect(run.finishes()).toHaveLength(1);
    expect(run.finishes()[0]?.points).toHaveLength(PLACES.length);
    expect(run.finishes()[0]).not.toHaveProperty('turning');
  });

  it('is not asked for again when dots are repeated', () => {
    const run = turning();
    run.watchAll();
    run.answer(refused([1]));
    run.begin();
    run.watchAll();
    expect(run.state.step.name).toBe('waiting');
    expect(run.finishes()[1]?.turning).toEqual(run.finishes()[0]?.turning);
  });

  it('is cut off with the rest when the connection ends', () => {
    const run = turning();
    run.dispatch({ type: 'interrupted' });
    expect(run.state.step).toEqual({ name: 'result', answer: null });
    expect(run.sent.at(-1)).toEqual({ type: 'calibrate_abort' });
  });
});
