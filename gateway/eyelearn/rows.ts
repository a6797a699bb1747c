import type { MetricsWindow } from '../../shared/metrics-window.ts';
import { chunksOf, type PlacedWindow, sectionKeyOf } from '../store/batch.ts';
import {
  type Executor,
  given,
  identifier,
  insertInto,
  joined,
  rowsOf,
  run,
  type SqlText,
  type SqlValue,
  sql,
} from '../store/mysql/statement.ts';
import type { Placement } from './placement.ts';
import { EMPTY_ROW, planRows, type RowState, type RowStep, remainderOf } from './row-plan.ts';
import { eyelearnRows } from './schema.ts';
import { insertRows, updateRows, type WrittenTable } from './tables.ts';

const EVENTS_PER_STATEMENT = 1000;

/** Windows of one student, module, lesson section and day: their time goes to one row, as with EyeLearn's own endpoint. */
interface Group {
  readonly userId: number;
  readonly moduleId: number;
  readonly sectionKey: number;
  readonly day: string;
  readonly placed: PlacedWindow[];
}

type Place = Omit<Group, 'placed'>;

/** Our newest note of a place. */
interface Note extends Omit<RowState, 'totalS' | 'rollNo'> {
  readonly id: number;
  readonly rowId: number | null;
}

/** The newest row of a place in EyeLearn's table, whichever program has made it. */
interface FoundRow {
  readonly id: number;
  readonly totalS: number;
}

/** A row that changes, with its id and our note's id if they exist. */
interface Change {
  readonly group: Group;
  readonly step: RowStep<MetricsWindow>;
  readonly rowId: number | null;
  readonly noteId: number | null;
}

const keyOf = ({ userId, moduleId, sectionKey, day }: Place): string => [userId, moduleId, sectionKey, day].join('/');

function groupsOf(
  table: WrittenTable,
  counted: readonly PlacedWindow[],
  dayOf: (window: MetricsWindow) => string,
): Group[] {
  const hasSection = table.columns.has('section_id');
  const groups = new Map<string, Group>();
  for (const placed of counted) {
    const { userId, moduleId, sectionId } = placed.window;
    const place = { userId, moduleId, sectionKey: hasSection ? sectionKeyOf(sectionId) : 0, day: dayOf(placed.window) };
    const group = groups.get(keyOf(place)) ?? { ...place, placed: [] };
    group.placed.push(placed);
    groups.set(keyOf(place), group);
  }
  const byStart = (a: PlacedWindow, b: PlacedWindow) => a.window.startedAtMs - b.window.startedAtMs;
  return [...groups.values()].map((group) => ({ ...group, placed: [...group.placed].sort(byStart) }));
}

/** Our newest note of each group. */
async function notesOf(db: Executor, groups: readonly Group[]): Promise<Map<string, Note>> {
  const places = groups.map(
    ({ userId, moduleId, sectionKey, day }) =>
      sql`(user_id = ${userId} AND day = ${day} AND module_id = ${moduleId} AND section_key = ${sectionKey})`,
  );
  const rows = await rowsOf(
    db,
    sql`SELECT id, user_id, module_id, section_key, DATE_FORMAT(day, '%Y-%m-%d') AS study_day, eyelearn_row_id,
        focused_ms, unfocused_ms, focused_written_s, unfocused_written_s
      FROM relay_eyelearn_rows WHERE ${joined(places, ' OR ')} ORDER BY id`,
  );
  return new Map(
    rows.map((row): [string, Note] => [
      [row.user_id, row.module_id, row.section_key, row.study_day].join('/'),
      {
        id: Number(row.id),
        rowId: row.eyelearn_row_id === null ? null : Number(row.eyelearn_row_id),
        focusedMs: Number(row.focused_ms),
        unfocusedMs: Number(row.unfocused_ms),
        focusedWrittenS: Number(row.focused_written_s),
        unfocusedWrittenS: Number(row.unfocused_written_s),
      },
    ]),
  );
}

