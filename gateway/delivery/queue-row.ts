import { describeError, RelayError } from '../../shared/errors.ts';
import type { MetricsWindow } from '../../shared/metrics-window.ts';
import { parseMetricsWindow } from '../store/window-schema.ts';

/** One entry of a queue: a window as JSON text. */
export interface QueueRow {
  readonly id: number;
  readonly body: string;
  /** Its time goes the second way. */
  readonly isMoved: boolean;
}

/** An entry that the store refuses for good, with the reason. */
export interface SetAsideEntry {
  /** The window's JSON text as it was appended. */
  readonly body: string;
  readonly error: string;
}

/** The window of an entry. Throws RelayError `store_rejected` for an entry that cannot be read. */
export function readRow(row: Pick<QueueRow, 'id' | 'body'>): MetricsWindow {
  let value: unknown;
  try {
    value = JSON.parse(row.body);
  } catch (error) {
    throw new RelayError('store_rejected', `queue entry ${row.id} is not JSON: ${describeError(error)}`);
  }
  return parseMetricsWindow(value);
}
