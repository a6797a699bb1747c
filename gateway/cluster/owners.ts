import { StorageType } from '@nats-io/jetstream';
import type { KV } from '@nats-io/kv';
import type { NatsLink } from '../nats/connection.ts';
import { isConflict, type PerConnection, perConnection } from '../nats/per-connection.ts';

/** As long as a session can be resumed, and an hour. */
const KEPT_MS = 13 * 3600 * 1000;
/** Gateways that may take a student in turn before this one gives up. */
const MAX_ATTEMPTS = 5;

/** Which gateway has a student. */
export interface OwnerEntry {
  /** Id of the gateway's run; null where the one that had the student is gone and all of it is booked. */
  readonly gateway: string | null;
  /** Where the other gateways reach it. */
  readonly address: string | null;
  /** The gateway before it, which has what this one has not taken in yet. */
  readonly from: string | null;
}

interface FoundEntry {
  readonly entry: OwnerEntry;
  readonly revision: number;
}

/** The bucket that says who has whom: one entry for each student, changed by compare-and-set alone. */
export class OwnerBucket {
  readonly #bucket: PerConnection<KV>;

  constructor(link: NatsLink) {
    const { prefix, replicas } = link.config;
    this.#bucket = perConnection(link, ({ kvm }) =>
      kvm.create(`${prefix}-owners`, {
        replicas,
        storage: StorageType.Memory,
        history: 1,
        ttl: KEPT_MS,
        // Copies may answer with what was true a moment ago.
        allow_direct: false,
      }),
    );
  }

  /** Makes the bucket where there is none. Rejects with a RelayError of NATS. */
  open(): Promise<void> {
    return this.#bucket.open();
  }

  /** The entry of a student; null where there is none. Rejects with a RelayError of NATS. */
  find(userId: number): Promise<OwnerEntry | null> {
    return this.#bucket.use(async (kv) => (await this.#read(kv, `u.${userId}`))?.entry ?? null);
  }

  /**
   * Makes `own` the entry of a student and resolves with the entry before it. An entry of the same gateway is left as it is.
   * Rejects with a RelayError of NATS.
   */
  take(userId: number, own: Omit<OwnerEntry, 'from'> & { readonly gateway: string }): Promise<OwnerEntry | null> {
    return this.#change(userId, (before) =>
      before?.gateway === own.gateway ? null : { ...own, from: before?.gateway ?? null },
    );
  }

  /** Everything of a student that `gateway` owned is booked: no gateway owns them now. Nothing changes where it no longer owns them. */
  async release(userId: number, gateway: string): Promise<void> {
    await this.#change(userId, (before) =>
      before?.gateway === gateway ? { gateway: null, address: null, from: gateway } : null,
    );
  }

  #change(userId: number, next: (before: OwnerEntry | null) => OwnerEntry | null): Promise<OwnerEntry | null> {
    return this.#bucket.use(async (kv) => {
      const key = `u.${userId}`;
      for (let attempt = 1; ; attempt += 1) {
        const found = await this.#read(kv, key);
        const entry = next(found?.entry ?? null);
        if (entry === null) return found?.entry ?? null;
        try {
          await kv.put(key, JSON.stringify(entry), { previousSeq: found?.revision ?? 0 });
          return found?.entry ?? null;
        } catch (error) {
          if (!isConflict(error) || attempt === MAX_ATTEMPTS) throw error;
        }
      }
    });
  }

  async #read(kv: KV, key: string): Promise<FoundEntry | null> {
    const found = await kv.get(key);
    return found === null || found.operation !== 'PUT'
      ? null
      : { entry: found.json<OwnerEntry>(), revision: found.revision };
  }
}