/** Ids of the newest rows that EyeLearn has of the groups. Not locked: another gateway's rows may lie between them. */
async function newestIds(
  db: Executor,
  table: WrittenTable,
  groups: readonly Group[],
  notes: ReadonlyMap<string, Note>,
): Promise<Map<string, number>> {
  const noted = new Map(
    groups.flatMap((group) => {
      const rowId = notes.get(keyOf(group))?.rowId ?? null;
      return rowId === null ? [] : [[keyOf(group), rowId] as const];
    }),
  );
  if (!table.columns.has('created_at')) return noted;
  const section = table.columns.has('section_id') ? sql`section_id` : sql`NULL`;
  const places = groups.map((group) => {
    const { userId, moduleId, sectionKey, day } = group;
    // Rows before the noted one are older, and the index of student and module is in the order of ids.
    return sql`(user_id = ${userId} AND module_id = ${moduleId} AND id >= ${noted.get(keyOf(group)) ?? 0}
      AND ${section} <=> ${sectionKey === 0 ? null : sectionKey}
      AND created_at >= ${day} AND created_at < ${day} + INTERVAL 1 DAY)`;
  });
  const rows = await rowsOf(
    db,
    sql`SELECT MAX(id) AS id, user_id, module_id, COALESCE(${section}, 0) AS section_key,
        DATE_FORMAT(created_at, '%Y-%m-%d') AS study_day
      FROM ${identifier(table.name)} WHERE ${joined(places, ' OR ')}
      GROUP BY user_id, module_id, section_key, study_day`,
  );
  const found = rows.map((row): [string, number] => [
    [row.user_id, row.module_id, row.section_key, row.study_day].join('/'),
    Number(row.id),
  ]);
  return new Map([...noted, ...found]);
}

/** The rows to add to, locked, with EyeLearn's own totals. */
async function lockRows(
  db: Executor,
  table: WrittenTable,
  ids: ReadonlyMap<string, number>,
): Promise<Map<string, FoundRow>> {
  if (ids.size === 0) return new Map();
  const rows = await rowsOf(
    db,
    sql`SELECT id, COALESCE(total_time_seconds, 0) AS total_s FROM ${identifier(table.name)}
      WHERE id IN ${[...ids.values()]} ORDER BY id FOR UPDATE`,
  );
  const totals = new Map(rows.map((row) => [Number(row.id), Number(row.total_s)]));
  return new Map(
    [...ids].flatMap(([key, id]): [string, FoundRow][] => {
      const totalS = totals.get(id);
      return totalS === undefined ? [] : [[key, { id, totalS }]];
    }),
  );
}

/** Where a group's time is added to: its row with what of our time is in it; null for a row that is to be made. */
function startOf(note: Note | undefined, row: FoundRow | undefined): RowState | null {
  if (note === undefined && row === undefined) return null;
  const totalS = row?.totalS ?? 0;
  if (note === undefined) return { ...EMPTY_ROW, totalS };
  const { focusedMs, unfocusedMs, focusedWrittenS, unfocusedWrittenS } = note;
  const known = { rollNo: 0, focusedMs, unfocusedMs, focusedWrittenS, unfocusedWrittenS, totalS };
  return note.rowId === (row?.id ?? null) ? known : { ...remainderOf(known), totalS };
}

function changesOf(
  groups: readonly Group[],
  notes: ReadonlyMap<string, Note>,
  rows: ReadonlyMap<string, FoundRow>,
): Change[] {
  return groups.flatMap((group) => {
    const note = notes.get(keyOf(group));
    const row = rows.get(keyOf(group));
    // A note that names no row yet is the one of the row that is found or made now.
    const isOfRow = note !== undefined && (note.rowId === null || note.rowId === row?.id);
    const windows = group.placed.map(({ window }) => window);
    return planRows(startOf(note, row), windows).map((step) => {
      const isFirst = step.state.rollNo === 0;
      return {
        group,
        step,
        rowId: isFirst ? (row?.id ?? null) : null,
        noteId: isFirst && isOfRow ? note.id : null,
      };
    });
  });
}

function newRow({ group, step }: Change, today: string): Record<string, SqlValue> {
  const [window] = step.slices;
  if (window === undefined) throw new Error('a row with time has a window');
  const { addFocusedS, addUnfocusedS } = step;
  return {
    user_id: window.userId,
    module_id: window.moduleId,
    section_id: group.sectionKey === 0 ? null : group.sectionKey,
    session_type: 'viewing',
    total_time_seconds: addFocusedS + addUnfocusedS,
    focused_time_seconds: addFocusedS,
    unfocused_time_seconds: addUnfocusedS,
    // Windows that were delivered after midnight belong to the day on which they were studied.
    created_at:
      group.day === today ? sql`CURRENT_TIMESTAMP` : sql`FROM_UNIXTIME(${Math.floor(window.startedAtMs / 1000)})`,
    session_data: JSON.stringify({ source: 'gaze-relay', session: window.sessionId, rule: window.rule }),
  };
}

function sum(column: string, seconds: SqlText): SqlText {
  return sql`COALESCE(${identifier(column)}, 0) + ${seconds}`;
}

