import { describe, expect, it } from 'vitest';
import { FIRST_ANSWER, longTasks, type TraceEvent } from '../../../bench/main-thread/trace.ts';

const SCRIPT = '/js/tracker.js';

function event(name: string, fromMs: number, cpuMs: number, more: Partial<TraceEvent> = {}): TraceEvent {
  return { name, ph: 'X', pid: 1, tid: 1, ts: fromMs * 1000, dur: cpuMs * 1000, tdur: cpuMs * 1000, ...more };
}

describe('long tasks of a trace', () => {
  it('are those of the thread that runs the script, with what ran in them, before and after the first answer', () => {
    const evaluated = event('EvaluateScript', 11, 6, { args: { data: { url: `http://gateway${SCRIPT}` } } });
    const answered: TraceEvent = { name: FIRST_ANSWER, ph: 'I', pid: 1, tid: 1, ts: 40_000 };
    const events = [
      event('RunTask', 1, 5),
      event('RunTask', 10, 20),
      evaluated,
      answered,
      event('RunTask', 50, 9),
      event('FunctionCall', 51, 7),
      // Another thread's, and one that waited for the processor.
      event('RunTask', 60, 90, { tid: 2 }),
      event('RunTask', 70, 30, { tdur: 2000 }),
    ];
    expect(longTasks(events, SCRIPT, 8)).toEqual([
      { ms: 20, atMs: 9, whileTracking: false, inside: [{ name: 'EvaluateScript tracker.js', ms: 6 }] },
      { ms: 9, atMs: 49, whileTracking: true, inside: [{ name: 'FunctionCall', ms: 7 }] },
    ]);
  });

  it('cannot be told where the script did not run', () => {
    expect(() => longTasks([event('RunTask', 1, 5)], SCRIPT, 8)).toThrow(SCRIPT);
  });
});
