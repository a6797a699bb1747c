import { StorageType } from '@nats-io/jetstream';
import type { KV } from '@nats-io/kv';
import { describeError } from '../../shared/errors.ts';
import { READER_TOKEN_LIFETIME_S } from '../auth/reader.ts';
import { type ReaderRevocations, RevokedReaders } from '../auth/revoked-readers.ts';
import { CLOCK_TOLERANCE_S } from '../auth/tokens.ts';
import type { Logger } from '../lib/logger.ts';
import { within } from '../lib/timeout.ts';
import type { NatsLink } from '../nats/connection.ts';
import { type PerConnection, perConnection } from '../nats/per-connection.ts';

const ANSWER_WITHIN_MS = 800;
/** A page asks for many answers at once: NATS is asked for one of them. */
const VALID_MS = 2000;
const MAX_KNOWN = 1000;
const LIFETIME_MS = READER_TOKEN_LIFETIME_S * 1000;

interface Known {
  readonly atMs: number;
  /** UTC s; null: not revoked. */
  readonly revokedAtS: Promise<number | null>;
}

/**
 * Readers whose tokens are revoked at all gateways, in a bucket that all share. While NATS does not answer, a gateway knows what it has
 * revoked itself alone: reports stay readable, and the log says so.
 */
export class ClusterRevokedReaders implements ReaderRevocations {
  readonly #bucket: PerConnection<KV>;
  readonly #logger: Logger;
  readonly #here = new RevokedReaders(LIFETIME_MS);
  readonly #known = new Map<number, Known>();
  #isFailing = false;

  constructor(link: NatsLink, logger: Logger) {
    const { prefix, replicas } = link.config;
    const ttl = LIFETIME_MS + 2 * CLOCK_TOLERANCE_S * 1000;
    this.#bucket = perConnection(link, ({ kvm }) =>
      kvm.create(`${prefix}-revoked`, { replicas, storage: StorageType.File, history: 1, allow_direct: false, ttl }),
    );
    this.#logger = logger;
  }

  /** Rejects with a RelayError of NATS where the other gateways will not know of it; this one does all the same. */
  async revoke(userId: number, nowMs: number): Promise<void> {
    this.#here.revoke(userId, nowMs);
    await this.#bucket.use((kv) => kv.put(String(userId), String(Math.floor(nowMs / 1000))));
  }

  async isRevoked(userId: number, issuedAtS: number): Promise<boolean> {
    if (this.#here.isRevoked(userId, issuedAtS)) return true;
    const revokedAtS = await this.#revokedAt(userId);
    return revokedAtS !== null && issuedAtS <= revokedAtS;
  }

  #revokedAt(userId: number): Promise<number | null> {
    const nowMs = performance.now();
    const known = this.#known.get(userId);
    if (known !== undefined && nowMs - known.atMs < VALID_MS) return known.revokedAtS;
    if (this.#known.size >= MAX_KNOWN) this.#known.clear();
    const answer = this.#bucket.use(async (kv) => {
      const entry = await kv.get(String(userId));
      return entry?.operation === 'PUT' ? Number(entry.string()) : null;
    });
    const revokedAtS = within(
      answer.then(
        (found) => {
          this.#isFailing = false;
          return found;
        },
        (error: unknown) => this.#fail(describeError(error)),
      ),
      ANSWER_WITHIN_MS,
      null,
    );
    this.#known.set(userId, { atMs: nowMs, revokedAtS });
    return revokedAtS;
  }

  #fail(reason: string): null {
    if (!this.#isFailing) {
      this.#logger.warn({ code: 'nats_unreachable', reason }, 'readers that other gateways have revoked are not known');
    }
    this.#isFailing = true;
    return null;
  }
}
