import { type SQL, sql } from 'drizzle-orm';
import type { MetricsWindow } from '../../shared/metrics-window.ts';
import { chunksOf, type PlacedWindow, sectionKeyOf } from '../store/batch.ts';
import type { Placement } from './placement.ts';
import { planRows, type RowState, type RowStep } from './row-plan.ts';
import { eyelearnRows } from './schema.ts';
import { type Executor, insertRows, rowsOf, updateRows, type WrittenTable } from './tables.ts';

const EVENTS_PER_STATEMENT = 1000;

interface Group {
  readonly sessionId: number;
  readonly sectionKey: number;
  readonly day: string;
  readonly windows: MetricsWindow[];
}

interface KnownRow extends RowState {
  readonly eyelearnRowId: number | null;
}

/** A row that changes, with its id if it exists. */
interface Change {
  readonly group: Group;
  readonly step: RowStep<MetricsWindow>;
  readonly rowId: number | null;
}

const keyOf = ({ sessionId, sectionKey, day }: Omit<Group, 'windows'>): string => `${sessionId}/${sectionKey}/${day}`;

function groupsOf(counted: readonly PlacedWindow[], dayOf: (window: MetricsWindow) => string): Group[] {
  const groups = new Map<string, Group>();
  for (const { sessionId, window } of counted) {
    const place = { sessionId, sectionKey: sectionKeyOf(window.sectionId), day: dayOf(window) };
    const group = groups.get(keyOf(place)) ?? { ...place, windows: [] };
    group.windows.push(window);
    groups.set(keyOf(place), group);
  }
  return [...groups.values()];
}

/** The row that each group was last written to, locked, with EyeLearn's own total. */
async function currentRows(
  db: Executor,
  table: WrittenTable,
  groups: readonly Group[],
): Promise<Map<string, KnownRow>> {
  const places = groups.map(
    ({ sessionId, sectionKey, day }) =>
      sql`(r.session_id = ${sessionId} AND r.section_key = ${sectionKey} AND r.day = ${day})`,
  );
  const rows = await rowsOf(
    db,
    sql`SELECT r.session_id, r.section_key, DATE_FORMAT(r.day, '%Y-%m-%d') AS study_day, r.roll_no, r.eyelearn_row_id,
        r.focused_ms, r.unfocused_ms, r.focused_written_s, r.unfocused_written_s,
        t.id AS found_id, COALESCE(t.total_time_seconds, 0) AS total_s
      FROM relay_eyelearn_rows r LEFT JOIN ${sql.identifier(table.name)} t ON t.id = r.eyelearn_row_id
      WHERE ${sql.join(places, sql` OR `)} ORDER BY r.roll_no FOR UPDATE`,
  );
  const current = new Map<string, KnownRow>();
  for (const row of rows) {
    const place = {
      sessionId: Number(row.session_id),
      sectionKey: Number(row.section_key),
      day: String(row.study_day),
    };
    const eyelearnRowId = row.eyelearn_row_id === null ? null : Number(row.eyelearn_row_id);
    // A row that was deleted is gone with its time: it counts as full, so that a new one begins.
    const isDeleted = eyelearnRowId !== null && row.found_id === null;
    current.set(keyOf(place), {
      rollNo: Number(row.roll_no),
      eyelearnRowId,
      focusedMs: Number(row.focused_ms),
      unfocusedMs: Number(row.unfocused_ms),
      focusedWrittenS: Number(row.focused_written_s),
      unfocusedWrittenS: Number(row.unfocused_written_s),
      totalS: isDeleted ? Number.POSITIVE_INFINITY : Number(row.total_s),
    });
  }
  return current;
}

function changesOf(groups: readonly Group[], current: ReadonlyMap<string, KnownRow>): Change[] {
  return groups.flatMap((group) => {
    const known = current.get(keyOf(group));
    const windows = [...group.windows].sort((a, b) => a.startedAtMs - b.startedAtMs);
    return planRows(known ?? null, windows).map((step) => ({
      group,
      step,
      rowId: known?.rollNo === step.state.rollNo ? known.eyelearnRowId : null,
    }));
  });
}