/** Writes the seconds of changes and resolves with them and the ids of their rows, null where there is no row yet. */
async function writeSeconds(
  db: Executor,
  table: WrittenTable,
  changes: readonly Change[],
  { today, idStep }: Placement,
): Promise<Change[]> {
  const timed = changes.filter(({ step }) => step.addFocusedS + step.addUnfocusedS > 0);
  const additions = timed.flatMap(({ rowId, step: { addFocusedS, addUnfocusedS } }) =>
    rowId === null
      ? []
      : [
          {
            where: sql`id = ${rowId}`,
            values: { focusedS: addFocusedS, unfocusedS: addUnfocusedS, totalS: addFocusedS + addUnfocusedS },
          },
        ],
  );
  await updateRows(db, table, additions, (value) => ({
    total_time_seconds: sum('total_time_seconds', value('totalS')),
    focused_time_seconds: sum('focused_time_seconds', value('focusedS')),
    unfocused_time_seconds: sum('unfocused_time_seconds', value('unfocusedS')),
  }));
  const begun = timed.filter(({ rowId }) => rowId === null);
  const ids = await insertRows(
    db,
    table,
    begun.map((change) => newRow(change, today)),
    idStep,
  );
  const idByChange = new Map(begun.map((change, index) => [change, ids[index] ?? null]));
  return changes.map((change) => ({ ...change, rowId: idByChange.get(change) ?? change.rowId }));
}

async function writeNotes(db: Executor, changes: readonly Change[]): Promise<void> {
  // A full row to which nothing was added needs none.
  const noted = changes.filter(({ step, noteId }) => noteId !== null || step.slices.length > 0);
  if (noted.length === 0) return;
  await run(
    db,
    insertInto(
      eyelearnRows,
      noted.map(({ group, step: { state }, rowId, noteId }) => ({
        ...(noteId === null ? {} : { id: noteId }),
        userId: group.userId,
        moduleId: group.moduleId,
        sessionId: Math.max(...group.placed.map(({ sessionId }) => sessionId)),
        sectionKey: group.sectionKey,
        day: group.day,
        eyelearnRowId: rowId,
        focusedMs: state.focusedMs,
        unfocusedMs: state.unfocusedMs,
        focusedWrittenS: state.focusedWrittenS,
        unfocusedWrittenS: state.unfocusedWrittenS,
      })),
      {
        sessionId: sql`GREATEST(${identifier(eyelearnRows.sessionId.name)}, ${given(eyelearnRows.sessionId)})`,
        eyelearnRowId: given(eyelearnRows.eyelearnRowId),
        focusedMs: given(eyelearnRows.focusedMs),
        unfocusedMs: given(eyelearnRows.unfocusedMs),
        focusedWrittenS: given(eyelearnRows.focusedWrittenS),
        unfocusedWrittenS: given(eyelearnRows.unfocusedWrittenS),
      },
    ),
  );
}

/** EyeLearn's row id of each window whose time is in a row. */
export type RowIds = ReadonlyMap<MetricsWindow, number>;

/**
 * Adds the time of new windows to eye_tracking_sessions, within the caller's transaction: to the newest row of the student, module,
 * lesson section and day of the database's time zone, also where PHP has made it. At most six statements. The student's days must be
 * locked (lockStudentDays), so that no other gateway writes for them. Rejects with the driver's error.
 */
export async function feedSessions(
  db: Executor,
  table: WrittenTable,
  counted: readonly PlacedWindow[],
  placement: Placement,
): Promise<RowIds> {
  const groups = groupsOf(table, counted, placement.dayOf);
  const notes = await notesOf(db, groups);
  const rows = await lockRows(db, table, await newestIds(db, table, groups, notes));
  const changes = await writeSeconds(db, table, changesOf(groups, notes, rows), placement);
  await writeNotes(db, changes);
  return new Map(
    changes.flatMap(({ step, rowId }) =>
      rowId === null ? [] : step.slices.map((window): [MetricsWindow, number] => [window, rowId]),
    ),
  );
}

/** Writes the start and the end of each bout of windows whose rows are known to focus_events. Rejects with the driver's error. */
export async function feedEvents(db: Executor, table: WrittenTable, rowIds: RowIds): Promise<void> {
  const at = (utcMs: number) => sql`FROM_UNIXTIME(${Math.floor(utcMs / 1000)})`;
  const events: Record<string, SqlValue>[] = [];
  for (const [window, rowId] of rowIds) {
    for (const { kind, startedAtMs, durationMs } of window.bouts) {
      const word = kind === 'focused' ? 'focus' : 'unfocus';
      const event = (type: string, utcMs: number, durationS: number | null) =>
        events.push({
          session_id: rowId,
          event_type: type,
          timestamp: at(utcMs),
          duration_seconds: durationS,
        });
      event(`${word}_start`, startedAtMs, null);
      event(`${word}_end`, startedAtMs + durationMs, Math.round(durationMs / 1000));
    }
  }
  for (const chunk of chunksOf(events, EVENTS_PER_STATEMENT)) await insertRows(db, table, chunk, 1);
}
