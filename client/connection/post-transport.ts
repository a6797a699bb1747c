import type { Mode } from '../../shared/direction.ts';
import { RelayError } from '../../shared/errors.ts';
import { CLOSE } from '../../shared/protocol/errors.ts';
import {
  closeCodeOf,
  closePart,
  decodePost,
  encodePost,
  MAX_POST_PARTS,
  NO_TOKEN,
  nextPostNumber,
  POST_EXTRA_BYTES,
  type PostPart,
} from '../../shared/protocol/post.ts';
import { NamedTimers, type TimerSource } from './named-timers.ts';
import type { SocketEvent, SocketEventName, WebSocketLike } from './socket.ts';

/** Observations are collected for so long: a POST costs ten times what an observation does. */
const COLLECT_MS = 4000;
/** How long nothing was sent before the gateway is asked for what it has to say: while pictures flow, and while none do. */
const ASK_SOON_MS = 1000;
const ASK_LATE_MS = 10_000;
const FLOWING_MS = 5000;
/** Answers that are due are asked for sooner; each time that none has come, after twice as long. */
const ASK_AGAIN_MS = 300;
/** A POST without an answer for so long has failed: the gateway answers within two seconds. */
const POST_WITHIN_MS = 10_000;
/** A POST that failed is sent again, with the same number, so often. */
const MAX_TRIES = 3;
const RETRY_MS = 400;
/** With more than one picture under way, the later ones would only wait for the answer to the first. */
const SERVER_WINDOW = 1;
/** PROTOCOL.md, H-5. */
const DEVICE_WINDOW = 32;
/** Answers of proxies that have not reached the gateway, or not in time. */
const TRY_AGAIN_STATUS: readonly number[] = [408, 429, 500, 502, 503, 504];
/** No close code came: RFC 6455, section 7.1.5. */
const ABNORMAL = 1006;

export interface PostTransportOptions extends TimerSource {
  /** `http(s)://host/v1/stream` */
  readonly url: string;
  /** Monotonic clock, ms. */
  now(): number;
  fetch(url: string, init: RequestInit): Promise<Response>;
  /** Where observations are made: those of the device are collected, pictures are sent at once. */
  mode(): Mode;
}

/** POSTs, one after another, with what a WebSocket would carry (PROTOCOL.md, H-1). */
export class PostTransport implements WebSocketLike {
  binaryType = 'arraybuffer';
  /** What waits for the next POST leaves with it, whole: nothing fills up here beyond `window`. */
  readonly bufferedAmount = 0;
  /** Called once, when it has ended, whichever side ended it. */
  onEnd: () => void = () => {};
  readonly #options: PostTransportOptions;
  readonly #timers: NamedTimers<'post' | 'limit'>;
  readonly #listeners = new Map<SocketEventName, ((event: SocketEvent) => void)[]>();
  #queue: PostPart[] = [];
  #token = NO_TOKEN;
  #number = 0;
  #underWay: AbortController | null = null;
  #postedAtMs = Number.NEGATIVE_INFINITY;
  #binaryAtMs = Number.NEGATIVE_INFINITY;
  #unanswered = 0;
  #awaitsText = false;
  #emptyAnswers = 0;
  #isClosed = false;

  constructor(options: PostTransportOptions) {
    this.#options = options;
    this.#timers = new NamedTimers(options);
    this.#timers.set('post', 0, () => this.#emit({ type: 'open' }));
  }

  /** Most messages of the hot path without an acknowledgement. */
  get window(): number {
    return this.#options.mode() === 'device' ? DEVICE_WINDOW : SERVER_WINDOW;
  }

  addEventListener(type: SocketEventName, listener: (event: SocketEvent) => void): void {
    this.#listeners.set(type, [...(this.#listeners.get(type) ?? []), listener]);
  }

