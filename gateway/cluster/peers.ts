import { setTimeout as delay } from 'node:timers/promises';
import { errors, type Msg, type NatsConnection, type Subscription } from '@nats-io/transport-node';
import { describeError } from '../../shared/errors.ts';
import type { Logger } from '../lib/logger.ts';
import { within } from '../lib/timeout.ts';
import type { NatsConfig } from '../nats/config.ts';
import type { NatsLink } from '../nats/connection.ts';

/** How often a gateway says that it is there. */
export const BEAT_EVERY_MS = 1000;
/** A gateway that was not heard for this long is gone, or cut off. */
export const SILENT_AFTER_MS = 5000;
/** After so long without its turn a gateway cannot know what the others did meanwhile. */
export const LAPSED_AFTER_MS = 1000;
const TICK_MS = 250;
/** Gateways answer the first beat of another one at once. */
const MEET_MS = 400;
const MEET_STEP_MS = 50;
const MEET_LIMIT_MS = 2000;
/** Rows of a long answer that go into one message; NATS takes a megabyte by default. */
const ROWS_PER_MESSAGE = 1000;

/** Where gateways say that they are there. */
export const beatSubjectOf = ({ prefix }: Pick<NatsConfig, 'prefix'>): string => `${prefix}.gateways.beat`;

/** A gateway as it says of itself. */
export interface PeerInfo {
  /** Of this run of its process. */
  readonly id: string;
  /** Where the other gateways reach it, `http://host:port`. */
  readonly address: string;
  readonly version: string;
  /** Tells gateways with other secrets, without telling the secret. */
  readonly secretDigest: string;
}

export type Question = 'hand-over' | 'is-awaiting' | 'kept' | 'live' | 'is-connected' | 'forget';
export type Handlers = Readonly<Record<Question, (body: unknown) => Promise<unknown>>>;

/** `absent`: nothing listens there. `late`: no answer in time, and the gateway may be alive. */
export type Answer<T> = { readonly kind: 'answer'; readonly body: T } | { readonly kind: 'absent' | 'late' };

export interface AllAnswers<T> {
  readonly rows: readonly T[];
  /** Every gateway that was heard lately has answered. */
  readonly isComplete: boolean;
}

export interface PeersOptions {
  readonly link: NatsLink;
  readonly id: string;
  readonly self: () => Omit<PeerInfo, 'id'>;
  readonly handlers: Handlers;
  readonly logger: Logger;
  /** Called when this gateway had no turn for longer than LAPSED_AFTER_MS, and after each new connection to NATS. */
  readonly onLapsed: () => void;
  /** Called once a second while it takes part and is connected. */
  readonly onBeat: (connection: NatsConnection) => void;
}

const encode = (body: unknown) => JSON.stringify(body);

function isNoResponders(error: unknown): boolean {
  return error instanceof errors.NoRespondersError || (error instanceof errors.RequestError && error.isNoResponders());
}

/** The gateways that are connected to NATS now, and questions to them. */
export class Peers {
  readonly #options: PeersOptions;
  readonly #heard = new Map<string, { readonly info: PeerInfo; readonly atMs: number }>();
  readonly #warned = new Set<string>();
  readonly #beatSubject: string;
  #subscriptions: readonly Subscription[] = [];
  #connection: NatsConnection | null = null;
  #release: (() => void) | null = null;
  #timer: NodeJS.Timeout | null = null;
  #lastTickMs = 0;
  #lastBeatMs = 0;
  #joinedAtMs = 0;

