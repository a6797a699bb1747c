import { and, between, eq, inArray, or, type SQL, sql } from 'drizzle-orm';
import type { LibSQLDatabase } from 'drizzle-orm/libsql';
import {
  chunksOf,
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
import { bouts, sessions, windows } from './schema.ts';

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
      .select({ id: sessions.id, sessionUuid: sessions.sessionUuid, userId: sessions.userId })
      .from(sessions)
      .where(inArray(sessions.sessionUuid, uuids));
    for (const { sessionUuid, id, userId } of rows) known.set(sessionUuid, { id, userId });
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

type SessionColumn = (typeof sessions)[keyof typeof sessions & string] & { name: string };

const given = (column: SessionColumn): SQL => sql`excluded.${sql.identifier(column.name)}`;
const added = (column: SessionColumn): SQL => sql`${column} + ${given(column)}`;
const larger = (column: SessionColumn): SQL => sql`max(${column}, ${given(column)})`;

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

/** Applies checked batches within a write transaction and returns how many windows were new. */
export async function applyBatches(tx: Transaction, batches: readonly SessionBatch[]): Promise<number> {
  const fresh = await newWindows(tx, placeWindows(batches, await knownSessions(tx, batches)));
  if (fresh.length === 0) return 0;
  for (const chunk of chunksOf(fresh, ROWS_PER_STATEMENT)) {
    await tx.insert(windows).values(chunk.map(({ window, sessionId }) => windowRow(window, sessionId)));
  }
  const freshBouts = fresh.flatMap(({ window, sessionId }) => boutRows(window, sessionId));
  for (const chunk of chunksOf(freshBouts, ROWS_PER_STATEMENT)) await tx.insert(bouts).values(chunk);
  await addToSessions(tx, fresh);
  return fresh.length;
}
