import { describeError, RelayError } from '../../shared/errors.ts';

/** What happened to entries that were tried. */
export interface Outcome {
  /** Stored: these entries are removed. */
  readonly deliveredIds: readonly number[];
  /** Rejected permanently by the store: these stay, out of the way, with the reason. */
  readonly setAside: readonly { readonly id: number; readonly error: string }[];
}

/** What a delivery did before it ended, and why it ended early (null: it did not). */
export interface Delivery extends Outcome {
  readonly failure: unknown;
}

/**
 * Delivers entries in their order, in as few calls as possible: a batch that is rejected (RelayError
 * `store_rejected`) is halved until the faulty entries stand alone. Never rejects; stops at the first
 * failure that is not a rejection.
 */
export async function deliverInHalves<T extends { readonly id: number }>(
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
