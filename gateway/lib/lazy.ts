/** A part of the gateway that is opened after the port is. */
export interface Later<T> {
  /** The part itself: what is asked of it before it is open waits until it is. */
  readonly part: T;
  /** Opens it, once. Rejects as opening does; a later call tries again. */
  readonly open: () => Promise<T>;
}

/**
 * Stands in for a part until it is open. `early` is what it says meanwhile where it must answer at once; every other
 * method returns a promise and opens the part by itself. Closing what nobody opened does nothing.
 */
export function openLater<T extends { close(): Promise<void> }>(early: Partial<T>, load: () => Promise<T>): Later<T> {
  let opening: Promise<T> | null = null;
  let opened: T | null = null;
  const open = (): Promise<T> => {
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
  };
  const close = async (): Promise<void> => {
    const part = await opening?.catch(() => null);
    await part?.close();
  };
  const part = new Proxy(early, {
    get(target, name) {
      if (name === 'close') return close;
      if (opened !== null) return Reflect.get(opened, name);
      if (name in target) return Reflect.get(target, name);
      return async (...given: unknown[]) => {
        const found = (await open()) as Record<string | symbol, unknown>;
        return (found[name] as (...given: unknown[]) => unknown).apply(found, given);
      };
    },
  });
  return { part: part as T, open };
}
