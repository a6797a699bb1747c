import { DIRECTIONS, MODES, RULES } from '../../shared/direction.ts';
import { SUSPECTS } from '../../shared/metrics-window.ts';
import { type Figures, shareOf, type Totals } from '../../shared/report/figures.ts';
import type { SessionRow } from '../../shared/report/rows.ts';
import type { Row } from './database.ts';

/** A number of a row; drivers give sums as text or as null where nothing was summed up. */
export function numberOf(row: Row, column: string): number {
  return Number(row[column] ?? 0);
}

export function numberOrNull(row: Row | undefined, column: string): number | null {
  const value = row?.[column];
  return value === null || value === undefined ? null : Number(value);
}

/** A text of a row; null also for an empty one. */
export function textOrNull(row: Row, column: string): string | null {
  const value = row[column];
  if (value === null || value === undefined) return null;
  const text = String(value).trim();
  return text === '' ? null : text;
}

export function figuresOf(row: Row): Figures {
  const focusedMs = numberOf(row, 'focused_ms');
  const unfocusedMs = numberOf(row, 'unfocused_ms');
  const unknownMs = numberOf(row, 'unknown_ms');
  const trackedMs = focusedMs + unfocusedMs + unknownMs;
  const longest = numberOf(row, 'longest_focused_bout_ms');
  return {
    sessions: numberOf(row, 'session_count'),
    students: numberOf(row, 'student_count'),
    focusedMs,
    unfocusedMs,
    unknownMs,
    untrackedMs: numberOf(row, 'untracked_ms'),
    lateMs: numberOf(row, 'late_ms'),
    trackedMs,
    focusShare: shareOf(focusedMs, trackedMs),
    focusedBouts: numberOf(row, 'focused_bout_count'),
    unfocusedBouts: numberOf(row, 'unfocused_bout_count'),
    longestFocusedBoutMs: longest > 0 ? longest : null,
  };
}

export function totalsOf(row: Row): Totals {
  const directions = DIRECTIONS.map((direction) => {
    const column = direction === 'unknown' ? 'unknown_direction_ms' : `${direction}_ms`;
    return [direction, numberOf(row, column)] as const;
  });
  return {
    ...figuresOf(row),
    directionMs: Object.fromEntries(directions.filter(([, spentMs]) => spentMs > 0)),
    framesReceived: numberOf(row, 'frames_received'),
    framesProcessed: numberOf(row, 'frames_processed'),
    framesDropped: numberOf(row, 'frames_dropped'),
    framesWithFace: numberOf(row, 'frames_with_face'),
    bytesUp: numberOf(row, 'up_bytes'),
    bytesDown: numberOf(row, 'down_bytes'),
    pausedHiddenMs: numberOf(row, 'paused_hidden_ms'),
    pausedStudentMs: numberOf(row, 'paused_student_ms'),
    pausedCameraMs: numberOf(row, 'paused_camera_ms'),
    secondFaceMs: numberOf(row, 'second_face_ms'),
  };
}

export function sessionRowOf(row: Row): SessionRow {
  return {
    sessionId: String(row.session_uuid),
    userId: numberOf(row, 'user_id'),
    name: textOrNull(row, 'student_name'),
    className: textOrNull(row, 'class_name'),
    moduleId: numberOf(row, 'module_id'),
    moduleTitle: textOrNull(row, 'module_title'),
    startedAtMs: numberOf(row, 'started_at_ms'),
    endedAtMs: numberOf(row, 'ended_at_ms'),
    final: numberOf(row, 'is_final') !== 0,
    mode: MODES.find((mode) => mode === row.mode) ?? 'server',
    rule: RULES.find((rule) => rule === row.rule) ?? 'geometric',
    suspect: SUSPECTS.find((suspect) => suspect === row.suspect) ?? null,
    ...figuresOf(row),
  };
}
