import { and, between, eq, inArray, or, type SQL, sql } from 'drizzle-orm';
import type { LibSQLDatabase } from 'drizzle-orm/libsql/driver-core';
import type { SQLiteColumn } from 'drizzle-orm/sqlite-core';
import {
  chunksOf,
  hourAdditions,
  type KnownSession,
  keyRanges,
  newSession,
  type PlacedWindow,
  placeWindows,
  type SessionBatch,
  sessionAdditions,
  withoutKnown,
} from '../batch.ts';
import { boutRows, SUMMED_COLUMNS, windowRow } from '../records.ts';
import { bouts, hours, sessions, windows } from './schema.ts';

/** 200 rows of 34 values stay far below SQLite's 32,766 parameters. */
const ROWS_PER_STATEMENT = 200;

type Transaction = Parameters<Parameters<LibSQLDatabase['transaction']>[0]>[0];

/** Row ids and students of a batch's sessions; sessions seen for the first time get their row. */
async function knownSessions(tx: Transaction, batches: readonly SessionBatch[]): Promise<Map<string, KnownSession>> {
  const known = new Map<string, KnownSession>();
  for (const chunk of chunksOf(batches, ROWS_PER_STATEMENT)) {
    await tx.insert(sessions).values(chunk.map(newSession)).onConflictDoNothing({ target: sessions.sessionUuid });
    const uuids = chunk.map(({ sessionUuid }) => sessionUuid);
    const rows = await tx
      .select({
        id: sessions.id,
        sessionUuid: sessions.sessionUuid,
        userId: sessions.userId,
        windowCount: sessions.windowCount,
      })
      .from(sessions)
      .where(inArray(sessions.sessionUuid, uuids));
    for (const { sessionUuid, ...session } of rows) known.set(sessionUuid, session);
  }
  return known;
}

/** The windows that are not in the ledger yet. */
async function newWindows(tx: Transaction, placed: readonly PlacedWindow[]): Promise<PlacedWindow[]> {
  const known: { sessionId: number; epoch: number; seq: number }[] = [];
  for (const chunk of chunksOf(keyRanges(placed), ROWS_PER_STATEMENT)) {
    const rows = await tx
      .select({ sessionId: windows.sessionId, epoch: windows.epoch, seq: windows.seq })
      .from(windows)
      .where(
        or(
          ...chunk.map(({ sessionId, epoch, minSeq, maxSeq }) =>
            and(eq(windows.sessionId, sessionId), eq(windows.epoch, epoch), between(windows.seq, minSeq, maxSeq)),
          ),
        ),
      );
    known.push(...rows);
  }
  return withoutKnown(placed, known);
}

const given = (column: SQLiteColumn): SQL => sql`excluded.${sql.identifier(column.name)}`;
const added = (column: SQLiteColumn): SQL => sql`${column} + ${given(column)}`;
const larger = (column: SQLiteColumn): SQL => sql`max(${column}, ${given(column)})`;

/** Adds each session's new windows to its row, all sessions in one statement. */
async function addToSessions(tx: Transaction, fresh: readonly PlacedWindow[]): Promise<void> {
  for (const chunk of chunksOf(sessionAdditions(fresh), ROWS_PER_STATEMENT)) {
    // Every row is there, so each of these is an update by its id.
    await tx
      .insert(sessions)
      .values(chunk)
      .onConflictDoUpdate({
        target: sessions.id,
        set: {
          ...Object.fromEntries(SUMMED_COLUMNS.map((column) => [column, added(sessions[column])])),
          windowCount: added(sessions.windowCount),
          focusedBoutCount: added(sessions.focusedBoutCount),
          unfocusedBoutCount: added(sessions.unfocusedBoutCount),
          longestFocusedBoutMs: larger(sessions.longestFocusedBoutMs),
          endedAtMs: larger(sessions.endedAtMs),
          isFinal: larger(sessions.isFinal),
          mode: given(sessions.mode),
          rule: given(sessions.rule),
        },
      });
  }
}

/** Day and hour of a moment in the gateway's time zone. */
const dayOf = (utcMs: number): SQL => sql`date(${Math.floor(utcMs / 1000)}, 'unixepoch', 'localtime')`;
const hourOf = (utcMs: number): SQL =>
  sql`CAST(strftime('%H', ${Math.floor(utcMs / 1000)}, 'unixepoch', 'localtime') AS INTEGER)`;

/** Adds the new windows to the totals of their hours. */
async function addToHours(
  tx: Transaction,
  fresh: readonly PlacedWindow[],
  known: ReadonlyMap<string, KnownSession>,
): Promise<void> {
  for (const chunk of chunksOf(hourAdditions(fresh, known), ROWS_PER_STATEMENT)) {
    await tx
      .insert(hours)
      .values(
        chunk.map(({ quarterStartMs, ...rest }) => ({
          ...rest,
          day: dayOf(quarterStartMs),
          hourOfDay: hourOf(quarterStartMs),
        })),
      )
      .onConflictDoUpdate({
        target: [hours.userId, hours.day, hours.hourOfDay, hours.moduleId, hours.sectionKey],
        set: {
          ...Object.fromEntries(SUMMED_COLUMNS.map((column) => [column, added(hours[column])])),
          sessionCount: added(hours.sessionCount),
          windowCount: added(hours.windowCount),
          focusedBoutCount: added(hours.focusedBoutCount),
          unfocusedBoutCount: added(hours.unfocusedBoutCount),
          longestFocusedBoutMs: larger(hours.longestFocusedBoutMs),
        },
      });
  }
}

/** Applies checked batches within a write transaction and returns how many windows were new. */
export async function applyBatches(tx: Transaction, batches: readonly SessionBatch[]): Promise<number> {
  const known = await knownSessions(tx, batches);
  const fresh = await newWindows(tx, placeWindows(batches, known));
  if (fresh.length === 0) return 0;
  for (const chunk of chunksOf(fresh, ROWS_PER_STATEMENT)) {
    await tx.insert(windows).values(chunk.map(({ window, sessionId }) => windowRow(window, sessionId)));
  }
  const freshBouts = fresh.flatMap(({ window, sessionId }) => boutRows(window, sessionId));
  for (const chunk of chunksOf(freshBouts, ROWS_PER_STATEMENT)) {
    await tx
      .insert(bouts)
      .values(chunk.map((bout) => ({ ...bout, day: dayOf(bout.startedAtMs), hourOfDay: hourOf(bout.startedAtMs) })));
  }
  await addToHours(tx, fresh, known);
  await addToSessions(tx, fresh);
  return fresh.length;
}
