import type { Stopped } from './connection-options.ts';

/** The answer to a stop that is on its way: one promise for everybody who asks meanwhile. */
export class PendingStop {
  #waiting: { readonly promise: Promise<Stopped | null>; readonly resolve: (stopped: Stopped | null) => void } | null =
    null;

  get promise(): Promise<Stopped | null> | null {
    return this.#waiting?.promise ?? null;
  }

  begin(): Promise<Stopped | null> {
    let resolve: (stopped: Stopped | null) => void = () => {};
    const promise = new Promise<Stopped | null>((settle) => {
      resolve = settle;
    });
    this.#waiting = { promise, resolve };
    return promise;
  }

  /** Resolves the promise, where there is one. */
  settle(stopped: Stopped | null): void {
    const waiting = this.#waiting;
    this.#waiting = null;
    waiting?.resolve(stopped);
  }
}
