import { WHOLE_SCHOOL } from '../../../gateway/auth/reach.ts';
import type { Scope } from '../../../gateway/reports/port.ts';
import { type MetricsWindow, NO_SIDE_TIMES } from '../../../shared/metrics-window.ts';
import { STUDENTS, schoolWindows } from '../../support/report-data.ts';

export const MANILA_MS = 8 * 3_600_000;
const DAY = 86_400_000;
/** Monday 2 March 2026, midnight in Manila. */
export const FIRST_DAY_MS = Date.UTC(2026, 2, 2) - MANILA_MS;

export const SCHOOL = schoolWindows({ seed: 11, firstDayMs: FIRST_DAY_MS, days: 10, firstWeekday: 1 });

/** A session by hand, of 20 s, begun 5 s before midnight in Manila at the end of 4 March. */
const LATE_START_MS = FIRST_DAY_MS + 3 * DAY - 5000;
export const LATE: MetricsWindow[] = [0, 1].map((seq) => ({
  sessionId: '0b0a3c52-6f1c-4c9a-9a3e-3f0a5d1c7e11',
  epoch: 0,
  seq,
  userId: 999,
  moduleId: 99,
  sectionId: null,
  sessionStartedAtMs: LATE_START_MS,
  startedAtMs: LATE_START_MS + seq * 10_000,
  endedAtMs: LATE_START_MS + (seq + 1) * 10_000,
  focusedMs: 0,
  unfocusedMs: 0,
  unknownMs: 0,
  untrackedMs: 10_000,
  directionMs: {},
  bouts: [],
  framesReceived: 0,
  framesProcessed: 0,
  framesDropped: 0,
  framesWithFace: 0,
  bytesUp: 10,
  bytesDown: 1,
  gatewayMsSum: 0,
  mode: 'device',
  rule: 'geometric',
  calibrationVersion: null,
  calibratedAtMs: null,
  lateMs: 700,
  ...NO_SIDE_TIMES,
  suspect: null,
  final: seq === 1,
}));

export const WINDOWS = [...SCHOOL, ...LATE];

/** The first window of each session: the session counts where it is. */
const BEGINNINGS = new Set([...groups(WINDOWS, ({ sessionId }) => sessionId).values()].map(([first]) => first));

export function scope(changes: Partial<Scope> = {}): Scope {
  return { reach: WHOLE_SCHOOL, range: { from: '2026-03-02', to: '2026-03-11' }, ...changes };
}

export const sum = <T>(items: readonly T[], pick: (item: T) => number) =>
  items.reduce((total, item) => total + pick(item), 0);

function median(lengths: readonly number[]): number | null {
  const sorted = lengths.toSorted((a, b) => a - b);
  const [lower, upper] = [sorted[Math.ceil(sorted.length / 2) - 1], sorted[Math.floor(sorted.length / 2)]];
  return lower === undefined || upper === undefined ? null : (lower + upper) / 2;
}

/** The figures that a report must have, from the windows alone. */
export function figures(windows: readonly MetricsWindow[]) {
  const bouts = windows.flatMap((window) => window.bouts);
  const focused = bouts.filter(({ kind }) => kind === 'focused').map(({ durationMs }) => durationMs);
  const focusedMs = sum(windows, (window) => window.focusedMs);
  const unfocusedMs = sum(windows, (window) => window.unfocusedMs);
  const unknownMs = sum(windows, (window) => window.unknownMs);
  const trackedMs = focusedMs + unfocusedMs + unknownMs;
  return {
    sessions: windows.filter((window) => BEGINNINGS.has(window)).length,
    students: new Set(windows.map(({ userId }) => userId)).size,
    focusedMs,
    unfocusedMs,
    unknownMs,
    untrackedMs: sum(windows, (window) => window.untrackedMs),
    lateMs: sum(windows, (window) => window.lateMs),
    trackedMs,
    focusShare: trackedMs === 0 ? null : focusedMs / trackedMs,
    focusedBouts: focused.length,
    unfocusedBouts: bouts.length - focused.length,
    longestFocusedBoutMs: focused.length === 0 ? null : Math.max(...focused),
  };
}

export function detail(windows: readonly MetricsWindow[]) {
  const directionMs: Record<string, number> = {};
  for (const window of windows) {
    for (const [name, spentMs] of Object.entries(window.directionMs))
      directionMs[name] = (directionMs[name] ?? 0) + spentMs;
  }
  const lengths = (kind: string) =>
    windows.flatMap((window) => window.bouts.filter((bout) => bout.kind === kind).map(({ durationMs }) => durationMs));
  return {
    ...figures(windows),
    medianFocusedBoutMs: median(lengths('focused')),
    medianUnfocusedBoutMs: median(lengths('unfocused')),
    longestUnfocusedBoutMs: lengths('unfocused').length === 0 ? null : Math.max(...lengths('unfocused')),
    directionMs,
    framesReceived: sum(windows, (window) => window.framesReceived),
    framesProcessed: sum(windows, (window) => window.framesProcessed),
    framesDropped: sum(windows, (window) => window.framesDropped),
    framesWithFace: sum(windows, (window) => window.framesWithFace),
    bytesUp: sum(windows, (window) => window.bytesUp),
    bytesDown: sum(windows, (window) => window.bytesDown),
    pausedHiddenMs: sum(windows, (window) => window.pausedHiddenMs),
    pausedStudentMs: sum(windows, (window) => window.pausedStudentMs),
    pausedCameraMs: sum(windows, (window) => window.pausedCameraMs),
    secondFaceMs: sum(windows, (window) => window.secondFaceMs),
  };
}

export function groups<Key>(
  windows: readonly MetricsWindow[],
  keyOf: (window: MetricsWindow) => Key,
): Map<Key, MetricsWindow[]> {
  const found = new Map<Key, MetricsWindow[]>();
  for (const window of windows) found.set(keyOf(window), [...(found.get(keyOf(window)) ?? []), window]);
  return found;
}

export const inManila = (window: MetricsWindow) => new Date(window.startedAtMs + MANILA_MS);
export const dayInManila = (window: MetricsWindow) => inManila(window).toISOString().slice(0, 10);
export const classOf = (userId: number) => STUDENTS.find(({ id }) => id === userId)?.className ?? null;
export const nameOf = (userId: number) => {
  const student = STUDENTS.find(({ id }) => id === userId);
  return student === undefined ? null : `${student.firstName} ${student.lastName}`;
};
