import { and, between, eq, inArray, or, type SQL, sql } from 'drizzle-orm';
import type { LibSQLDatabase } from 'drizzle-orm/libsql';
import type { SQLiteColumn } from 'drizzle-orm/sqlite-core';
import { type ApplyTarget, accumulate, applyTo } from '../apply.ts';
import { type KnownSession, newSession, type SessionBatch } from '../batch.ts';
import { bouts, hours, sessions, windows } from './schema.ts';

type Transaction = Parameters<Parameters<LibSQLDatabase['transaction']>[0]>[0];

/** Row ids and students of a batch's sessions; sessions seen for the first time get their row. */
async function knownSessions(tx: Transaction, batches: readonly SessionBatch[]): Promise<Map<string, KnownSession>> {
  await tx.insert(sessions).values(batches.map(newSession)).onConflictDoNothing({ target: sessions.sessionUuid });
  const uuids = batches.map(({ sessionUuid }) => sessionUuid);
  const rows = await tx
    .select({
      id: sessions.id,
      sessionUuid: sessions.sessionUuid,
      userId: sessions.userId,
      windowCount: sessions.windowCount,
      endedAtMs: sessions.endedAtMs,
    })
    .from(sessions)
    .where(inArray(sessions.sessionUuid, uuids));
  return new Map(rows.map(({ sessionUuid, ...session }) => [sessionUuid, session]));
}

/** Day and hour of a moment in the gateway's time zone. */
const dayAndHour = (utcMs: number) => {
  const second = Math.floor(utcMs / 1000);
  return {
    day: sql`date(${second}, 'unixepoch', 'localtime')`,
    hourOfDay: sql`CAST(strftime('%H', ${second}, 'unixepoch', 'localtime') AS INTEGER)`,
  };
};

const given = (column: SQLiteColumn): SQL => sql`excluded.${sql.identifier(column.name)}`;
const added = (column: SQLiteColumn): SQL => sql`${column} + ${given(column)}`;
const larger = (column: SQLiteColumn): SQL => sql`max(${column}, ${given(column)})`;

function targetOf(tx: Transaction): ApplyTarget {
  return {
    sessionsOf: (batches) => knownSessions(tx, batches),
    keysIn: (ranges) =>
      tx
        .select({ sessionId: windows.sessionId, epoch: windows.epoch, seq: windows.seq })
        .from(windows)
        .where(
          or(
            ...ranges.map(({ sessionId, epoch, minSeq, maxSeq }) =>
              and(eq(windows.sessionId, sessionId), eq(windows.epoch, epoch), between(windows.seq, minSeq, maxSeq)),
            ),
          ),
        ),
    epochsOf: (sessionIds) =>
      tx
        .select({
          sessionId: windows.sessionId,
          epoch: windows.epoch,
          startedAtMs: sql<number>`MIN(${windows.startedAtMs})`.mapWith(Number),
          endedAtMs: sql<number>`MAX(${windows.endedAtMs})`.mapWith(Number),
        })
        .from(windows)
        .where(inArray(windows.sessionId, [...sessionIds]))
        .groupBy(windows.sessionId, windows.epoch),
    insertWindows: async (rows) => tx.insert(windows).values(rows),
    insertBouts: async (rows) =>
      tx.insert(bouts).values(rows.map((bout) => ({ ...bout, ...dayAndHour(bout.startedAtMs) }))),
    addToHours: async (additions) =>
      tx
        .insert(hours)
        .values(additions.map(({ minuteStartMs, ...rest }) => ({ ...rest, ...dayAndHour(minuteStartMs) })))
        .onConflictDoUpdate({
          target: [hours.userId, hours.day, hours.hourOfDay, hours.moduleId, hours.sectionKey],
          set: { ...accumulate(hours, { added, larger }), sessionCount: added(hours.sessionCount) },
        }),
    // Every row is there, so each of these is an update by its id.
    addToSessions: async (additions) =>
      tx
        .insert(sessions)
        .values(additions)
        .onConflictDoUpdate({
          target: sessions.id,
          set: {
            ...accumulate(sessions, { added, larger }),
            endedAtMs: larger(sessions.endedAtMs),
            isFinal: larger(sessions.isFinal),
            mode: given(sessions.mode),
            rule: given(sessions.rule),
            suspect: sql`COALESCE(${sessions.suspect}, ${given(sessions.suspect)})`,
          },
        }),
  };
}

/** Applies checked batches within a write transaction and returns how many windows were new. */
export async function applyBatches(tx: Transaction, batches: readonly SessionBatch[]): Promise<number> {
  return (await applyTo(targetOf(tx), batches)).length;
}
