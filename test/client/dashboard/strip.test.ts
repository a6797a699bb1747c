import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { stretchesOf } from '../../../client/dashboard/stretches.ts';
import { NO_SIDE_TIMES } from '../../../shared/metrics-window.ts';
import type { Report, ReportWindow } from '../../../shared/report/session.ts';

const START = Date.UTC(2026, 2, 2, 8);

function window(fromS: number, toS: number, times: Partial<ReportWindow> = {}): ReportWindow {
  return {
    epoch: 0,
    seq: fromS,
    sectionId: null,
    startedAtMs: START + fromS * 1000,
    endedAtMs: START + toS * 1000,
    focusedMs: 0,
    unfocusedMs: 0,
    unknownMs: 0,
    untrackedMs: 0,
    directionMs: {},
    framesReceived: 0,
    framesProcessed: 0,
    framesDropped: 0,
    framesWithFace: 0,
    bytesUp: 0,
    bytesDown: 0,
    gatewayMsSum: 0,
    lateMs: 0,
    ...NO_SIDE_TIMES,
    mode: 'server',
    rule: 'geometric',
    final: false,
    ...times,
  };
}

function report(windows: ReportWindow[], bouts: [kind: 'focused' | 'unfocused', fromS: number, toS: number][]): Report {
  const { sectionId: _section, epoch: _epoch, seq: _seq, ...rest } = window(0, 0);
  return {
    ...rest,
    suspect: null,
    sessionId: 'x',
    userId: 7,
    moduleId: 3,
    startedAtMs: START,
    endedAtMs: windows.at(-1)?.endedAtMs ?? START,
    bouts: bouts.map(([kind, fromS, toS]) => ({
      kind,
      startedAtMs: START + fromS * 1000,
      durationMs: (toS - fromS) * 1000,
    })),
    windows,
  };
}

const inSeconds = (found: ReturnType<typeof stretchesOf>) =>
  found.map(({ kind, startedAtMs, endedAtMs }) => [kind, (startedAtMs - START) / 1000, (endedAtMs - START) / 1000]);

describe('stretches of a session', () => {
  it('are its bouts, and what lies between them by what the windows say', () => {
    const found = stretchesOf(
      report(
        [window(0, 30, { untrackedMs: 10_000 }), window(30, 60, { unknownMs: 10_000 }), window(90, 120)],
        [
          ['focused', 0, 20],
          ['unfocused', 40, 60],
          ['focused', 90, 120],
        ],
      ),
    );
    expect(inSeconds(found)).toEqual([
      ['focused', 0, 20],
      ['untracked', 20, 30],
      ['unknown', 30, 40],
      ['unfocused', 40, 60],
      ['paused', 60, 90],
      ['focused', 90, 120],
    ]);
  });

  it('of a session without a face are one gap', () => {
    const windows = [window(0, 30, { untrackedMs: 30_000 }), window(30, 60, { untrackedMs: 30_000 })];
    expect(inSeconds(stretchesOf(report(windows, [])))).toEqual([['untracked', 0, 60]]);
    expect(stretchesOf(report([], []))).toEqual([]);
  });

  it('cover the session from end to end without holes or overlaps', () => {
    const lengths = fc.array(fc.tuple(fc.constantFrom('focused', 'unfocused', null), fc.integer({ min: 1, max: 90 })), {
      minLength: 1,
      maxLength: 40,
    });
    fc.assert(
      fc.property(lengths, (parts) => {
        let at = 0;
        const bouts: Parameters<typeof report>[1] = [];
        for (const [kind, seconds] of parts) {
          if (kind !== null) bouts.push([kind as 'focused' | 'unfocused', at, at + seconds]);
          at += seconds;
        }
        const windows = Array.from({ length: Math.ceil(at / 30) }, (_, index) =>
          window(index * 30, Math.min(at, (index + 1) * 30)),
        );
        const found = stretchesOf(report(windows, bouts));
        expect(found[0]?.startedAtMs).toBe(START);
        expect(found.at(-1)?.endedAtMs).toBe(START + at * 1000);
        for (const [index, stretch] of found.slice(1).entries()) {
          expect(stretch.startedAtMs).toBe(found[index]?.endedAtMs);
        }
        expect(found.filter(({ kind }) => kind === 'focused' || kind === 'unfocused')).toHaveLength(bouts.length);
      }),
      { numRuns: 200 },
    );
  });
});
