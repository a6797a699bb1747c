import { shareOf } from '../../shared/report/figures.ts';
import type { TimelineRow } from '../../shared/report/rows.ts';
import type { ReportDatabase } from './database.ts';
import type { SectionScope } from './port.ts';
import { figuresOf, numberOf } from './read.ts';
import { TIME_SUMS, whereOf } from './sql.ts';

/**
 * Where along a lesson section students look away. A window's place is the time that its session had spent in
 * the section before it, so that breaks and visits elsewhere do not count; a window belongs to the step it
 * begins in, a bout to the step in which it begins.
 */
export async function readTimeline(
  database: ReportDatabase,
  scope: SectionScope,
  stepMs: number,
): Promise<readonly TimelineRow[]> {
  const { dialect } = database;
  const where = whereOf(scope, dialect);
  const placed = `SELECT session_id, user_id, epoch, seq, started_at_ms, focused_ms, unfocused_ms, unknown_ms, untracked_ms,
      SUM(ended_at_ms - started_at_ms) OVER (
        PARTITION BY session_id ORDER BY started_at_ms, epoch, seq ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
      ) - (ended_at_ms - started_at_ms) AS spent_ms
    FROM relay_report_windows WHERE ${where.text}`;
  const step = (place: string) => dialect.div(dialect.whole(place), stepMs);
  const began = 'w.spent_ms + b.started_at_ms - w.started_at_ms';
  const [rows, bouts] = await Promise.all([
    database.rows(
      `SELECT ${step('w.spent_ms')} AS step, COUNT(DISTINCT w.session_id) AS session_count,
       COUNT(DISTINCT w.user_id) AS student_count, ${TIME_SUMS}
     FROM (${placed}) w GROUP BY step ORDER BY step`,
      where.values,
    ),
    database.rows(
      `SELECT ${step(`(CASE WHEN ${began} < 0 THEN 0 ELSE ${began} END)`)} AS step, COUNT(*) AS bouts,
       SUM(b.duration_ms) AS duration_ms
     FROM (${placed}) w JOIN relay_bouts b ON b.session_id = w.session_id AND b.epoch = w.epoch AND b.seq = w.seq
     WHERE b.kind = 'unfocused' GROUP BY step`,
      where.values,
    ),
  ]);
  const boutsByStep = new Map(bouts.map((row) => [numberOf(row, 'step'), row]));
  return rows.map((row) => {
    const at = numberOf(row, 'step');
    const { students, sessions, focusedMs, unfocusedMs, unknownMs, untrackedMs, focusShare } = figuresOf(row);
    const distractions = numberOf(boutsByStep.get(at) ?? {}, 'bouts');
    return {
      startMs: at * stepMs,
      endMs: (at + 1) * stepMs,
      students,
      sessions,
      focusedMs,
      unfocusedMs,
      unknownMs,
      untrackedMs,
      focusShare,
      distractions,
      distractionMs: numberOf(boutsByStep.get(at) ?? {}, 'duration_ms'),
      distractionsPerStudent: shareOf(distractions, students),
    };
  });
}
