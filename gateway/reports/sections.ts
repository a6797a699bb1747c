import type { Detail } from '../../shared/report/figures.ts';
import { shareOf } from '../../shared/report/figures.ts';
import type { SectionRow, TimelineRow } from '../../shared/report/rows.ts';
import type { ReportDatabase } from './database.ts';
import { boutLengths } from './median.ts';
import type { Scope, SectionScope } from './port.ts';
import { figuresOf, numberOf, textOrNull, totalsOf } from './read.ts';
import { detailSums, type Sql, sessionsOf, timeSums } from './sql.ts';

const WINDOW_FIGURES = `COUNT(DISTINCT w.session_id) AS sessions, COUNT(DISTINCT w.user_id) AS students, ${timeSums('w')}`;

/** Bouts belong to the section of the window that closed them. */
const BOUT_FIGURES = `SUM(CASE WHEN b.kind = 'focused' THEN 1 ELSE 0 END) AS focused_bouts,
  SUM(CASE WHEN b.kind = 'unfocused' THEN 1 ELSE 0 END) AS unfocused_bouts,
  MAX(CASE WHEN b.kind = 'focused' THEN b.duration_ms END) AS longest_focused_bout_ms`;

const WINDOWS = ' JOIN relay_windows w ON w.session_id = s.id';
const BOUTS = `${WINDOWS} JOIN relay_bouts b ON b.session_id = w.session_id AND b.epoch = w.epoch AND b.seq = w.seq`;

function inSection(where: Sql, sectionId: number | null): Sql {
  return sectionId === null
    ? { text: `${where.text} AND w.section_id IS NULL`, values: where.values }
    : { text: `${where.text} AND w.section_id = ?`, values: [...where.values, sectionId] };
}

/** Lesson sections of a module in the order of their ids, time in none of them last. */
export async function readSections(
  database: ReportDatabase,
  scope: Scope & { readonly moduleId: number },
): Promise<readonly SectionRow[]> {
  const directory = await database.directory();
  const { from, where } = sessionsOf(scope, directory);
  const { sectionTitle } = directory;
  const rows = await database.rows(
    `SELECT w.section_id AS section_id, ${WINDOW_FIGURES}${sectionTitle === null ? '' : `, MAX(ms.${sectionTitle}) AS title`}
     FROM ${from}${WINDOWS}${sectionTitle === null ? '' : ' LEFT JOIN module_sections ms ON ms.id = w.section_id'}
     WHERE ${where.text} GROUP BY w.section_id ORDER BY w.section_id`,
    where.values,
  );
  const bouts = await database.rows(
    `SELECT w.section_id AS section_id, ${BOUT_FIGURES} FROM ${from}${BOUTS} WHERE ${where.text} GROUP BY w.section_id`,
    where.values,
  );
  return rows
    .map((row) => {
      const closed = bouts.find((bout) => bout.section_id === row.section_id) ?? {};
      return {
        sectionId: row.section_id === null ? null : numberOf(row, 'section_id'),
        title: textOrNull(row, 'title'),
        ...figuresOf({ ...closed, ...row }),
      };
    })
    .toSorted((a, b) => Number(a.sectionId === null) - Number(b.sectionId === null));
}

/** Figures, directions and quality of one lesson section. */
export async function readSectionDetail(database: ReportDatabase, scope: SectionScope): Promise<Detail> {
  const directory = await database.directory();
  const sessions = sessionsOf(scope, directory);
  const where = inSection(sessions.where, scope.sectionId);
  const [row = {}] = await database.rows(
    `SELECT ${WINDOW_FIGURES}, ${detailSums('w')} FROM ${sessions.from}${WINDOWS} WHERE ${where.text}`,
    where.values,
  );
  const from = `${sessions.from}${BOUTS}`;
  const [bouts = {}] = await database.rows(`SELECT ${BOUT_FIGURES} FROM ${from} WHERE ${where.text}`, where.values);
  return {
    ...totalsOf({ ...bouts, ...row }),
    ...(await boutLengths(database, from, where)),
  };
}

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
  const { div } = database;
  const sessions = sessionsOf(scope, await database.directory());
  const where = inSection(sessions.where, scope.sectionId);
  const placed = `SELECT w.session_id, w.user_id, w.epoch, w.seq, w.started_at_ms, w.focused_ms, w.unfocused_ms, w.unknown_ms,
      w.untracked_ms,
      SUM(w.ended_at_ms - w.started_at_ms) OVER (
        PARTITION BY w.session_id ORDER BY w.started_at_ms, w.epoch, w.seq ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
      ) - (w.ended_at_ms - w.started_at_ms) AS spent_ms
    FROM ${sessions.from}${WINDOWS} WHERE ${where.text}`;
  const step = (place: string) =>
    `CAST(${place} AS ${database.kind === 'mysql' ? 'SIGNED' : 'INTEGER'}) ${div} ${stepMs}`;
  const rows = await database.rows(
    `SELECT ${step('w.spent_ms')} AS step, COUNT(DISTINCT w.session_id) AS sessions,
       COUNT(DISTINCT w.user_id) AS students, ${timeSums('w')}
     FROM (${placed}) w GROUP BY step ORDER BY step`,
    where.values,
  );
  const began = 'w.spent_ms + b.started_at_ms - w.started_at_ms';
  const bouts = await database.rows(
    `SELECT ${step(`CASE WHEN ${began} < 0 THEN 0 ELSE ${began} END`)} AS step, COUNT(*) AS bouts,
       SUM(b.duration_ms) AS duration_ms
     FROM (${placed}) w JOIN relay_bouts b ON b.session_id = w.session_id AND b.epoch = w.epoch AND b.seq = w.seq
     WHERE b.kind = 'unfocused' GROUP BY step`,
    where.values,
  );
  const boutsByStep = new Map(bouts.map((row) => [numberOf(row, 'step'), row]));
  return rows.map((row) => {
    const at = numberOf(row, 'step');
    const { students, sessions: count, focusedMs, unfocusedMs, unknownMs, untrackedMs, focusShare } = figuresOf(row);
    const distractions = numberOf(boutsByStep.get(at) ?? {}, 'bouts');
    return {
      startMs: at * stepMs,
      endMs: (at + 1) * stepMs,
      students,
      sessions: count,
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
