import { createHash } from 'node:crypto';
import { StorageType } from '@nats-io/jetstream';
import type { KV } from '@nats-io/kv';
import { describeError } from '../../shared/errors.ts';
import { SpentTickets, type TicketSpender } from '../auth/spent-tickets.ts';
import type { TicketUse } from '../auth/ticket.ts';
import { CLOCK_TOLERANCE_S } from '../auth/tokens.ts';
import type { Logger } from '../lib/logger.ts';
import { within } from '../lib/timeout.ts';
import type { NatsLink } from '../nats/connection.ts';
import { isConflict, type PerConnection, perConnection } from '../nats/per-connection.ts';

const ANSWER_WITHIN_MS = 800;

/**
 * Tickets are spent once over all gateways. While NATS does not answer, each gateway knows its own alone: a student is not
 * refused for it.
 */
export class ClusterTickets implements TicketSpender {
  readonly #bucket: PerConnection<KV>;
  readonly #logger: Logger;
  readonly #here = new SpentTickets();
  #isFailing = false;

  constructor(link: NatsLink, ticketMaxLifeS: number, logger: Logger) {
    const { prefix, replicas } = link.config;
    const ttl = (ticketMaxLifeS + 2 * CLOCK_TOLERANCE_S) * 1000;
    this.#bucket = perConnection(link, ({ kvm }) =>
      kvm.create(`${prefix}-tickets`, { replicas, storage: StorageType.Memory, history: 1, ttl }),
    );
    this.#logger = logger;
  }

  async spend(use: TicketUse, nowMs: number): Promise<boolean> {
    if (!this.#here.spend(use, nowMs)) return false;
    const answer = this.#spendEverywhere(use.id).then(
      (isFirst) => {
        this.#isFailing = false;
        return isFirst;
      },
      (error: unknown) => this.#fail(describeError(error)),
    );
    return within(answer, ANSWER_WITHIN_MS, true);
  }

  #fail(reason: string): true {
    if (!this.#isFailing) {
      this.#logger.warn({ code: 'nats_unreachable', reason }, 'tickets that other gateways have spent are not known');
    }
    this.#isFailing = true;
    return true;
  }

  /** Makes the bucket where there is none. Rejects with a RelayError of NATS. */
  open(): Promise<void> {
    return this.#bucket.open();
  }

  #spendEverywhere(id: string): Promise<boolean> {
    return this.#bucket.use(async (kv) => {
      try {
        // The id is the platform's text, which need not be a key.
        await kv.put(createHash('sha256').update(id).digest('hex'), '', { previousSeq: 0 });
        return true;
      } catch (error) {
        if (isConflict(error)) return false;
        throw error;
      }
    });
  }
}