  send(data: string | Uint8Array<ArrayBuffer>): void {
    if (this.#isClosed) return;
    if (typeof data === 'string') {
      this.#queue.push({ kind: 'text', bytes: new TextEncoder().encode(data) });
      this.#awaitsText = true;
    } else {
      this.#queue.push({ kind: 'binary', bytes: data });
      this.#binaryAtMs = this.#options.now();
      this.#unanswered += 1;
    }
    this.#emptyAnswers = 0;
    this.#schedule();
  }

  /** Ends the connection. What is queued goes with the last POST, which outlives the page. */
  close(code?: number): void {
    if (this.#isClosed) return;
    this.#end();
    // Without a code the network is given up: a POST under way would only be in the way of newer ones.
    if (code === undefined) this.#underWay?.abort();
    if (this.#token === NO_TOKEN) return;
    const number = this.#underWay === null ? this.#number : nextPostNumber(this.#number);
    const parts = [...this.#queue.slice(0, MAX_POST_PARTS - 1), closePart(code ?? CLOSE.normal)];
    const body = encodePost({ token: this.#token, number, parts });
    this.#fetch(body, { keepalive: true }).catch(() => {
      // The gateway notices the silence.
    });
  }

  /** Ends the connection as if the network had: it is opened again, by whatever transport is chosen then. */
  giveUp(): void {
    if (this.#isClosed) return;
    this.close();
    this.#emit({ type: 'close', code: ABNORMAL });
  }

  #end(): void {
    this.#isClosed = true;
    this.#timers.clear('post');
    this.#timers.clear('limit');
    this.onEnd();
  }

  #emit(event: SocketEvent & { readonly type: SocketEventName }): void {
    for (const listener of this.#listeners.get(event.type) ?? []) listener(event);
  }

  /** Sets the moment of the next POST. */
  #schedule(): void {
    if (this.#isClosed || this.#underWay !== null) return;
    const dueAtMs = this.#postedAtMs + this.#pauseMs();
    this.#timers.set('post', Math.max(0, dueAtMs - this.#options.now()), () => this.#post());
  }

  #pauseMs(): number {
    const isDevice = this.#options.mode() === 'device';
    if (this.#queue.length > 0) return isDevice && this.#queue.every(({ kind }) => kind === 'binary') ? COLLECT_MS : 0;
    const flows = this.#options.now() - this.#binaryAtMs < FLOWING_MS;
    const idleMs = flows ? (isDevice ? COLLECT_MS : ASK_SOON_MS) : ASK_LATE_MS;
    if (this.#unanswered === 0 && !this.#awaitsText) return idleMs;
    return Math.min(idleMs, ASK_AGAIN_MS * 2 ** this.#emptyAnswers);
  }

  #post(): void {
    // Before the gateway has named the connection there is nothing to ask for.
    if (this.#token === NO_TOKEN && this.#queue.length === 0) return;
    const parts = this.#takeQueued();
    const number = this.#number;
    this.#postedAtMs = this.#options.now();
    void this.#exchange(encodePost({ token: this.#token, number, parts }), number);
  }

  /** As many parts as one POST takes: any one, and small ones. */
  #takeQueued(): PostPart[] {
    let bytes = 0;
    const over = this.#queue.findIndex((part, index) => {
      bytes += part.bytes.byteLength;
      return index > 0 && (index >= MAX_POST_PARTS || bytes > POST_EXTRA_BYTES / 2);
    });
    return this.#queue.splice(0, over === -1 ? this.#queue.length : over);
  }

  /** One POST until its answer. The gateway does not take a number twice, so that it may be sent again. */
  async #exchange(body: Uint8Array<ArrayBuffer>, number: number): Promise<void> {
    for (let tries = 1; !this.#isClosed; tries++) {
      const abort = new AbortController();
      this.#underWay = abort;
      this.#timers.set('limit', POST_WITHIN_MS, () => abort.abort());
      let answer: Uint8Array | null = null;
      let canRetry = true;
      try {
        const response = await this.#fetch(body, { signal: abort.signal });
        canRetry = TRY_AGAIN_STATUS.includes(response.status);
        if (response.status === 200) answer = new Uint8Array(await response.arrayBuffer());
      } catch {
        // The network, or what stands in it.
      }
      this.#timers.clear('limit');
      if (this.#isClosed) return;
      if (answer !== null && this.#read(answer, number)) {
        this.#underWay = null;
        this.#number = nextPostNumber(number);
        this.#schedule();
        return;
      }
      // A first POST that is sent again would use its ticket twice.
      if (answer !== null || !canRetry || tries === MAX_TRIES || this.#token === NO_TOKEN) {
        this.giveUp();
        return;
      }
      await new Promise<void>((resolve) => {
        this.#options.setTimer(resolve, RETRY_MS * tries);
      });
    }
  }

  /** Hands over what an answer brings. False where it is no answer to this POST. */
  #read(bytes: Uint8Array, number: number): boolean {
    let answer: ReturnType<typeof decodePost>;
    try {
      answer = decodePost(bytes);
    } catch (error) {
      if (error instanceof RelayError) return false;
      throw error;
    }
    if (answer.number !== number) return false;
    if (answer.token.byteLength > 0) this.#token = answer.token.slice();
    this.#emptyAnswers = answer.parts.length === 0 ? this.#emptyAnswers + 1 : 0;
    for (const part of answer.parts) {
      if (this.#isClosed) return true;
      this.#deliver(part);
    }
    return true;
  }

  #deliver(part: PostPart): void {
    switch (part.kind) {
      case 'text':
        this.#awaitsText = false;
        this.#emit({ type: 'message', data: new TextDecoder().decode(part.bytes) });
        return;
      case 'binary':
        this.#unanswered = Math.max(0, this.#unanswered - 1);
        this.#emit({ type: 'message', data: part.bytes.slice().buffer });
        return;
      case 'close':
        this.#end();
        this.#emit({ type: 'close', code: closeCodeOf(part) ?? ABNORMAL });
    }
  }

  /** With what a page may send to another origin without asking first (PROTOCOL.md, H-2). */
  #fetch(body: Uint8Array<ArrayBuffer>, init: RequestInit): Promise<Response> {
    return this.#options.fetch(this.#options.url, {
      method: 'POST',
      headers: { 'content-type': 'text/plain' },
      body,
      credentials: 'omit',
      referrerPolicy: 'no-referrer',
      ...init,
    });
  }
}
