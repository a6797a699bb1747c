import { DIRECTIONS } from '../../../shared/direction.ts';
import type { SideTimes } from '../../../shared/metrics-window.ts';
import type { Detail, Figures, Totals } from '../../../shared/report/figures.ts';
import type { CsvColumn } from '../csv.ts';

/** A fraction 0–1 as percent with two decimals; an empty field where there is none. */
export function percentField(fraction: number | null): number | null {
  return fraction === null ? null : Number((fraction * 100).toFixed(2));
}

/** UTC ms as ISO 8601. */
export function timeField(utcMs: number | null): string | null {
  return utcMs === null ? null : new Date(utcMs).toISOString();
}

export const FIGURE_COLUMNS: readonly CsvColumn<Figures>[] = [
  { name: 'sessions', value: (row) => row.sessions },
  { name: 'students', value: (row) => row.students },
  { name: 'tracked_ms', value: (row) => row.trackedMs },
  { name: 'focused_ms', value: (row) => row.focusedMs },
  { name: 'unfocused_ms', value: (row) => row.unfocusedMs },
  { name: 'unknown_ms', value: (row) => row.unknownMs },
  { name: 'untracked_ms', value: (row) => row.untrackedMs },
  { name: 'late_ms', value: (row) => row.lateMs },
  { name: 'focus_share_percent', value: (row) => percentField(row.focusShare) },
  { name: 'focused_bouts', value: (row) => row.focusedBouts },
  { name: 'unfocused_bouts', value: (row) => row.unfocusedBouts },
  { name: 'longest_focused_bout_ms', value: (row) => row.longestFocusedBoutMs },
];

/** Times beside the four kinds of time. */
export const SIDE_COLUMNS: readonly CsvColumn<SideTimes>[] = [
  { name: 'paused_hidden_ms', value: (row) => row.pausedHiddenMs },
  { name: 'paused_student_ms', value: (row) => row.pausedStudentMs },
  { name: 'paused_camera_ms', value: (row) => row.pausedCameraMs },
  { name: 'second_face_ms', value: (row) => row.secondFaceMs },
];

export const TOTALS_COLUMNS: readonly CsvColumn<Totals>[] = [
  ...FIGURE_COLUMNS,
  ...DIRECTIONS.map(
    (direction): CsvColumn<Totals> => ({
      name: `${direction === 'unknown' ? 'unknown_direction' : direction}_ms`,
      value: (row) => row.directionMs[direction] ?? 0,
    }),
  ),
  { name: 'frames_received', value: (row) => row.framesReceived },
  { name: 'frames_processed', value: (row) => row.framesProcessed },
  { name: 'frames_dropped', value: (row) => row.framesDropped },
  { name: 'frames_with_face', value: (row) => row.framesWithFace },
  { name: 'bytes_up', value: (row) => row.bytesUp },
  { name: 'bytes_down', value: (row) => row.bytesDown },
  ...SIDE_COLUMNS,
];

export const DETAIL_COLUMNS: readonly CsvColumn<Detail>[] = [
  ...TOTALS_COLUMNS,
  { name: 'median_focused_bout_ms', value: (row) => row.medianFocusedBoutMs },
  { name: 'median_unfocused_bout_ms', value: (row) => row.medianUnfocusedBoutMs },
  { name: 'longest_unfocused_bout_ms', value: (row) => row.longestUnfocusedBoutMs },
];
