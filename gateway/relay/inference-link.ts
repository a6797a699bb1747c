import { isIP, type LookupFunction, type Socket } from 'node:net';
import { WebSocket } from 'ws';
import { type BackoffPolicy, backoffMs } from '../../shared/backoff.ts';
import { RelayError } from '../../shared/errors.ts';
import {
  decodeInferenceResponse,
  encodeInferenceRequest,
  type InferenceRequest,
  type InferenceResponse,
  LINK_PATH,
  LINK_SUBPROTOCOL,
  linkAuthorization,
} from '../../shared/link.ts';
import type { Logger } from '../lib/logger.ts';
import { GATHER_REQUESTS, gatherMs, NO_REQUESTS, noteRequest } from './gathering.ts';

/** What a request comes back with; `unavailable` when no replica could be reached. */
export type LinkAnswer = InferenceResponse | { readonly status: 'unavailable' } | { readonly status: 'expired' };

const CONNECT_TIMEOUT_MS = 3000;
const RECONNECT_MIN_MS = 100;
const RECONNECT: BackoffPolicy = { firstMs: 200, maxMs: 5000 };
const PING_EVERY_MS = 10_000;
/** Room beyond a request's budget for the answer to come back. */
const ANSWER_SLACK_MS = 250;
const MAX_BUFFERED_BYTES = 4 * 1024 * 1024;

interface Pending {
  readonly resolve: (answer: LinkAnswer) => void;
  readonly timer: NodeJS.Timeout;
}

export type LinkState = 'idle' | 'connecting' | 'connected' | 'waiting';

/**
 * One multiplexed WebSocket to one inference replica. Connects with open(), reconnects by
 * itself until release(), and answers every request: well, `expired` or `unavailable`.
 */
export class InferenceLink {
  readonly url: string;
  readonly #address: string | null;
  readonly #headers: Readonly<Record<string, string>>;
  readonly #logger: Logger;
  readonly #random: () => number;
  readonly #pending = new Map<number, Pending>();
  #socket: WebSocket | null = null;
  /** What the WebSocket writes to. */
  #transport: Socket | null = null;
  /** Requests that wait to be written together; null: none does. */
  #held: { count: number; timer: NodeJS.Timeout | null } | null = null;
  #rate = NO_REQUESTS;
  #state: LinkState = 'idle';
  #failures = 0;
  #retryTimer: NodeJS.Timeout | null = null;
  #pingTimer: NodeJS.Timeout | null = null;
  #ponged = true;
  #nextId = 1;
  #retired = false;

  /** `address` is the replica's own when the URL's host has several. */
  constructor(
    url: string,
    logger: Logger,
    options: { address?: string; secret?: string | null; random?: () => number } = {},
  ) {
    const target = new URL(LINK_PATH, url);
    target.protocol = target.protocol.replace('http', 'ws');
    this.url = target.toString();
    this.#address = options.address ?? null;
    const { secret = null } = options;
    this.#headers = secret === null ? {} : { authorization: linkAuthorization(secret) };
    this.#logger = logger;
    this.#random = options.random ?? Math.random;
  }

  get state(): LinkState {
    return this.#state;
  }

  get outstanding(): number {
    return this.#pending.size;
  }

