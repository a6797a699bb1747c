/** Runs tasks one after another, each to its end, in the order they were given. */
export interface Mutex {
  run<T>(task: () => Promise<T>): Promise<T>;
}

/** A mutex whose tasks' failures reach their own callers alone. */
export function createMutex(): Mutex {
  let last: Promise<unknown> = Promise.resolve();
  return {
    run(task) {
      const result = last.then(task);
      last = result.catch(() => undefined);
      return result;
    },
  };
}

/** A mutex for each key: tasks of one key run one after another. */
export class KeyedMutex<Key> {
  /** The newest task of each key that has any; these promises never reject. */
  readonly #last = new Map<Key, Promise<unknown>>();

  run<T>(key: Key, task: () => Promise<T>): Promise<T> {
    const result = (this.#last.get(key) ?? Promise.resolve()).then(task);
    const settled: Promise<unknown> = result
      .catch(() => undefined)
      .then(() => {
        if (this.#last.get(key) === settled) this.#last.delete(key);
      });
    this.#last.set(key, settled);
    return result;
  }
}
