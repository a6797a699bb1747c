import {
  chunksOf,
  type EpochSpan,
  type HourAddition,
  hourAdditions,
  type KeyRange,
  type KnownSession,
  keyRanges,
  type PlacedWindow,
  placeWindows,
  type SessionAddition,
  type SessionBatch,
  sessionAdditions,
  sessionsInDoubt,
  withoutKnown,
  withoutLateWords,
} from './batch.ts';
import { boutRows, type PlacedBoutRow, SUMMED_COLUMNS, type WindowRow, windowRow } from './records.ts';

/** Stays far below MySQL's max_allowed_packet (16 MiB by default), and with 41 columns at most below SQLite's 32,766 parameters. */
const ROWS_PER_STATEMENT = 600;

/** A database's side of a delivery, within its transaction. Lists are short enough for one statement. */
export interface ApplyTarget {
  /** Rows of the batches' sessions by their uuid; those that are missing are made. No other gateway writes to them until the transaction ends. */
  sessionsOf(batches: readonly SessionBatch[]): Promise<ReadonlyMap<string, KnownSession>>;
  /** Keys of the ledger's windows within these ranges. */
  keysIn(
    ranges: readonly KeyRange[],
  ): Promise<readonly { readonly sessionId: number; readonly epoch: number; readonly seq: number }[]>;
  /** What the epochs of these sessions cover. */
  epochsOf(sessionIds: readonly number[]): Promise<readonly EpochSpan[]>;
  insertWindows(rows: WindowRow[]): Promise<unknown>;
  /** The day and hour of each are the database's to say. */
  insertBouts(rows: PlacedBoutRow[]): Promise<unknown>;
  addToHours(additions: HourAddition[]): Promise<unknown>;
  addToSessions(additions: SessionAddition[]): Promise<unknown>;
}

async function inChunks<T>(list: readonly T[], statement: (chunk: T[]) => Promise<unknown>): Promise<void> {
  for (const chunk of chunksOf(list, ROWS_PER_STATEMENT)) await statement(chunk);
}

/** Stores the windows that are not in the ledger yet and are no late words, with all totals, and resolves with them. */
export async function applyTo(target: ApplyTarget, batches: readonly SessionBatch[]): Promise<PlacedWindow[]> {
  const known = new Map<string, KnownSession>();
  await inChunks(batches, async (chunk) => {
    for (const [uuid, session] of await target.sessionsOf(chunk)) known.set(uuid, session);
  });
  const placed = placeWindows(batches, known);
  const keys: { sessionId: number; epoch: number; seq: number }[] = [];
  const placedKeys = placed.map(({ sessionId, window: { epoch, seq } }) => ({ sessionId, epoch, seq }));
  await inChunks(keyRanges(placedKeys), async (chunk) => keys.push(...(await target.keysIn(chunk))));
  const unknown = withoutKnown(placed, keys);
  const spans: EpochSpan[] = [];
  await inChunks(sessionsInDoubt(unknown, known), async (chunk) => spans.push(...(await target.epochsOf(chunk))));
  const fresh = withoutLateWords(unknown, spans);
  await inChunks(
    fresh.map(({ window, sessionId }) => windowRow(window, sessionId)),
    target.insertWindows,
  );
  await inChunks(
    fresh.flatMap(({ window, sessionId }) => boutRows(window, sessionId)),
    target.insertBouts,
  );
  await inChunks(hourAdditions(fresh, known), target.addToHours);
  await inChunks(sessionAdditions(fresh), target.addToSessions);
  return fresh;
}

type Summed = (typeof SUMMED_COLUMNS)[number] | 'windowCount' | 'focusedBoutCount' | 'unfocusedBoutCount';

/** How a row of totals takes up what is added to it. */
export interface Accumulation<Column, Sql> {
  readonly added: (column: Column) => Sql;
  readonly larger: (column: Column) => Sql;
}

/** The changes of a row of totals that is there already: the same in each table that has these columns. */
export function accumulate<Column, Sql>(
  table: Readonly<Record<Summed | 'longestFocusedBoutMs', Column>>,
  { added, larger }: Accumulation<Column, Sql>,
): Record<Summed | 'longestFocusedBoutMs', Sql> {
  const summed = [...SUMMED_COLUMNS, 'windowCount', 'focusedBoutCount', 'unfocusedBoutCount'] as const;
  const sums = Object.fromEntries(summed.map((column) => [column, added(table[column])])) as Record<Summed, Sql>;
  return { ...sums, longestFocusedBoutMs: larger(table.longestFocusedBoutMs) };
}
