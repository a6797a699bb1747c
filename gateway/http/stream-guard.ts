import type { HttpBindings } from '@hono/node-server';
import type { Context } from 'hono';
import type { Logger } from '../lib/logger.ts';
import { type SampledLines, sampledLines } from '../lib/sampled-lines.ts';
import { addressOwner } from './client-address.ts';
import { fault } from './faults.ts';
import { isAllowedOrigin, type OriginPolicy } from './origins.ts';
import { PendingConnections } from './pending-connections.ts';

export interface StreamGuardDependencies {
  readonly origins: OriginPolicy;
  readonly logger: Logger;
  /** Header in which a proxy names the client's address; null: the connection's own counts. */
  readonly clientAddressHeader: string | null;
  /** A connection without a ticket lost its place to another. */
  readonly onDisplaced: () => void;
  /** A page of an origin that is not allowed was refused. */
  readonly onRefusedOrigin: () => void;
}

/** What students' connections pass before the gateway knows them, whatever their transport (C-1). */
export class StreamGuard {
  readonly #deps: StreamGuardDependencies;
  readonly #pending = new PendingConnections();
  readonly #sampled: SampledLines;

  constructor(deps: StreamGuardDependencies) {
    this.#deps = deps;
    this.#sampled = sampledLines(() => performance.now());
  }

  /** The answer to a page of an origin that is not allowed; null where it may pass. */
  refusal<E extends { Bindings: HttpBindings }>(context: Context<E>): Response | null {
    const origin = context.req.header('origin');
    if (origin === undefined || isAllowedOrigin(this.#deps.origins, origin)) return null;
    this.#deps.onRefusedOrigin();
    this.#sampled('origin', (refused) =>
      this.#deps.logger.warn(
        { code: 'origin_not_allowed', origin: origin.slice(0, 200), refused },
        'connection refused; add the origin to ALLOWED_ORIGINS',
      ),
    );
    return context.json(fault('origin_not_allowed', 'this origin is not in ALLOWED_ORIGINS'), 403);
  }

  /**
   * One more without a valid ticket; `drop` disconnects it when another takes its place. Returns what takes it out again
   * (safe to call twice).
   */
  enter<E extends { Bindings: HttpBindings }>(context: Context<E>, drop: () => void): () => void {
    const { clientAddressHeader, onDisplaced } = this.#deps;
    const named = clientAddressHeader === null ? undefined : context.req.header(clientAddressHeader);
    const owner = addressOwner(named ?? context.env.incoming.socket.remoteAddress ?? '');
    return this.#pending.enter(owner, () => {
      onDisplaced();
      drop();
    });
  }
}
