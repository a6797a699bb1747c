import type { NatsLink, OpenNats } from './connection.ts';

/** JetStream's code for a change of something that has changed meanwhile. */
const WRONG_LAST_SEQUENCE = 10_071;

/** True where a change by compare-and-set came too late. */
export function isConflict(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === WRONG_LAST_SEQUENCE;
}

/** A bucket or a stream as it is used: made with the first task of a connection. */
export interface PerConnection<T> {
  /** Makes it where there is none. Rejects with a RelayError of NATS. */
  open(): Promise<void>;
  /** Runs a task with it. Rejects with a RelayError of NATS. */
  use<R>(task: (made: T) => Promise<R>): Promise<R>;
}

/**
 * Makes something once for each connection, and again after a failure: what is in memory is gone with its servers. A conflict
 * is no failure.
 */
export function perConnection<T>(link: NatsLink, make: (nats: OpenNats) => Promise<T>): PerConnection<T> {
  let latest: { readonly nats: OpenNats; readonly made: Promise<T> } | null = null;
  const use = <R>(task: (made: T) => Promise<R>): Promise<R> =>
    link.use(async (nats) => {
      if (latest?.nats !== nats) latest = { nats, made: make(nats) };
      const { made } = latest;
      let isMade = false;
      try {
        const ready = await made;
        isMade = true;
        return await task(ready);
      } catch (error) {
        const isFailure = !isMade || !isConflict(error);
        if (isFailure && latest?.made === made) latest = null;
        throw error;
      }
    });
  return { use, open: () => use(async () => undefined) };
}
