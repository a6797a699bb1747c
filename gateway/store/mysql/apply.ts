import { and, asc, between, eq, inArray, or, type SQL, sql } from 'drizzle-orm';
import type { MySqlColumn } from 'drizzle-orm/mysql-core';
import { type ApplyTarget, accumulate, applyTo } from '../apply.ts';
import { type KnownSession, newSession, type PlacedWindow, type SessionBatch } from '../batch.ts';
import type { Transaction } from './hooks.ts';
import { bouts, hours, sessions, windows } from './schema.ts';

/**
 * Locks the rows of a batch's sessions, in the order of their ids, and makes those that are missing. With
 * them locked no other gateway writes to these sessions' windows, so the ledger stays as it is.
 */
async function lockSessions(tx: Transaction, batches: readonly SessionBatch[]): Promise<Map<string, KnownSession>> {
  const locked = new Map<string, KnownSession>();
  const lock = async (wanted: readonly SessionBatch[]) => {
    const rows = await tx
      .select({
        id: sessions.id,
        sessionUuid: sessions.sessionUuid,
        userId: sessions.userId,
        windowCount: sessions.windowCount,
        endedAtMs: sessions.endedAtMs,
      })
      .from(sessions)
      .where(
        inArray(
          sessions.sessionUuid,
          wanted.map(({ sessionUuid }) => sessionUuid),
        ),
      )
      .orderBy(asc(sessions.sessionUuid))
      .for('update');
    for (const { sessionUuid, ...session } of rows) locked.set(sessionUuid, session);
  };
  await lock(batches);
  const missing = batches.filter(({ sessionUuid }) => !locked.has(sessionUuid));
  if (missing.length === 0) return locked;
  await tx
    .insert(sessions)
    .values(missing.map(newSession))
    .onDuplicateKeyUpdate({ set: { id: sql`${sessions.id}` } });
  await lock(missing);
  return locked;
}

/** Day and hour of a moment in the database's time zone. */
const dayAndHour = (utcMs: number) => {
  const second = Math.floor(utcMs / 1000);
  return { day: sql`DATE(FROM_UNIXTIME(${second}))`, hourOfDay: sql`HOUR(FROM_UNIXTIME(${second}))` };
};

const given = (column: MySqlColumn): SQL => sql`VALUES(${sql.identifier(column.name)})`;
const added = (column: MySqlColumn): SQL => sql`${column} + ${given(column)}`;
const larger = (column: MySqlColumn): SQL => sql`GREATEST(${column}, ${given(column)})`;

function targetOf(tx: Transaction): ApplyTarget {
  return {
    sessionsOf: (batches) => lockSessions(tx, batches),
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
        .onDuplicateKeyUpdate({
          set: { ...accumulate(hours, { added, larger }), sessionCount: added(hours.sessionCount) },
        }),
    // Every row is there and locked, so each of these is an update by its id.
    addToSessions: async (additions) =>
      tx
        .insert(sessions)
        .values(additions)
        .onDuplicateKeyUpdate({
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

/** Applies checked batches within a transaction and resolves with the windows that were new. */
export function applyBatches(tx: Transaction, batches: readonly SessionBatch[]): Promise<PlacedWindow[]> {
  return applyTo(targetOf(tx), batches);
}
