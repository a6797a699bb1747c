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
