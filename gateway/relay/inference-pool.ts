import { describeError } from '../../shared/errors.ts';
import type { InferenceRequest } from '../../shared/link.ts';
import type { Logger } from '../lib/logger.ts';
import { InferenceLink, type LinkAnswer, type LinkState } from './inference-link.ts';
import { HEALTHY, mayServe, noteFailure, noteSent, noteSuccess, type ReplicaHealth } from './replica-health.ts';
import { type Resolve, resolveAll } from './resolve.ts';

const RESOLVE_EVERY_MS = 5000;
/** Less than this is not worth a second try. */
const MIN_RETRY_BUDGET_MS = 50;

interface Replica {
  readonly link: InferenceLink;
  health: ReplicaHealth;
  /** Number of its newest request: equals take turns. */
  lastTurn: number;
}

export interface ReplicaStatus {
  readonly address: string;
  /** The link's own state, or `ejected` while it gets no request. */
  readonly state: LinkState | 'ejected';
  readonly outstanding: number;
}

/** A request without the id that the link gives it. */
export type PoolRequest = Omit<InferenceRequest, 'requestId'>;

export interface PoolOptions {
  readonly urls: readonly string[];
  /** INFERENCE_SECRET; null where inference has none. */
  readonly secret?: string | null;
  readonly logger: Logger;
  /** Monotonic ms. */
  readonly now?: () => number;
  readonly resolve?: Resolve;
  /** How often host names are resolved again while students are connected, ms. */
  readonly resolveEveryMs?: number;
}

/** Answers that say something about the replica, not about the picture. */
const REPLICA_FAULTS = new Set<LinkAnswer['status']>(['unavailable', 'expired', 'engineFailed']);
/** Answers after which another replica may succeed. */
const WORTH_A_RETRY = new Set<LinkAnswer['status']>([...REPLICA_FAULTS, 'busy']);

/**
 * All inference replicas behind the configured URLs: every address of every host gets one link, and
 * addresses come and go as the names resolve. A request goes to the trusted replica with the least
 * outstanding; one that fails gets a second try elsewhere within its budget.
 */
export class InferencePool {
  readonly #options: Required<PoolOptions>;
  readonly #replicas = new Map<string, Replica>();
  #active = false;
  #turn = 0;
  #timer: NodeJS.Timeout | null = null;
  #resolving: Promise<void> | null = null;
  #lastFault: string | null = null;

  constructor(options: PoolOptions) {
    this.#options = {
      now: () => performance.now(),
      resolve: resolveAll,
      resolveEveryMs: RESOLVE_EVERY_MS,
      secret: null,
      ...options,
    };
  }

  /** Opens the links ahead of the first frame and keeps them up until release(). */
  open(): void {
    if (this.#active) return;
    this.#active = true;
    this.#resolve();
  }

  /** Closes every link until the next open() or request: an idle gateway sends nothing. */
  release(): void {
    this.#active = false;
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    for (const { link } of this.#replicas.values()) link.release();
    this.#replicas.clear();
  }

  states(): readonly ReplicaStatus[] {
    const nowMs = this.#options.now();
    return [...this.#replicas].map(([address, { link, health }]) => ({
      address,
      state: mayServe(health, nowMs) ? link.state : 'ejected',
      outstanding: link.outstanding,
    }));
  }

  async request(request: PoolRequest): Promise<LinkAnswer> {
    this.open();
    const { now } = this.#options;
    const startedMs = now();
    const first = this.#pick(null);
    if (first === null) return { status: 'unavailable' };
    // A silent replica must leave time to ask another one.
    const alone = this.#pick(first) === null;
    const firstBudgetMs = alone ? request.budgetMs : request.budgetMs / 2;
    const answer = await this.#ask(first, { ...request, budgetMs: firstBudgetMs });
    if (!WORTH_A_RETRY.has(answer.status)) return answer;
    const second = this.#pick(first);
    const leftMs = request.budgetMs - (now() - startedMs);
    if (second === null || leftMs < MIN_RETRY_BUDGET_MS) return answer;
    return this.#ask(second, { ...request, budgetMs: leftMs });
  }

  async #ask(replica: Replica, request: PoolRequest): Promise<LinkAnswer> {
    replica.health = noteSent(replica.health);
    replica.lastTurn = ++this.#turn;
    const answer = await replica.link.request(request);
    const before = replica.health;
    replica.health = REPLICA_FAULTS.has(answer.status) ? noteFailure(before, this.#options.now()) : noteSuccess(before);
    if (before.ejectedUntilMs === null && replica.health.ejectedUntilMs !== null) {
      this.#options.logger.warn(
        { inference: replica.link.url, code: 'inference_ejected', answer: answer.status },
        'replica ejected',
      );
    } else if (before.ejectedUntilMs !== null && replica.health.ejectedUntilMs === null) {
      this.#options.logger.info({ inference: replica.link.url }, 'replica taken back');
    }
    return answer;
  }

  #pick(except: Replica | null): Replica | null {
    const nowMs = this.#options.now();
    let best: Replica | null = null;
    for (const replica of this.#replicas.values()) {
      if (replica === except || replica.link.state !== 'connected' || !mayServe(replica.health, nowMs)) continue;
      if (best === null || comesBefore(replica, best)) best = replica;
    }
    return best;
  }

  #resolve(): void {
    this.#resolving ??= this.#lookUp().finally(() => {
      this.#resolving = null;
      if (!this.#active) return;
      this.#timer = setTimeout(() => this.#resolve(), this.#options.resolveEveryMs);
    });
  }

  async #lookUp(): Promise<void> {
    const { urls, logger, resolve, secret } = this.#options;
    const wanted = new Map<string, { url: string; address: string }>();
    let fault: string | null = null;
    await Promise.all(
      urls.map(async (url) => {
        try {
          for (const address of await resolve(new URL(url).hostname)) {
            wanted.set(`${address} ${new URL(url).port}`, { url, address });
          }
        } catch (error) {
          fault = describeError(error);
        }
      }),
    );
    if (!this.#active) return;
    if (fault !== null && fault !== this.#lastFault) {
      logger.warn(
        { code: 'inference_unresolved', reason: fault },
        'an inference host has no address; check INFERENCE_URL',
      );
    }
    this.#lastFault = fault;
    for (const [key, { url, address }] of wanted) {
      if (this.#replicas.has(key)) continue;
      const link = new InferenceLink(url, logger, { address, secret });
      this.#replicas.set(key, { link, health: HEALTHY, lastTurn: 0 });
      link.open();
    }
    // A failed lookup says nothing about replicas that are there.
    if (fault !== null) return;
    for (const [key, { link }] of this.#replicas) {
      if (wanted.has(key)) continue;
      this.#replicas.delete(key);
      link.retire();
    }
  }
}

function comesBefore(one: Replica, other: Replica): boolean {
  const difference = one.link.outstanding - other.link.outstanding;
  return difference < 0 || (difference === 0 && one.lastTurn < other.lastTurn);
}
