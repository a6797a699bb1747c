import { and, asc, between, eq, inArray, or, type SQL, sql } from 'drizzle-orm';
import type { MySqlColumn } from 'drizzle-orm/mysql-core';
import type { MySql2Database } from 'drizzle-orm/mysql2';
import { DAY_TABLES, feedDays } from '../../eyelearn/days.ts';
import { countedOf, feedEvents, feedSessions, placeOnDays } from '../../eyelearn/rows.ts';
import type { EyelearnTables } from '../../eyelearn/tables.ts';
import type { Logger } from '../../lib/logger.ts';
import { type ApplyTarget, accumulate, applyTo } from '../apply.ts';
import { type KnownSession, newSession, type PlacedWindow, type SessionBatch } from '../batch.ts';
import type { StoredElsewhere } from '../port.ts';
import { windowKey } from '../records.ts';
import { isDataError, storeError } from './errors.ts';
import { bouts, hours, sessions, windows } from './schema.ts';

type Transaction = Parameters<Parameters<MySql2Database['transaction']>[0]>[0];

/**
 * Locks the rows of a batch's sessions, in the order of their ids, and makes those that are missing. With
 * them locked nobody else writes to these sessions' windows, so what is in the ledger stays as it is.
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
    insertWindows: async (rows) => tx.insert(windows).values(rows),
    insertBouts: async (rows) =>
      tx.insert(bouts).values(rows.map((bout) => ({ ...bout, ...dayAndHour(bout.startedAtMs) }))),
    addToHours: async (additions) =>
      tx
        .insert(hours)
        .values(additions.map(({ quarterStartMs, ...rest }) => ({ ...rest, ...dayAndHour(quarterStartMs) })))
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
          },
        }),
  };
}

/**
 * EyeLearn's own tables must not keep our ledger from taking a window: what one of them refuses is undone and
 * logged, and everything else of the transaction stands. Null when it was refused.
 */
async function unlessRefused<T>(
  tx: Transaction,
  table: string,
  logger: Logger,
  feed: (savepoint: Transaction) => Promise<T>,
): Promise<T | null> {
  try {
    return await tx.transaction(feed);
  } catch (error) {
    if (!isDataError(error)) throw error;
    logger.error(
      { code: 'eyelearn_rejected', table, error: storeError(error).message },
      'EyeLearn refuses time that our own tables have taken',
    );
    return null;
  }
}

/** The same windows less the time that is in EyeLearn's row already. */
function withoutElsewhere(
  counted: readonly PlacedWindow[],
  elsewhere: ReadonlyMap<string, StoredElsewhere>,
): PlacedWindow[] {
  return counted.map((placed) => {
    const { window } = placed;
    const stored = elsewhere.get(windowKey(window));
    if (stored === undefined) return placed;
    const focusedMs = Math.max(0, window.focusedMs - stored.focusedMs);
    const unfocusedMs = Math.max(0, window.unfocusedMs - stored.unfocusedMs);
    return { ...placed, window: { ...window, focusedMs, unfocusedMs } };
  });
}

async function feedEyelearn(
  tx: Transaction,
  tables: EyelearnTables,
  fresh: readonly PlacedWindow[],
  elsewhere: ReadonlyMap<string, StoredElsewhere>,
  logger: Logger,
): Promise<void> {
  const counted = countedOf(fresh);
  if (counted.length === 0 || Object.keys(tables).length === 0) return;
  const placement = await placeOnDays(tx, counted);
  const { eye_tracking_sessions: rows, focus_events: events } = tables;
  if (rows !== undefined) {
    const fed = await unlessRefused(tx, rows.name, logger, (savepoint) =>
      feedSessions(savepoint, rows, withoutElsewhere(counted, elsewhere), placement),
    );
    if (fed !== null && events !== undefined) {
      await unlessRefused(tx, events.name, logger, (savepoint) => feedEvents(savepoint, events, fed));
    }
  }
  for (const target of DAY_TABLES) {
    if (tables[target] === undefined) continue;
    await unlessRefused(tx, target, logger, (savepoint) => feedDays(savepoint, tables, target, placement.studentDays));
  }
}

/** Applies checked batches within a transaction and returns how many windows were new. */
export async function applyBatches(
  tx: Transaction,
  batches: readonly SessionBatch[],
  eyelearn: EyelearnTables,
  elsewhere: ReadonlyMap<string, StoredElsewhere>,
  logger: Logger,
): Promise<number> {
  const fresh = await applyTo(targetOf(tx), batches);
  if (fresh.length === 0) return 0;
  await feedEyelearn(tx, eyelearn, fresh, elsewhere, logger);
  return fresh.length;
}
