import { describeError, RelayError } from '../../shared/errors.ts';
import type { MetricsWindow } from '../../shared/metrics-window.ts';
import type { MetricsStore, StoredElsewhere } from '../store/port.ts';
import { parseMetricsWindow } from '../store/window-schema.ts';
import type { SpoolOutcome, SpoolRow } from './queue-file.ts';

interface Entry {
  readonly id: number;
  readonly window: MetricsWindow;
}

/** What a delivery did before it ended, and why it ended early (null: it did not). */
export interface Delivery extends SpoolOutcome {
  readonly failure: unknown;
}

/** The window of an entry. Throws RelayError `store_rejected` for an entry nobody can read. */
export function readEntry(row: SpoolRow): MetricsWindow {
  let value: unknown;
  try {
    value = JSON.parse(row.body);
  } catch (error) {
    throw new RelayError('store_rejected', `spool entry ${row.id} is not JSON`, { cause: error });
  }
  return parseMetricsWindow(value);
}

/**
 * Hands entries over in their order, in as few calls as can be: a batch that is rejected (RelayError
 * `store_rejected`) is halved until the entries at fault stand alone. Never rejects; stops at the first
 * failure that is not a rejection.
 */
export async function handOver<T extends { readonly id: number }>(
  entries: readonly T[],
  take: (part: readonly T[]) => Promise<unknown>,
): Promise<Delivery> {
  const deliveredIds: number[] = [];
  const setAside: { id: number; error: string }[] = [];

  async function apply(part: readonly T[]): Promise<void> {
    const [first, ...others] = part;
    if (first === undefined) return;
    try {
      await take(part);
      deliveredIds.push(...part.map(({ id }) => id));
    } catch (error) {
      if (!(error instanceof RelayError) || error.code !== 'store_rejected') throw error;
      if (others.length === 0) {
        setAside.push({ id: first.id, error: describeError(error) });
        return;
      }
      const middle = part.length >> 1;
      await apply(part.slice(0, middle));
      await apply(part.slice(middle));
    }
  }

  try {
    await apply(entries);
    return { deliveredIds, setAside, failure: null };
  } catch (failure) {
    return { deliveredIds, setAside, failure };
  }
}

/** Hands windows to the store, as handOver; entries that nobody can read are set aside. */
export async function deliver(
  rows: readonly SpoolRow[],
  store: Pick<MetricsStore, 'applyWindows'>,
  elsewhere?: ReadonlyMap<string, StoredElsewhere>,
): Promise<Delivery> {
  const unreadable: { id: number; error: string }[] = [];
  const entries: Entry[] = [];
  for (const row of rows) {
    try {
      entries.push({ id: row.id, window: readEntry(row) });
    } catch (error) {
      unreadable.push({ id: row.id, error: describeError(error) });
    }
  }
  const delivery = await handOver(entries, (part) =>
    store.applyWindows(
      part.map(({ window }) => window),
      elsewhere,
    ),
  );
  return { ...delivery, setAside: [...unreadable, ...delivery.setAside] };
}
