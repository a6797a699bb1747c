import type { MetricsWindow } from '../../../shared/metrics-window.ts';

export const SESSION_A = '0b0a3c52-6f1c-4c9a-9a3e-3f0a5d1c7e11';
export const SESSION_B = '7d9e2f40-1b2c-4d3e-8f4a-5b6c7d8e9f00';

/** 2026-03-02 08:00:00 UTC, a Monday morning. */
export const START_MS = Date.UTC(2026, 2, 2, 8);
const WINDOW_MS = 30_000;

/** A full 30 s window of session A, student 7, module 3; its place in time follows from epoch and seq. */
export function metricsWindow(changes: Partial<MetricsWindow> = {}): MetricsWindow {
  const epoch = changes.epoch ?? 0;
  const seq = changes.seq ?? 0;
  const startedAtMs = START_MS + (epoch * 1000 + seq) * WINDOW_MS;
  return {
    sessionId: SESSION_A,
    epoch,
    seq,
    userId: 7,
    moduleId: 3,
    sectionId: null,
    sessionStartedAtMs: START_MS,
    startedAtMs,
    endedAtMs: startedAtMs + WINDOW_MS,
    focusedMs: 20_250,
    unfocusedMs: 6500,
    unknownMs: 1250,
    untrackedMs: 2000,
    directionMs: { centered: 20_250, looking_left: 5000, no_face: 1500, unknown: 1250 },
    bouts: [
      { kind: 'focused', startedAtMs, durationMs: 20_250 },
      { kind: 'unfocused', startedAtMs: startedAtMs + 20_250, durationMs: 6500 },
    ],
    framesReceived: 150,
    framesProcessed: 148,
    framesDropped: 2,
    framesWithFace: 140,
    bytesUp: 450_000,
    bytesDown: 6000,
    gatewayMsSum: 37.5,
    mode: 'server',
    rule: 'geometric',
    calibrationVersion: null,
    calibratedAtMs: null,
    lateMs: 0,
    pausedHiddenMs: 1100,
    pausedStudentMs: 1200,
    pausedCameraMs: 1300,
    secondFaceMs: 140,
    suspect: null,
    final: false,
    ...changes,
  };
}

/** Sequence of windows 0 … count − 1 of one epoch. */
export function windowSeries(count: number, changes: Partial<MetricsWindow> = {}): MetricsWindow[] {
  return Array.from({ length: count }, (_, seq) => metricsWindow({ ...changes, seq }));
}

/** Sum of one number over windows. */
export function sumOf(windows: readonly MetricsWindow[], pick: (window: MetricsWindow) => number): number {
  return windows.reduce((sum, window) => sum + pick(window), 0);
}
