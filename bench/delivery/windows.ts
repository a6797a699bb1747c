import { type Bout, type MetricsWindow, NO_SIDE_TIMES } from '../../shared/metrics-window.ts';

const WINDOW_MS = 30_000;
/** 2026-03-02 08:00:00 UTC, a Monday morning. */
const START_MS = Date.UTC(2026, 2, 2, 8);
const SECTIONS = 12;
const FPS = 5;

/** `00000000-0000-4000-8000-` and a number. */
const sessionIdOf = (student: number) => `00000000-0000-4000-8000-${String(student).padStart(12, '0')}`;

/** One window of 30 s of a student who looks away now and then. */
function windowOf(userId: number, seq: number, random: () => number): MetricsWindow {
  const startedAtMs = START_MS + userId * 7 + seq * WINDOW_MS;
  const unfocusedMs = Math.round(random() * 9000);
  const focusedMs = WINDOW_MS - unfocusedMs;
  const half = Math.round(focusedMs / 2);
  const bout = (kind: Bout['kind'], atMs: number, durationMs: number): Bout => ({
    kind,
    startedAtMs: startedAtMs + atMs,
    durationMs,
  });
  return {
    sessionId: sessionIdOf(userId),
    epoch: 0,
    seq,
    userId,
    moduleId: 1 + (userId % 20),
    sectionId: 1 + (Math.floor(seq / 10) % SECTIONS),
    sessionStartedAtMs: START_MS + userId * 7,
    startedAtMs,
    endedAtMs: startedAtMs + WINDOW_MS,
    focusedMs,
    unfocusedMs,
    unknownMs: 0,
    untrackedMs: 0,
    directionMs: { centered: focusedMs, looking_left: unfocusedMs },
    bouts: [
      bout('focused', 0, half),
      bout('unfocused', half, unfocusedMs),
      bout('focused', half + unfocusedMs, focusedMs - half),
    ].filter(({ durationMs }) => durationMs > 0),
    framesReceived: FPS * 30,
    framesProcessed: FPS * 30,
    framesDropped: 0,
    framesWithFace: FPS * 30,
    gatewayMsSum: 1500,
    bytesUp: 90_000,
    bytesDown: 6600,
    lateMs: 0,
    ...NO_SIDE_TIMES,
    suspect: null,
    mode: 'server',
    rule: 'geometric',
    calibrationVersion: null,
    calibratedAtMs: null,
    final: false,
  };
}

/** Windows of a school in the order they come: one of each student, then the next of each. */
export function schoolWindows(students: number, count: number, random: () => number): MetricsWindow[] {
  return Array.from({ length: count }, (_, index) =>
    windowOf(1 + (index % students), Math.floor(index / students), random),
  );
}
