import { RelayError } from '../../shared/errors.ts';
import type { MetricsWindow } from '../../shared/metrics-window.ts';
import { windowKey } from './records.ts';
import { parseMetricsWindow } from './window-schema.ts';

/** The windows of one session within a batch, in the order they were given, each key once. */
export interface SessionBatch {
  readonly sessionUuid: string;
  readonly windows: readonly [MetricsWindow, ...MetricsWindow[]];
}

/** Range of sequence numbers that a batch holds of one epoch of one session. */
export interface KeyRange {
  readonly sessionId: number;
  readonly epoch: number;
  readonly minSeq: number;
  readonly maxSeq: number;
}

/**
 * Checks the windows and splits them by session, sorted by session id so that two gateways lock rows
 * in the same order. Throws `store_rejected` for a window no store can hold and for a session that
 * belongs to two students.
 */
export function sessionBatches(windows: readonly MetricsWindow[]): SessionBatch[] {
  const bySession = new Map<string, [MetricsWindow, ...MetricsWindow[]]>();
  const keys = new Set<string>();
  for (const given of windows) {
    const window = parseMetricsWindow(given);
    const key = windowKey(window);
    if (keys.has(key)) continue;
    keys.add(key);
    const batch = bySession.get(window.sessionId);
    if (batch === undefined) {
      bySession.set(window.sessionId, [window]);
      continue;
    }
    assertSameStudent(window, batch[0].userId);
    batch.push(window);
  }
  return [...bySession]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([sessionUuid, ofSession]) => ({ sessionUuid, windows: ofSession }));
}

/** Throws `store_rejected` when a session's window names another student than the session's row. */
export function assertSameStudent(window: MetricsWindow, userId: number): void {
  if (window.userId === userId) return;
  throw new RelayError(
    'store_rejected',
    `session ${window.sessionId} belongs to student ${userId}, not to student ${window.userId}`,
  );
}

/** The ranges in which a batch's keys may already be in the ledger. */
export function keyRanges(batch: SessionBatch, sessionId: number): KeyRange[] {
  const ranges = new Map<number, KeyRange>();
  for (const { epoch, seq } of batch.windows) {
    const range = ranges.get(epoch);
    ranges.set(epoch, {
      sessionId,
      epoch,
      minSeq: Math.min(range?.minSeq ?? seq, seq),
      maxSeq: Math.max(range?.maxSeq ?? seq, seq),
    });
  }
  return [...ranges.values()];
}

/** Cuts a list into pieces of at most `size`, so that no statement outgrows what a database takes. */
export function chunksOf<T>(list: readonly T[], size: number): T[][] {
  const chunks: T[][] = [];
  for (let start = 0; start < list.length; start += size) chunks.push(list.slice(start, start + size));
  return chunks;
}
