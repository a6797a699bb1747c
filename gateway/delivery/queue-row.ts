import { crc32 } from 'node:zlib';
import { describeError, RelayError } from '../../shared/errors.ts';
import type { MetricsWindow } from '../../shared/metrics-window.ts';
import { parseMetricsWindow } from '../store/window-schema.ts';

/** One entry of a queue: a window as JSON text. */
export interface QueueRow {
  readonly id: number;
  readonly body: string;
  /** CRC-32 of the body as it was appended; null or absent where it was not noted. */
  readonly checksum?: number | null;
  /** Its time goes the second way. */
  readonly isMoved: boolean;
}

/** The checksum that is kept with a body: SQLite does not notice a flipped bit within a text. */
export function checksumOf(body: string): number {
  return crc32(body);
}

/** An entry that the store refuses for good, with the reason. */
export interface SetAsideEntry {
  /** The window's JSON text as it was appended. */
  readonly body: string;
  readonly error: string;
}

/** The window of an entry. Throws RelayError `store_rejected` for an entry that cannot be read. */
export function readRow(row: Pick<QueueRow, 'id' | 'body' | 'checksum'>): MetricsWindow {
  if (row.checksum != null && row.checksum !== checksumOf(row.body)) {
    throw new RelayError('store_rejected', `queue entry ${row.id} is damaged: its checksum is another`);
  }
  let value: unknown;
  try {
    value = JSON.parse(row.body);
  } catch (error) {
    throw new RelayError('store_rejected', `queue entry ${row.id} is not JSON: ${describeError(error)}`);
  }
  return parseMetricsWindow(value);
}