function newRow({ group, step }: Change, today: string): Record<string, SQL> {
  const [window] = step.slices;
  if (window === undefined) throw new Error('a row with time has a window');
  const { addFocusedS, addUnfocusedS } = step;
  return {
    user_id: sql`${window.userId}`,
    module_id: sql`${window.moduleId}`,
    section_id: group.sectionKey === 0 ? sql`NULL` : sql`${group.sectionKey}`,
    session_type: sql`'viewing'`,
    total_time_seconds: sql`${addFocusedS + addUnfocusedS}`,
    focused_time_seconds: sql`${addFocusedS}`,
    unfocused_time_seconds: sql`${addUnfocusedS}`,
    // Windows that were delivered after midnight belong to the day on which they were studied.
    created_at:
      group.day >= today ? sql`CURRENT_TIMESTAMP` : sql`FROM_UNIXTIME(${Math.floor(window.startedAtMs / 1000)})`,
    session_data: sql`${JSON.stringify({ source: 'gaze-relay', session: window.sessionId, rule: window.rule })}`,
  };
}

function sum(column: string, seconds: SQL): SQL {
  return sql`COALESCE(${sql.identifier(column)}, 0) + ${seconds}`;
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

async function writeProgress(db: Executor, changes: readonly Change[]): Promise<void> {
  const given = (column: { readonly name: string }): SQL => sql`VALUES(${sql.identifier(column.name)})`;
  await db
    .insert(eyelearnRows)
    .values(
      changes.map(({ group: { sessionId, sectionKey, day }, step: { state }, rowId }) => ({
        sessionId,
        sectionKey,
        day,
        rollNo: state.rollNo,
        eyelearnRowId: rowId,
        focusedMs: state.focusedMs,
        unfocusedMs: state.unfocusedMs,
        focusedWrittenS: state.focusedWrittenS,
        unfocusedWrittenS: state.unfocusedWrittenS,
      })),
    )
    .onDuplicateKeyUpdate({
      set: {
        eyelearnRowId: given(eyelearnRows.eyelearnRowId),
        focusedMs: given(eyelearnRows.focusedMs),
        unfocusedMs: given(eyelearnRows.unfocusedMs),
        focusedWrittenS: given(eyelearnRows.focusedWrittenS),
        unfocusedWrittenS: given(eyelearnRows.unfocusedWrittenS),
      },
    });
}

/** EyeLearn's row id of each window whose time is in a row. */
export type RowIds = ReadonlyMap<MetricsWindow, number>;

/**
 * Adds the time of new windows to eye_tracking_sessions, within the caller's transaction: one row per tracking
 * session, lesson section and day of the database's time zone. At most four statements. The sessions' own rows must be locked, so
 * that no other gateway writes for them. Rejects with the driver's error.
 */
export async function feedSessions(
  db: Executor,
  table: WrittenTable,
  counted: readonly PlacedWindow[],
  placement: Placement,
): Promise<RowIds> {
  const groups = groupsOf(counted, placement.dayOf);
  const planned = changesOf(groups, await currentRows(db, table, groups));
  const changes = await writeSeconds(db, table, planned, placement);
  await writeProgress(db, changes);
  return new Map(
    changes.flatMap(({ step, rowId }) =>
      rowId === null ? [] : step.slices.map((window): [MetricsWindow, number] => [window, rowId]),
    ),
  );
}

/** Writes the start and the end of each bout of windows whose rows are known to focus_events. Rejects with the driver's error. */
export async function feedEvents(db: Executor, table: WrittenTable, rowIds: RowIds): Promise<void> {
  const at = (utcMs: number) => sql`FROM_UNIXTIME(${Math.floor(utcMs / 1000)})`;
  const events: Record<string, SQL>[] = [];
  for (const [window, rowId] of rowIds) {
    for (const { kind, startedAtMs, durationMs } of window.bouts) {
      const word = kind === 'focused' ? 'focus' : 'unfocus';
      const event = (type: string, utcMs: number, duration: SQL) =>
        events.push({
          session_id: sql`${rowId}`,
          event_type: sql`${type}`,
          timestamp: at(utcMs),
          duration_seconds: duration,
        });
      event(`${word}_start`, startedAtMs, sql`NULL`);
      event(`${word}_end`, startedAtMs + durationMs, sql`${Math.round(durationMs / 1000)}`);
    }
  }
  for (const chunk of chunksOf(events, EVENTS_PER_STATEMENT)) await insertRows(db, table, chunk, 1);
}
