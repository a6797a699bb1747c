import { type Executor, given, identifier, insertInto, joined, rowsOf, run, sql } from '../store/mysql/statement.ts';
import { type Row, TARGETS, type Target } from './day-rows.ts';
import { type DayTable, type Due, dueOf, either, partsOf, scopesOf, writtenOf } from './day-scopes.ts';
import type { Placement } from './placement.ts';
import { eyelearnTotals } from './schema.ts';
import { insertRows, type RowChange, updateRows, type WrittenTable, type WrittenTables } from './tables.ts';

/** The numbers that an update of a row is made of. */
function valuesOf({ scope, addFocusedS, addUnfocusedS, addSessions }: Due): RowChange['values'] {
  const { focusedS, unfocusedS, sessions, modules, longestSessionS, longestFocusS } = scope;
  const totalS = focusedS + unfocusedS;
  return {
    addFocusedS,
    addUnfocusedS,
    addTotalS: addFocusedS + addUnfocusedS,
    addSessions,
    focusedS,
    totalS,
    sessions,
    modules,
    longestSessionS,
    longestFocusS,
    score: totalS === 0 ? 0 : Math.round((10_000 * focusedS) / totalS) / 100,
  };
}

/** Those whose rows are still there. */
async function existing(db: Executor, table: WrittenTable, rows: readonly [Due, Row][]): Promise<Set<Due>> {
  const found = await rowsOf(
    db,
    sql`SELECT ${joined(
      rows.map(([, { where }], index) => sql`MAX(${where}) AS ${identifier(`r${index}`)}`),
      ', ',
    )} FROM ${identifier(table.name)} WHERE ${either(rows.map(([, { where }]) => sql`(${where})`))}`,
  );
  return new Set(rows.flatMap(([one], index) => (Number(found[0]?.[`r${index}`] ?? 0) === 1 ? [one] : [])));
}

/** Brings the due rows of one table up to date, with five statements at most, and resolves with their ids. */
async function writeTarget(
  db: Executor,
  table: WrittenTable,
  target: Target,
  due: readonly Due[],
  idStep: number,
): Promise<Map<Due, number | null>> {
  const known = due.flatMap((one): [Due, Row][] => {
    const row = target.knownRow(one);
    return row === null ? [] : [[one, row]];
  });
  const unknown = due.filter((one) => target.knownRow(one) === null);
  const found = unknown.length === 0 ? [] : await target.find(db, table, unknown);
  const rows = [...known, ...found];
  const changes = rows.map(([one, { where }]) => ({ where, values: valuesOf(one) }));
  const updatedCount = await updateRows(db, table, changes, (value) => target.sets(table, value));
  // Rows that were written before may have been deleted since.
  const present = updatedCount === rows.length ? new Set(rows.map(([one]) => one)) : await existing(db, table, rows);
  const missing = due.filter((one) => !present.has(one));
  const ids = await insertRows(
    db,
    table,
    missing.map(({ scope }) => target.newRow(scope, scope.focusedS + scope.unfocusedS)),
    idStep,
  );
  const rowIds = new Map(rows.map(([one, { id }]): [Due, number | null] => [one, id]));
  for (const [index, one] of missing.entries()) rowIds.set(one, target.hasId ? (ids[index] ?? null) : null);
  return rowIds;
}

async function noteWritten(db: Executor, rowIds: ReadonlyMap<Due, number | null>): Promise<void> {
  await run(
    db,
    insertInto(
      eyelearnTotals,
      [...rowIds].map(([{ scope, written, addFocusedS, addUnfocusedS, addSessions }, rowId]) => ({
        target: scope.target,
        userId: scope.userId,
        day: scope.day,
        moduleId: scope.moduleId,
        sectionKey: scope.sectionKey,
        sessionId: scope.sessionId,
        rowId,
        focusedWrittenS: (written?.focusedWrittenS ?? 0) + addFocusedS,
        unfocusedWrittenS: (written?.unfocusedWrittenS ?? 0) + addUnfocusedS,
        sessionsWritten: (written?.sessionsWritten ?? 0) + addSessions,
      })),
      {
        rowId: given(eyelearnTotals.rowId),
        focusedWrittenS: given(eyelearnTotals.focusedWrittenS),
        unfocusedWrittenS: given(eyelearnTotals.unfocusedWrittenS),
        sessionsWritten: given(eyelearnTotals.sessionsWritten),
      },
    ),
  );
}

/**
 * Brings EyeLearn's tables of days up to what our ledger has of the batch's days, within the caller's
 * transaction, whose windows are in the ledger already and whose days are locked (lockStudentDays): whole seconds, only what is not there yet. At most 15 statements,
 * whatever the batch size. Rejects with the driver's error.
 */
export async function feedDays(
  db: Executor,
  tables: WrittenTables,
  targets: readonly DayTable[],
  { studentDays, idStep }: Placement,
): Promise<void> {
  const present = targets.filter((target) => tables[target] !== undefined);
  if (present.length === 0 || studentDays.length === 0) return;
  const parts = await partsOf(db, studentDays);
  const { written, notes } = await writtenOf(db, present, studentDays);
  const rowIds = new Map<Due, number | null>();
  for (const target of present) {
    const table = tables[target];
    const due = dueOf(scopesOf(target, parts, notes), written);
    if (table === undefined || due.length === 0) continue;
    for (const [one, rowId] of await writeTarget(db, table, TARGETS[target], due, idStep)) rowIds.set(one, rowId);
  }
  if (rowIds.size > 0) await noteWritten(db, rowIds);
}
