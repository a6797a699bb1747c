import { ProtocolError } from '../../shared/protocol/errors.ts';
import {
  closePart,
  encodePost,
  NO_TOKEN,
  nextPostNumber,
  type Post,
  type PostPart,
} from '../../shared/protocol/post.ts';
import { type BucketLimits, fullBucket, takeTokens } from '../session/token-bucket.ts';
import { MAX_MISSED_CHECKS, type Transport } from '../session/transport.ts';
import { HttpFault } from './faults.ts';

/** A picture is answered within its budget at inference, and the way there; what is not ready goes with a later answer. */
const HOLD_BINARY_MS = 1200;
/** Some control messages have no answer. */
const HOLD_TEXT_MS = 400;
/** A close waits so long for a POST that takes it. */
const LINGER_MS = 10_000;
/** A client has one POST under way and pauses between them: twice what pictures at the highest rate would need. */
const RATE: BucketLimits = { perSecond: 40, burst: 80 };

/** What takes the messages: a stream. */
export interface PostReceiver {
  receiveText(text: string): void;
  receiveBinary(bytes: Uint8Array): void;
  dispatch(event: { readonly type: 'fault'; readonly error: ProtocolError; readonly seq: null }): void;
}

export interface PostTransportOptions {
  readonly token: Uint8Array;
  /** Monotonic clock, ms. */
  readonly now: () => number;
  /** It is closed, in order or not: once. */
  readonly onClosed: () => void;
  /** Its token is no longer good: once. */
  readonly onForgotten: () => void;
}

/** POSTs of one student, one after another, as a transport: what is sent waits for the answer to the next of them. */
export class PostTransport implements Transport {
  readonly kind = 'post';
  readonly #options: PostTransportOptions;
  #receiver: PostReceiver | null = null;
  #outgoing: PostPart[] = [];
  #outgoingBytes = 0;
  #nextNumber = 0;
  /** The newest POST and its answer, for the client that did not get it. */
  #newest: { readonly number: number; readonly answer: Promise<Uint8Array<ArrayBuffer>> } | null = null;
  #held: { readonly wanted: number; readonly release: () => void } | null = null;
  #updates = 0;
  #bucket = fullBucket(RATE, 0);
  #missedChecks = 0;
  #isOpen = true;
  #linger: NodeJS.Timeout | undefined;

  constructor(options: PostTransportOptions) {
    this.#options = options;
  }

  get isOpen(): boolean {
    return this.#isOpen;
  }

  get bufferedAmount(): number {
    return this.#outgoingBytes;
  }

  attach(receiver: PostReceiver): void {
    this.#receiver = receiver;
  }

  /**
   * Takes what a POST brings and resolves with the body of its answer: once there is one for each of its binary messages,
   * or the time is up. Rejects with HttpFault `post_out_of_order`.
   */
  async receive({ number, parts }: Post): Promise<Uint8Array<ArrayBuffer>> {
    if (this.#newest?.number === number) return this.#newest.answer;
    if (number !== this.#nextNumber) {
      throw new HttpFault(409, 'post_out_of_order', `POST ${number} came where ${this.#nextNumber} was expected`);
    }
    this.#nextNumber = nextPostNumber(number);
    this.#missedChecks = 0;
    this.#held?.release();
    this.#updates = 0;
    this.#takeIn(parts);
    const binaries = parts.filter(({ kind }) => kind === 'binary').length;
    const answer = this.#answer(number, parts.length === 0 ? null : binaries);
    this.#newest = { number, answer };
    return answer;
  }

  send(data: string | Uint8Array): void {
    if (!this.#isOpen) return;
    if (typeof data === 'string') {
      this.#queue({ kind: 'text', bytes: Buffer.from(data) });
    } else {
      this.#updates += 1;
      this.#queue({ kind: 'binary', bytes: data });
    }
  }

  close(code: number): void {
    if (!this.#isOpen) return;
    this.#queue(closePart(code));
    this.#end();
    this.#linger = setTimeout(() => this.#options.onForgotten(), LINGER_MS);
    this.#linger.unref();
    this.#held?.release();
  }

  checkAlive(): void {
    if (this.#missedChecks >= MAX_MISSED_CHECKS) this.terminate();
    else this.#missedChecks += 1;
  }

  /** Ends it without a word. */
  terminate(): void {
    clearTimeout(this.#linger);
    this.#outgoing = [];
    this.#end();
    this.#options.onForgotten();
    this.#held?.release();
  }

  #end(): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    // Not at once: the stream may be in the middle of the step that closes it.
    queueMicrotask(this.#options.onClosed);
  }

  #takeIn(parts: readonly PostPart[]): void {
    const drawn = takeTokens(this.#bucket, RATE, this.#options.now(), 1);
    this.#bucket = drawn.bucket;
    const receiver = this.#receiver;
    if (receiver === null) return;
    if (!drawn.taken) {
      const reason = `more than ${RATE.burst} POSTs at once, or ${RATE.perSecond} a second for long`;
      receiver.dispatch({ type: 'fault', error: new ProtocolError('rate_exceeded', reason), seq: null });
    }
    for (const part of parts) {
      if (!this.#isOpen) return;
      if (part.kind === 'text') receiver.receiveText(Buffer.from(part.bytes).toString('utf8'));
      else if (part.kind === 'binary') receiver.receiveBinary(part.bytes);
      else this.terminate();
    }
  }

  #queue(part: PostPart): void {
    this.#outgoing.push(part);
    this.#outgoingBytes += part.bytes.byteLength;
    if (this.#held !== null && this.#isAnswered(this.#held.wanted)) this.#held.release();
  }

  /** `wanted`: binary messages to be answered; 0 where there were only texts. */
  #isAnswered(wanted: number): boolean {
    if (!this.#isOpen) return true;
    return wanted === 0 ? this.#outgoing.length > 0 : this.#updates >= wanted;
  }

  #answer(number: number, wanted: number | null): Promise<Uint8Array<ArrayBuffer>> {
    const token = number === 0 ? this.#options.token : NO_TOKEN;
    const take = () => {
      const parts = this.#outgoing;
      this.#outgoing = [];
      this.#outgoingBytes = 0;
      return encodePost({ token, number, parts });
    };
    if (wanted === null || this.#isAnswered(wanted)) return Promise.resolve(take());
    return new Promise((resolve) => {
      const release = () => {
        clearTimeout(timer);
        this.#held = null;
        resolve(take());
      };
      const timer = setTimeout(release, wanted === 0 ? HOLD_TEXT_MS : HOLD_BINARY_MS);
      this.#held = { wanted, release };
    });
  }
}
