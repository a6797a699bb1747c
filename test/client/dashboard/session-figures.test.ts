import { describe, expect, it } from 'vitest';
import {
  directionShares,
  placementWords,
  summariseBouts,
  timeline,
} from '../../../client/dashboard/session-figures.ts';
import { NO_SIDE_TIMES } from '../../../shared/metrics-window.ts';
import type { Report, ReportWindow } from '../../../shared/report/session.ts';

const START_MS = Date.UTC(2026, 0, 15, 10, 0, 0);
const SESSION = '99d830dd-96f3-4b6e-95e4-7b4954883aea';

function window(index: number, over: Partial<ReportWindow> = {}): ReportWindow {
  return {
    epoch: 0,
    seq: index,
    sectionId: 82,
    startedAtMs: START_MS + index * 30_000,
    endedAtMs: START_MS + (index + 1) * 30_000,
    focusedMs: 20_000,
    unfocusedMs: 6000,
    unknownMs: 3000,
    untrackedMs: 1000,
    directionMs: { centered: 20_000, looking_down: 6000, unknown: 3000 },
    framesReceived: 150,
    framesProcessed: 148,
    framesDropped: 2,
    framesWithFace: 140,
    bytesUp: 450_000,
    bytesDown: 6600,
    gatewayMsSum: 1200,
    lateMs: 0,
    ...NO_SIDE_TIMES,
    mode: 'server',
    rule: 'geometric',
    final: false,
    ...over,
  };
}

function report(windows: ReportWindow[], over: Partial<Report> = {}): Report {
  return {
    sessionId: SESSION,
    userId: 7,
    moduleId: 22,
    startedAtMs: START_MS,
    endedAtMs: START_MS + windows.length * 30_000,
    final: true,
    focusedMs: 60_000,
    unfocusedMs: 30_000,
    unknownMs: 10_000,
    untrackedMs: 5000,
    directionMs: { centered: 60_000, looking_down: 30_000, unknown: 10_000, no_face: 0 },
    framesReceived: 1,
    framesProcessed: 1,
    framesDropped: 0,
    framesWithFace: 1,
    bytesUp: 1,
    bytesDown: 1,
    lateMs: 0,
    ...NO_SIDE_TIMES,
    suspect: null,
    bouts: [],
    windows,
    ...over,
  };
}

describe('stretches without a break', () => {
  const bouts = [5000, 1000, 9000, 2000].map((durationMs) => ({
    kind: 'focused' as const,
    startedAtMs: START_MS,
    durationMs,
  }));

  it('have a number, a median and a longest', () => {
    expect(summariseBouts(bouts, 'focused')).toEqual({ count: 4, medianMs: 3500, longestMs: 9000 });
    expect(summariseBouts(bouts.slice(1), 'focused')).toEqual({ count: 3, medianMs: 2000, longestMs: 9000 });
  });

  it('have no median where there are none', () => {
    expect(summariseBouts(bouts, 'unfocused')).toEqual({ count: 0, medianMs: null, longestMs: null });
  });
});

describe('directions', () => {
  it('are shares of tracked time, the largest first, those never taken left out', () => {
    expect(directionShares(report([]))).toEqual([
      { direction: 'centered', ms: 60_000, share: 0.6 },
      { direction: 'looking_down', ms: 30_000, share: 0.3 },
      { direction: 'unknown', ms: 10_000, share: 0.1 },
    ]);
  });

  it('have no shares of no time', () => {
    expect(directionShares(report([], { focusedMs: 0, unfocusedMs: 0, unknownMs: 0 }))).toEqual([]);
  });
});

describe('timeline', () => {
  it('has one bar per window while they fit', () => {
    const bars = timeline([window(0), window(1, { sectionId: null })], 60);
    expect(bars.map(({ sectionId }) => sectionId)).toEqual([82, null]);
    expect(bars[0]?.times).toEqual({ focused: 20_000, unfocused: 6000, unknown: 3000, untracked: 1000 });
  });

  it('adds neighbours up where there are more, losing no millisecond', () => {
    const windows = Array.from({ length: 500 }, (_, index) => window(index, { focusedMs: index }));
    const bars = timeline(windows, 60);
    expect(bars.length).toBeLessThanOrEqual(60);
    expect(bars.reduce((sum, { times }) => sum + times.focused, 0)).toBe((499 * 500) / 2);
    expect(bars[0]?.startedAtMs).toBe(windows[0]?.startedAtMs);
    expect(bars.at(-1)?.endedAtMs).toBe(windows.at(-1)?.endedAtMs);
  });

  it('names a section only where all of a bar belongs to it', () => {
    const [bar] = timeline([window(0), window(1, { sectionId: 83 })], 1);
    expect(bar?.sectionId).toBeNull();
  });

  it('is empty for a session without windows', () => {
    expect(timeline([], 60)).toEqual([]);
  });
});

describe('where pictures were processed', () => {
  const minutes = (ms: number) => `${ms / 60_000} min`;
  const tracked = { focusedMs: 60_000, unfocusedMs: 0, unknownMs: 0, untrackedMs: 0 };

  it('is named once where it was one place, and with its time where it was both', () => {
    const server = window(0, tracked);
    const device = window(1, { ...tracked, focusedMs: 180_000, mode: 'device' });
    expect(placementWords([server], minutes)).toBe('processed on the server');
    expect(placementWords([device], minutes)).toBe('processed on the student’s device');
    expect(placementWords([server, device], minutes)).toBe(
      'processed on the server (1 min) and on the student’s device (3 min)',
    );
  });

  it('is not known of a session in which nothing was', () => {
    expect(placementWords([window(0, { ...tracked, focusedMs: 0, untrackedMs: 9000 })], minutes)).toBeNull();
  });
});
