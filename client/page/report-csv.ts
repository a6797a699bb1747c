import { DIRECTIONS } from '../../shared/direction.ts';
import type { Report } from './report-data.ts';

const COLUMNS = [
  'session_id',
  'user_id',
  'module_id',
  'section_id',
  'epoch',
  'seq',
  'started_at',
  'ended_at',
  'focused_ms',
  'unfocused_ms',
  'unknown_ms',
  'untracked_ms',
  ...DIRECTIONS.map((direction) => `${direction}_ms`),
  'frames_received',
  'frames_processed',
  'frames_dropped',
  'frames_with_face',
  'bytes_up',
  'bytes_down',
  'mode',
  'rule',
] as const;

/**
 * The windows of a report as CSV after RFC 4180: a header line, CRLF, times in UTC as ISO 8601,
 * durations in whole ms, an empty field for no section. No field needs quotes: all are numbers,
 * dates and words of fixed lists.
 */
export function reportCsv(report: Report): string {
  const rows = report.windows.map((window) => [
    report.sessionId,
    report.userId,
    report.moduleId,
    window.sectionId ?? '',
    window.epoch,
    window.seq,
    new Date(window.startedAtMs).toISOString(),
    new Date(window.endedAtMs).toISOString(),
    window.focusedMs,
    window.unfocusedMs,
    window.unknownMs,
    window.untrackedMs,
    ...DIRECTIONS.map((direction) => window.directionMs[direction] ?? 0),
    window.framesReceived,
    window.framesProcessed,
    window.framesDropped,
    window.framesWithFace,
    window.bytesUp,
    window.bytesDown,
    window.mode,
    window.rule,
  ]);
  return [COLUMNS, ...rows].map((row) => `${row.join(',')}\r\n`).join('');
}