  /** Opens the link if it is not open or opening. */
  open(): void {
    if (this.#state === 'idle') this.#connect();
  }

  /** Closes the link until the next open(): an idle gateway holds none. */
  release(): void {
    if (this.#retryTimer !== null) clearTimeout(this.#retryTimer);
    this.#retryTimer = null;
    const socket = this.#socket;
    this.#drop('idle');
    socket?.close(1000);
  }

  /** Takes no more requests and closes as soon as those under way are answered. */
  retire(): void {
    this.#retired = true;
    if (this.#pending.size === 0) this.release();
  }

  request(request: Omit<InferenceRequest, 'requestId'>): Promise<LinkAnswer> {
    const socket = this.#socket;
    if (this.#retired || this.#state !== 'connected' || socket === null || socket.bufferedAmount > MAX_BUFFERED_BYTES) {
      return Promise.resolve({ status: 'unavailable' });
    }
    const requestId = this.#nextId;
    this.#nextId = (this.#nextId % 0xffff_fffe) + 1;
    return new Promise((resolve) => {
      const timer = setTimeout(() => {
        this.#pending.delete(requestId);
        resolve({ status: 'expired' });
        if (this.#retired) this.retire();
      }, request.budgetMs + ANSWER_SLACK_MS);
      this.#pending.set(requestId, { resolve, timer });
      this.#holdWrites();
      socket.send(encodeInferenceRequest({ ...request, requestId }));
    });
  }

  /** Requests that come together, or soon after each other (gathering.ts), are written by one system call. */
  #holdWrites(): void {
    this.#rate = noteRequest(this.#rate, performance.now());
    const transport = this.#transport;
    if (transport === null) return;
    if (this.#held !== null) {
      this.#held.count += 1;
      if (this.#held.count === GATHER_REQUESTS) setImmediate(() => this.#writeHeld(transport));
      return;
    }
    transport.cork();
    const waitMs = gatherMs(this.#rate);
    this.#held = { count: 1, timer: waitMs === 0 ? null : setTimeout(() => this.#writeHeld(transport), waitMs) };
    if (waitMs === 0) setImmediate(() => this.#writeHeld(transport));
  }

  #writeHeld(transport: Socket): void {
    if (transport !== this.#transport || this.#held === null) return;
    if (this.#held.timer !== null) clearTimeout(this.#held.timer);
    this.#held = null;
    transport.uncork();
  }

  #connect(): void {
    this.#state = 'connecting';
    const socket = new WebSocket(this.url, LINK_SUBPROTOCOL, {
      perMessageDeflate: false,
      maxPayload: 64 * 1024,
      headers: this.#headers,
      handshakeTimeout: CONNECT_TIMEOUT_MS,
      // A mask keeps proxies from being fed by a hostile page (RFC 6455, 10.3). No page and no proxy is on this link,
      // and masking a picture costs both sides as much as everything else about it.
      generateMask: (mask) => mask.fill(0),
      ...(this.#address === null ? {} : lookupOf(this.#address)),
    });
    socket.binaryType = 'nodebuffer';
    this.#socket = socket;
    socket.on('upgrade', (response) => {
      this.#transport = response.socket;
    });
    socket.on('open', () => {
      if (this.#socket !== socket) return;
      this.#state = 'connected';
      this.#failures = 0;
      this.#ponged = true;
      this.#pingTimer = setInterval(() => this.#ping(socket), PING_EVERY_MS);
      this.#logger.info({ inference: this.url }, 'inference link open');
    });
    socket.on('pong', () => {
      this.#ponged = true;
    });
    socket.on('message', (data) => this.#receive(data as Buffer));
    socket.on('error', (error) => {
      if (this.#socket === socket && this.#failures === 0) {
        this.#logger.warn(
          { inference: this.url, code: 'inference_unavailable', reason: error.message },
          'inference link failed',
        );
      }
    });
    socket.on('close', () => {
      if (this.#socket !== socket) return;
      this.#drop('waiting');
      const waitMs = RECONNECT_MIN_MS + backoffMs(RECONNECT, this.#failures, this.#random);
      this.#failures += 1;
      this.#retryTimer = setTimeout(() => this.#connect(), waitMs);
    });
  }

  #ping(socket: WebSocket): void {
    if (!this.#ponged) {
      socket.terminate();
      return;
    }
    this.#ponged = false;
    socket.ping();
  }

  #receive(data: Buffer): void {
    let response: InferenceResponse;
    try {
      response = decodeInferenceResponse(data);
    } catch (error) {
      const code = error instanceof RelayError ? error.code : 'link_failed';
      this.#logger.error(
        { inference: this.url, code },
        'inference sent an unreadable answer; the link is opened again',
      );
      this.#socket?.terminate();
      return;
    }
    const pending = this.#pending.get(response.requestId);
    if (pending === undefined) return;
    this.#pending.delete(response.requestId);
    clearTimeout(pending.timer);
    pending.resolve(response);
    if (this.#retired) this.retire();
  }

  #drop(state: LinkState): void {
    if (this.#transport !== null) this.#writeHeld(this.#transport);
    this.#socket = null;
    this.#transport = null;
    this.#state = state;
    if (this.#pingTimer !== null) clearInterval(this.#pingTimer);
    this.#pingTimer = null;
    for (const { resolve, timer } of this.#pending.values()) {
      clearTimeout(timer);
      resolve({ status: 'unavailable' });
    }
    this.#pending.clear();
  }
}

/** Connects to this address while name and certificate stay those of the URL. */
function lookupOf(address: string): { lookup: LookupFunction; autoSelectFamily: boolean } {
  return {
    autoSelectFamily: false,
    lookup: (_hostname, _options, callback) => callback(null, address, isIP(address)),
  };
}
