import { and, asc, between, eq, inArray, or, type SQL, sql } from 'drizzle-orm';
import type { MySqlColumn } from 'drizzle-orm/mysql-core';
import type { MySql2Database } from 'drizzle-orm/mysql2';
import type { Logger } from '../../logger.ts';
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
import type { StoredElsewhere } from '../port.ts';
import { boutRows, SUMMED_COLUMNS, windowKey, windowRow } from '../records.ts';
import { isDataError, storeError } from './errors.ts';
import { countedOf, feedEvents, feedSessions, placeOnDays } from './eyelearn.ts';
import { DAY_TABLES, feedDays } from './eyelearn-days.ts';
import type { EyelearnTables } from './eyelearn-tables.ts';
import { bouts, hours, sessions, windows } from './schema.ts';

/** Keeps a statement of 200 rows far below max_allowed_packet (16 MiB by default). */
const ROWS_PER_STATEMENT = 200;

type Transaction = Parameters<Parameters<MySql2Database['transaction']>[0]>[0];

/**
 * Locks the rows of a batch's sessions, in the order of their ids, and makes those that are missing. With
 * them locked nobody else writes to these sessions' windows, so what is in the ledger stays as it is.
 */
async function lockSessions(tx: Transaction, batches: readonly SessionBatch[]): Promise<Map<string, KnownSession>> {
  const locked = new Map<string, KnownSession>();
  const lock = async (uuids: readonly string[]) => {
    for (const chunk of chunksOf(uuids, ROWS_PER_STATEMENT)) {
      const rows = await tx
        .select({
          id: sessions.id,
          sessionUuid: sessions.sessionUuid,
          userId: sessions.userId,
          windowCount: sessions.windowCount,
        })
        .from(sessions)
        .where(inArray(sessions.sessionUuid, chunk))
        .orderBy(asc(sessions.sessionUuid))
        .for('update');
      for (const { sessionUuid, ...session } of rows) locked.set(sessionUuid, session);
    }
  };
  await lock(batches.map(({ sessionUuid }) => sessionUuid));
  const missing = batches.filter(({ sessionUuid }) => !locked.has(sessionUuid));
  for (const chunk of chunksOf(missing, ROWS_PER_STATEMENT)) {
    await tx
      .insert(sessions)
      .values(chunk.map(newSession))
      .onDuplicateKeyUpdate({ set: { id: sql`${sessions.id}` } });
  }
  if (missing.length > 0) await lock(missing.map(({ sessionUuid }) => sessionUuid));
  return locked;
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

/** Day and hour of a moment in the database's time zone. */
const dayOf = (utcMs: number): SQL => sql`DATE(FROM_UNIXTIME(${Math.floor(utcMs / 1000)}))`;
const hourOf = (utcMs: number): SQL => sql`HOUR(FROM_UNIXTIME(${Math.floor(utcMs / 1000)}))`;

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
      .onDuplicateKeyUpdate({
        set: {
          ...Object.fromEntries(SUMMED_COLUMNS.map((column) => [column, added(hours[column])])),
          sessionCount: added(hours.sessionCount),
          windowCount: added(hours.windowCount),
          focusedBoutCount: added(hours.focusedBoutCount),
          unfocusedBoutCount: added(hours.unfocusedBoutCount),
          longestFocusedBoutMs: sql`GREATEST(${hours.longestFocusedBoutMs}, VALUES(longest_focused_bout_ms))`,
        },
      });
  }
}

const added = (column: MySqlColumn): SQL => sql`${column} + VALUES(${sql.identifier(column.name)})`;

/** Adds each session's new windows to its row, all sessions in one statement. */
async function addToSessions(tx: Transaction, fresh: readonly PlacedWindow[]): Promise<void> {
  for (const chunk of chunksOf(sessionAdditions(fresh), ROWS_PER_STATEMENT)) {
    // Every row is there and locked, so each of these is an update by its id.
    await tx
      .insert(sessions)
      .values(chunk)
      .onDuplicateKeyUpdate({
        set: {
          ...Object.fromEntries(SUMMED_COLUMNS.map((column) => [column, added(sessions[column])])),
          windowCount: added(sessions.windowCount),
          focusedBoutCount: added(sessions.focusedBoutCount),
          unfocusedBoutCount: added(sessions.unfocusedBoutCount),
          longestFocusedBoutMs: sql`GREATEST(${sessions.longestFocusedBoutMs}, VALUES(longest_focused_bout_ms))`,
          endedAtMs: sql`GREATEST(${sessions.endedAtMs}, VALUES(ended_at_ms))`,
          isFinal: sql`GREATEST(${sessions.isFinal}, VALUES(is_final))`,
          mode: sql`VALUES(mode)`,
          rule: sql`VALUES(rule)`,
        },
      });
  }
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
  const locked = await lockSessions(tx, batches);
  const fresh = await newWindows(tx, placeWindows(batches, locked));
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
  await addToHours(tx, fresh, locked);
  await addToSessions(tx, fresh);
  await feedEyelearn(tx, eyelearn, fresh, elsewhere, logger);
  return fresh.length;
}