  constructor(options: PeersOptions) {
    this.#options = options;
    this.#beatSubject = beatSubjectOf(options.link.config);
    options.link.onConnected(({ connection }) => {
      if (this.#release !== null) this.#subscribe(connection);
    });
  }

  get id(): string {
    return this.#options.id;
  }

  /** Takes part from now on: keeps the connection up, answers, and says that it is there. */
  join(): void {
    if (this.#release !== null) return;
    this.#release = this.#options.link.hold();
    this.#lastTickMs = performance.now();
    this.#joinedAtMs = this.#lastTickMs;
    this.#timer = setInterval(() => this.#tick(), TICK_MS);
    void this.#connect();
  }

  /** Takes no part from now on. */
  leave(): void {
    if (this.#release === null) return;
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#timer = null;
    this.#publish(this.#beatSubject, { ...this.#info(), isLeaving: true });
    for (const subscription of this.#subscriptions) subscription.unsubscribe();
    this.#subscriptions = [];
    this.#connection = null;
    this.#heard.clear();
    this.#release();
    this.#release = null;
  }

  get isMember(): boolean {
    return this.#release !== null;
  }

  /** True when this gateway has had no turn for so long that others may have taken its students over. */
  get isLapsed(): boolean {
    return this.isMember && performance.now() - this.#lastTickMs > LAPSED_AFTER_MS;
  }

  /** The other gateways that were heard lately. */
  others(): readonly PeerInfo[] {
    const now = performance.now();
    return [...this.#heard.values()].filter(({ atMs }) => now - atMs < SILENT_AFTER_MS).map(({ info }) => info);
  }

  /** Resolves when this gateway has had the time to hear of the others, or NATS does not answer. */
  async met(): Promise<void> {
    const untilMs = performance.now() + MEET_LIMIT_MS;
    while (!this.#hasMet && performance.now() < untilMs) await delay(MEET_STEP_MS);
  }

  get #hasMet(): boolean {
    return this.#connection !== null && performance.now() - this.#joinedAtMs > MEET_MS;
  }

  /** True once this gateway has listened for long enough to know who is silent. */
  get knowsOthers(): boolean {
    return this.#connection !== null && performance.now() - this.#joinedAtMs > SILENT_AFTER_MS;
  }

  /** Asks one gateway. Rejects with a RelayError where NATS itself does not answer. */
  async ask<T>(gatewayId: string, question: Question, body: unknown, withinMs: number): Promise<Answer<T>> {
    const subject = `${this.#options.link.config.prefix}.gateway.${gatewayId}.${question}`;
    return this.#options.link.use(async ({ connection }) => {
      try {
        const message = await connection.request(subject, encode(body), { timeout: withinMs });
        return { kind: 'answer', body: message.json<T>() };
      } catch (error) {
        if (isNoResponders(error)) return { kind: 'absent' };
        if (error instanceof errors.TimeoutError) return { kind: 'late' };
        throw error;
      }
    });
  }

  /**
   * Asks all other gateways and resolves with the rows of those that answer within `withinMs`; lists come in parts. The answer of
   * `goneId`, a gateway that is thought gone, is not waited for.
   */
  async askAll<T>(
    question: Question,
    body: unknown,
    withinMs: number,
    goneId: string | null = null,
  ): Promise<AllAnswers<T>> {
    await this.met();
    const subject = `${this.#options.link.config.prefix}.gateways.${question}`;
    const rows: T[] = [];
    let isComplete = false;
    await this.#options.link.use(async ({ connection }) => {
      const missing = new Set(this.others().map(({ id }) => id));
      if (goneId !== null) missing.delete(goneId);
      const inbox = `${this.#options.link.config.prefix}.answers.${crypto.randomUUID()}`;
      const subscription = connection.subscribe(inbox);
      const collected = (async () => {
        for await (const message of subscription) {
          const part = message.json<{ from: string; rows: readonly T[]; isLast: boolean }>();
          rows.push(...part.rows);
          if (part.isLast) missing.delete(part.from);
          if (missing.size === 0) return;
        }
      })();
      connection.publish(subject, encode(body), { reply: inbox });
      if (missing.size > 0) await within(collected, withinMs, undefined);
      subscription.unsubscribe();
      isComplete = missing.size === 0;
    });
    return { rows, isComplete };
  }

  async #connect(): Promise<void> {
    try {
      await this.#options.link.use(async ({ connection }) => {
        if (this.#release !== null) this.#subscribe(connection);
      });
    } catch (error) {
      this.#options.logger.debug({ reason: describeError(error) }, 'NATS is tried again');
    }
  }

  #subscribe(connection: NatsConnection): void {
    if (this.#connection !== connection) {
      this.#connection = connection;
      this.#joinedAtMs = performance.now();
      const { prefix } = this.#options.link.config;
      const answering = (Object.keys(this.#options.handlers) as Question[]).flatMap((question) => [
        connection.subscribe(`${prefix}.gateway.${this.id}.${question}`, {
          callback: (error, message) => {
            if (error === null) void this.#answerOne(question, message);
          },
        }),
        connection.subscribe(`${prefix}.gateways.${question}`, {
          callback: (error, message) => {
            if (error === null) void this.#answerRows(question, message);
          },
        }),
      ]);
      const beats = connection.subscribe(this.#beatSubject, {
        callback: (error, message) => {
          if (error === null) this.#hear(message);
        },
      });
      this.#subscriptions = [...answering, beats];
      this.#beat();
    }
    this.#options.onLapsed();
  }

  async #answerOne(question: Question, message: Msg): Promise<void> {
    try {
      message.respond(encode(await this.#options.handlers[question](message.json())));
    } catch (error) {
      this.#options.logger.error(
        { code: 'peer_failed', question, reason: describeError(error) },
        'no answer to a gateway',
      );
    }
  }

  async #answerRows(question: Question, message: Msg): Promise<void> {
    try {
      const given = await this.#options.handlers[question](message.json());
      const rows = Array.isArray(given) ? (given as unknown[]) : [given];
      for (let from = 0; from === 0 || from < rows.length; from += ROWS_PER_MESSAGE) {
        const isLast = from + ROWS_PER_MESSAGE >= rows.length;
        message.respond(encode({ from: this.id, rows: rows.slice(from, from + ROWS_PER_MESSAGE), isLast }));
      }
    } catch (error) {
      // Without an answer the gateway that asks knows that it failed.
      this.#options.logger.error(
        { code: 'peer_failed', question, reason: describeError(error) },
        'no answer to a gateway',
      );
    }
  }

  #info(): PeerInfo {
    return { id: this.id, ...this.#options.self() };
  }

  #publish(subject: string, body: unknown): void {
    try {
      this.#connection?.publish(subject, encode(body));
    } catch {
      // A connection that has just ended: the next one is announced by a beat of its own.
    }
  }

  #tick(): void {
    const nowMs = performance.now();
    const hasLapsed = nowMs - this.#lastTickMs > LAPSED_AFTER_MS;
    this.#lastTickMs = nowMs;
    if (hasLapsed) this.#options.onLapsed();
    if (nowMs - this.#lastBeatMs >= BEAT_EVERY_MS - TICK_MS / 2) this.#beat();
  }

  #beat(): void {
    this.#lastBeatMs = performance.now();
    if (this.#options.link.state() === 'open') this.#publish(this.#beatSubject, this.#info());
    else void this.#connect();
    if (this.#connection !== null) this.#options.onBeat(this.#connection);
  }

  #hear(message: Msg): void {
    const { isLeaving = false, ...info } = message.json<PeerInfo & { readonly isLeaving?: boolean }>();
    if (info.id === this.id) return;
    if (isLeaving) {
      this.#heard.delete(info.id);
      return;
    }
    if (!this.#heard.has(info.id)) {
      // The one who comes hears of this gateway at once, not with its next beat.
      this.#heard.set(info.id, { info, atMs: performance.now() });
      this.#publish(this.#beatSubject, this.#info());
      this.#compare(info);
      return;
    }
    this.#heard.set(info.id, { info, atMs: performance.now() });
  }

  /** Two secrets or two versions among gateways are the operator's to know. */
  #compare(other: PeerInfo): void {
    const own = this.#info();
    const faults = [
      ...(own.secretDigest === other.secretDigest
        ? []
        : ['another RELAY_JWT_SECRET: its tickets and tokens are refused here']),
      ...(own.version === other.version ? [] : [`version ${other.version}, this one is ${own.version}`]),
    ];
    for (const what of faults) {
      if (this.#warned.has(`${other.address} ${what}`)) continue;
      this.#warned.add(`${other.address} ${what}`);
      this.#options.logger.warn({ code: 'gateways_differ', gateway: other.address }, `another gateway has ${what}`);
    }
  }
}
