import type { Logger } from '../lib/logger.ts';
import type { PlacedWindow } from '../store/batch.ts';
import { isDataError, storeError } from '../store/mysql/errors.ts';
import type { StoreHooks, Transaction } from '../store/mysql/hooks.ts';
import type { TimeByWindow } from '../store/port.ts';
import { windowKey } from '../store/records.ts';
import type { Catalog } from './catalog.ts';
import { DAY_TABLES } from './day-scopes.ts';
import { feedDays } from './days.ts';
import { installDimensions } from './dimensions.ts';
import { lockStudentDays, type Placement, placeOnDays } from './placement.ts';
import { feedEvents, feedSessions } from './rows.ts';
import { type WrittenTables, writtenTables } from './tables.ts';

/** One delivery's time on its way into EyeLearn's tables. */
interface Feed {
  readonly tables: WrittenTables;
  readonly placement: Placement;
  /** Less the time that the rows have already, by PHP. */
  readonly forRows: readonly PlacedWindow[];
}

function without(counted: readonly PlacedWindow[], stored: TimeByWindow): PlacedWindow[] {
  return counted.map((placed) => {
    const { window } = placed;
    const part = stored.get(windowKey(window));
    if (part === undefined) return placed;
    const focusedMs = Math.max(0, window.focusedMs - part.focusedMs);
    const unfocusedMs = Math.max(0, window.unfocusedMs - part.unfocusedMs);
    return { ...placed, window: { ...window, focusedMs, unfocusedMs } };
  });
}

async function feedAll(tx: Transaction, { tables, placement, forRows }: Feed): Promise<void> {
  const { eye_tracking_sessions: rows, focus_events: events } = tables;
  if (rows !== undefined) {
    const rowIds = await feedSessions(tx, rows, forRows, placement);
    if (events !== undefined) await feedEvents(tx, events, rowIds);
  }
  await feedDays(tx, tables, DAY_TABLES, placement);
}

/**
 * EyeLearn's tables must not keep our ledger from taking a window: what one of them refuses is undone and
 * logged, and everything else of the transaction stays. Null when it was refused.
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

/** Table by table, so that a failing table stops that one alone. */
async function feedApart(tx: Transaction, { tables, placement, forRows }: Feed, logger: Logger): Promise<void> {
  const { eye_tracking_sessions: rows, focus_events: events } = tables;
  if (rows !== undefined) {
    const rowIds = await unlessRefused(tx, rows.name, logger, (savepoint) =>
      feedSessions(savepoint, rows, forRows, placement),
    );
    if (rowIds !== null && events !== undefined) {
      await unlessRefused(tx, events.name, logger, (savepoint) => feedEvents(savepoint, events, rowIds));
    }
  }
  for (const target of DAY_TABLES) {
    if (tables[target] === undefined) continue;
    await unlessRefused(tx, target, logger, (savepoint) => feedDays(savepoint, tables, [target], placement));
  }
}

/**
 * Feeds EyeLearn's tables in each of the store's transactions, and reads the catalog again after each migration.
 * `isWrittenByPhp`: eye_tracking_sessions and the events of its rows are written with each post to PHP, and not here.
 */
export function eyelearnStoreHooks(
  catalog: Catalog,
  logger: Logger,
  { isWrittenByPhp = false }: { readonly isWrittenByPhp?: boolean } = {},
): StoreHooks {
  let tables: WrittenTables = {};
  return {
    async afterMigrate(connection) {
      const { written, absent, problems } = writtenTables(await catalog.refresh(connection));
      const { eye_tracking_sessions: _rows, focus_events: _events, ...days } = written;
      tables = isWrittenByPhp ? days : written;
      if (absent.length > 0)
        logger.info({ absent }, 'EyeLearn tables that are not in this database are not written to');
      for (const { code, table, missing, unknown } of problems) {
        if (code === 'eyelearn_unusable') {
          logger.error(
            { code, table, missing, unknown },
            'an EyeLearn table lacks columns, or has some that we cannot fill: it is not written to',
          );
        } else logger.warn({ code, table, missing }, 'an EyeLearn table lacks columns');
      }
      await installDimensions(connection, catalog, logger);
    },
    async afterApply(tx, fresh, viaSecondWay) {
      const counted = fresh.filter(({ window }) => window.focusedMs + window.unfocusedMs > 0);
      if (counted.length === 0 || Object.keys(tables).length === 0) return;
      const placement = await placeOnDays(tx, counted);
      await lockStudentDays(tx, placement);
      const feed = { tables, placement, forRows: without(counted, viaSecondWay) };
      try {
        await tx.transaction((savepoint) => feedAll(savepoint, feed));
      } catch (error) {
        if (!isDataError(error)) throw error;
        await feedApart(tx, feed, logger);
      }
    },
  };
}
