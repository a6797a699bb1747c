import { type ApplyTarget, accumulate, applyTo } from '../apply.ts';
import { type KnownSession, newSession, type PlacedWindow, type SessionBatch } from '../batch.ts';
import type { Transaction } from './hooks.ts';
import { bouts, hours, sessions, windows } from './schema.ts';
import { given, identifier, insertInto, joined, rowsOf, run, type SqlText, sql } from './statement.ts';

/**
 * Locks the rows of a batch's sessions, in the order of their ids, and makes those that are missing. With
 * them locked no other gateway writes to these sessions' windows, so the ledger stays as it is.
 */
async function lockSessions(tx: Transaction, batches: readonly SessionBatch[]): Promise<Map<string, KnownSession>> {
  const locked = new Map<string, KnownSession>();
  const lock = async (wanted: readonly SessionBatch[]) => {
    const rows = await rowsOf(
      tx,
      sql`SELECT id, session_uuid, user_id, window_count, ended_at_ms FROM relay_sessions
        WHERE session_uuid IN ${wanted.map(({ sessionUuid }) => sessionUuid)} ORDER BY session_uuid FOR UPDATE`,
    );
    for (const row of rows) {
      locked.set(String(row.session_uuid), {
        id: Number(row.id),
        userId: Number(row.user_id),
        windowCount: Number(row.window_count),
        endedAtMs: Number(row.ended_at_ms),
      });
    }
  };
  await lock(batches);
  const missing = batches.filter(({ sessionUuid }) => !locked.has(sessionUuid));
  if (missing.length === 0) return locked;
  await run(tx, insertInto(sessions, missing.map(newSession), { id: sql`relay_sessions.id` }));
  await lock(missing);
  return locked;
}

/** Day and hour of a moment in the database's time zone. */
const dayAndHour = (utcMs: number) => {
  const second = Math.floor(utcMs / 1000);
  return { day: sql`DATE(FROM_UNIXTIME(${second}))`, hourOfDay: sql`HOUR(FROM_UNIXTIME(${second}))` };
};

type Named = { readonly name: string };
const added = (column: Named): SqlText => sql`${identifier(column.name)} + ${given(column)}`;
const larger = (column: Named): SqlText => sql`GREATEST(${identifier(column.name)}, ${given(column)})`;

const HOUR_CHANGES = { ...accumulate(hours, { added, larger }), sessionCount: added(hours.sessionCount) };
const SESSION_CHANGES = {
  ...accumulate(sessions, { added, larger }),
  endedAtMs: larger(sessions.endedAtMs),
  isFinal: larger(sessions.isFinal),
  mode: given(sessions.mode),
  rule: given(sessions.rule),
  suspect: sql`COALESCE(${identifier(sessions.suspect.name)}, ${given(sessions.suspect)})`,
};

function targetOf(tx: Transaction): ApplyTarget {
  return {
    sessionsOf: (batches) => lockSessions(tx, batches),
    async keysIn(ranges) {
      const some = ranges.map(
        ({ sessionId, epoch, minSeq, maxSeq }) =>
          sql`(session_id = ${sessionId} AND epoch = ${epoch} AND seq BETWEEN ${minSeq} AND ${maxSeq})`,
      );
      const rows = await rowsOf(
        tx,
        sql`SELECT session_id, epoch, seq FROM relay_windows WHERE ${joined(some, ' OR ')}`,
      );
      return rows.map((row) => ({
        sessionId: Number(row.session_id),
        epoch: Number(row.epoch),
        seq: Number(row.seq),
      }));
    },
    async epochsOf(sessionIds) {
      const rows = await rowsOf(
        tx,
        sql`SELECT session_id, epoch, MIN(started_at_ms) AS started_at_ms, MAX(ended_at_ms) AS ended_at_ms
          FROM relay_windows WHERE session_id IN ${sessionIds} GROUP BY session_id, epoch`,
      );
      return rows.map((row) => ({
        sessionId: Number(row.session_id),
        epoch: Number(row.epoch),
        startedAtMs: Number(row.started_at_ms),
        endedAtMs: Number(row.ended_at_ms),
      }));
    },
    insertWindows: (rows) => run(tx, insertInto(windows, rows)),
    insertBouts: (rows) =>
      run(
        tx,
        insertInto(
          bouts,
          rows.map((bout) => ({ ...bout, ...dayAndHour(bout.startedAtMs) })),
        ),
      ),
    addToHours: (additions) =>
      run(
        tx,
        insertInto(
          hours,
          additions.map((addition) => ({ ...addition, ...dayAndHour(addition.minuteStartMs) })),
          HOUR_CHANGES,
        ),
      ),
    // Every row is there and locked, so each of these is an update by its id.
    addToSessions: (additions) => run(tx, insertInto(sessions, additions, SESSION_CHANGES)),
  };
}

/** Applies checked batches within a transaction and resolves with the windows that were new. */
export function applyBatches(tx: Transaction, batches: readonly SessionBatch[]): Promise<PlacedWindow[]> {
  return applyTo(targetOf(tx), batches);
}
