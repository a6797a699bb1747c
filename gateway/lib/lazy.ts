/** A part of the gateway that is opened by its first use, after the port is. */
export interface Lazy<T> {
  /** Opens the part, once. Rejects as opening does; a later call tries again. */
  readonly open: () => Promise<T>;
  /** The part where it is open, else null. */
  readonly opened: () => T | null;
  /** Closes the part where it is open or being opened. */
  readonly close: () => Promise<void>;
}

/** A memoised promise of what `load` opens. */
export function lazy<T extends { close(): Promise<void> }>(load: () => Promise<T>): Lazy<T> {
  let opening: Promise<T> | null = null;
  let opened: T | null = null;
  return {
    open() {
      opening ??= load().then(
        (part) => {
          opened = part;
          return part;
        },
        (error: unknown) => {
          opening = null;
          throw error;
        },
      );
      return opening;
    },
    opened: () => opened,
    async close() {
      const part = await opening?.catch(() => null);
      await part?.close();
    },
  };
}
