import type { EventQueue } from './events.ts';
import type { Path } from './path.ts';

/** Payload of a full segment on a path with an MTU of 1500 bytes. */
export const MSS_BYTES = 1448;
/** IPv4 and TCP headers with the timestamp option. */
export const HEADER_BYTES = 52;

/** RFC 6928. */
const INITIAL_WINDOW = 10;
/**
 * A segment is lost when one sent this much later was received, or any later one and a quarter of the
 * least round trip has passed since (RFC 8985).
 */
const REORDERING_SEGMENTS = 3;
const REORDERING_SHARE = 0.25;
/** RFC 6298, with the floor of 200 ms on the variance that Linux has. */
const FIRST_RTO_MS = 1000;
const LEAST_VARIANCE_MS = 200;
const LONGEST_RTO_MS = 120_000;

interface Segment {
  readonly bytes: Uint8Array;
  readonly isEnd: boolean;
  state: 'waiting' | 'in_flight' | 'lost' | 'acknowledged';
  /** Which sending of the flow the last one was, and when. */
  sending: number;
  sentAtMs: number;
  repeated: boolean;
  received: boolean;
}

/** What arrives at the far end, in order. */
export interface FlowEnds {
  deliver(bytes: Uint8Array): void;
  end(): void;
}

/**
 * One direction of a TCP connection as a simulation: segments, congestion window (slow start and
 * Reno's additive increase), selective acknowledgements, fast retransmit and retransmission timeouts
 * with exponential backoff, over two paths. It shows what an application sees of loss and outages on
 * TCP: stalls, in order. Every segment is acknowledged by itself; acknowledgements can get lost.
 */
export class TcpFlow {
  readonly #forth: Path;
  readonly #back: Path;
  readonly #events: EventQueue;
  readonly #ends: FlowEnds;
  /** Segments from the first unacknowledged one on, in order. */
  #segments: Segment[] = [];
  /** Of those, the ones that the receiver has handed on. */
  #deliveredCount = 0;
  #inFlight = 0;
  #unsentBytes = 0;
  #payloadBytes = 0;
  #sendings = 0;
  /** Receptions that the sender has not heard of, in their order: an acknowledgement tells of all up to its own. */
  readonly #receptions: { readonly segment: Segment; readonly sending: number }[] = [];
  #receptionCount = 0;
  #heardOf = 0;
  #newestHeard = -1;
  #newestRoundTripMs = 0;
  #leastRoundTripMs = Number.POSITIVE_INFINITY;
  #window = INITIAL_WINDOW;
  #threshold = Number.POSITIVE_INFINITY;
  /** Losses of sendings before this one have been answered already. */
  #recoveredFrom = 0;
  #smoothedMs: number | null = null;
  #varianceMs = 0;
  #backoff = 1;
  #timer = 0;
  #closed = false;

  constructor(forth: Path, back: Path, events: EventQueue, ends: FlowEnds) {
    this.#forth = forth;
    this.#back = back;
    this.#events = events;
    this.#ends = ends;
  }

  /** Bytes that were never sent yet. */
  get unsentBytes(): number {
    return this.#unsentBytes;
  }

  /** Payload sent so far, each byte once. */
  get payloadBytes(): number {
    return this.#payloadBytes;
  }

  /** The application writes. */
  write(bytes: Uint8Array, nowMs: number): void {
    for (let from = 0; from < bytes.length; from += MSS_BYTES) {
      this.#segments.push(newSegment(bytes.subarray(from, from + MSS_BYTES), false));
    }
    this.#unsentBytes += bytes.length;
    this.#send(nowMs);
  }

  /** The application closes: the other end learns it after everything before. */
  end(nowMs: number): void {
    this.#segments.push(newSegment(new Uint8Array(0), true));
    this.#send(nowMs);
  }

  /** Nothing happens on this flow any more. */
  close(): void {
    this.#closed = true;
  }

  #send(nowMs: number): void {
    for (const segment of this.#segments) {
      if (this.#inFlight >= this.#window) break;
      if (segment.state === 'lost' || segment.state === 'waiting') this.#transmit(segment, nowMs);
    }
  }

  #transmit(segment: Segment, nowMs: number): void {
    if (segment.state === 'waiting') {
      this.#unsentBytes -= segment.bytes.length;
      this.#payloadBytes += segment.bytes.length;
    } else {
      segment.repeated = true;
    }
    const sending = this.#sendings++;
    Object.assign(segment, { state: 'in_flight', sending, sentAtMs: nowMs });
    this.#inFlight += 1;
    const arrivesAtMs = this.#forth.offer(segment.bytes.length + HEADER_BYTES, nowMs);
    if (arrivesAtMs !== null) this.#events.at(arrivesAtMs, (atMs) => this.#receive(segment, sending, atMs));
    if (this.#inFlight === 1) this.#armTimer(nowMs);
  }

  /** At the far end. */
  #receive(segment: Segment, sending: number, nowMs: number): void {
    if (this.#closed) return;
    this.#receptions.push({ segment, sending });
    const told = ++this.#receptionCount;
    segment.received = true;
    const acknowledgedAtMs = this.#back.offer(HEADER_BYTES, nowMs);
    if (acknowledgedAtMs !== null) this.#events.at(acknowledgedAtMs, (atMs) => this.#acknowledge(told, atMs));
    for (let next = this.#segments[this.#deliveredCount]; next?.received; next = this.#segments[this.#deliveredCount]) {
      this.#deliveredCount += 1;
      if (next.isEnd) this.#ends.end();
      else this.#ends.deliver(next.bytes);
    }
  }

  /** At the near end: the receiver has got everything up to its reception number `told`. */
  #acknowledge(told: number, nowMs: number): void {
    if (this.#closed || told <= this.#heardOf) return;
    const wasLimited = this.#inFlight >= this.#window || this.#unsentBytes > 0;
    let newest: Segment | null = null;
    for (const { segment, sending } of this.#receptions.splice(0, told - this.#heardOf)) {
      this.#newestHeard = Math.max(this.#newestHeard, sending);
      if (segment.state === 'acknowledged') continue;
      if (segment.state === 'in_flight') this.#inFlight -= 1;
      segment.state = 'acknowledged';
      newest = segment;
      if (wasLimited) this.#window += this.#window < this.#threshold ? 1 : 1 / this.#window;
    }
    this.#heardOf = told;
    if (newest !== null) {
      // Karn: a repeated segment says nothing about the round trip.
      if (!newest.repeated) this.#measure(nowMs - newest.sentAtMs);
      this.#backoff = 1;
    }
    this.#noticeLosses(nowMs);
    this.#forgetAcknowledged();
    this.#armTimer(nowMs);
    this.#send(nowMs);
  }

  #noticeLosses(nowMs: number): void {
    let checkAtMs = Number.POSITIVE_INFINITY;
    for (const segment of this.#segments) {
      const laterBy = this.#newestHeard - segment.sending;
      if (segment.state !== 'in_flight' || laterBy <= 0) continue;
      const waitUntilMs = segment.sentAtMs + this.#newestRoundTripMs + REORDERING_SHARE * this.#leastRoundTripMs;
      if (laterBy < REORDERING_SEGMENTS && nowMs < waitUntilMs) {
        checkAtMs = Math.min(checkAtMs, waitUntilMs);
        continue;
      }
      segment.state = 'lost';
      this.#inFlight -= 1;
      if (segment.sending < this.#recoveredFrom) continue;
      this.#recoveredFrom = this.#sendings;
      this.#threshold = Math.max(2, this.#window / 2);
      this.#window = this.#threshold;
    }
    if (checkAtMs === Number.POSITIVE_INFINITY) return;
    this.#events.at(checkAtMs, (atMs) => {
      if (this.#closed) return;
      this.#noticeLosses(atMs);
      this.#send(atMs);
    });
  }

  #forgetAcknowledged(): void {
    let count = 0;
    while (count < this.#deliveredCount && this.#segments[count]?.state === 'acknowledged') count += 1;
    if (count === 0) return;
    this.#segments = this.#segments.slice(count);
    this.#deliveredCount -= count;
  }

  #measure(roundTripMs: number): void {
    this.#newestRoundTripMs = roundTripMs;
    this.#leastRoundTripMs = Math.min(this.#leastRoundTripMs, roundTripMs);
    if (this.#smoothedMs === null) {
      this.#smoothedMs = roundTripMs;
      this.#varianceMs = roundTripMs / 2;
      return;
    }
    this.#varianceMs += (Math.abs(this.#smoothedMs - roundTripMs) - this.#varianceMs) / 4;
    this.#smoothedMs += (roundTripMs - this.#smoothedMs) / 8;
  }

  #rtoMs(): number {
    const baseMs =
      this.#smoothedMs === null ? FIRST_RTO_MS : this.#smoothedMs + Math.max(LEAST_VARIANCE_MS, 4 * this.#varianceMs);
    return Math.min(LONGEST_RTO_MS, baseMs * this.#backoff);
  }

  #armTimer(nowMs: number): void {
    const timer = ++this.#timer;
    if (this.#inFlight === 0) return;
    this.#events.at(nowMs + this.#rtoMs(), (atMs) => {
      if (timer === this.#timer && !this.#closed) this.#timeOut(atMs);
    });
  }

  #timeOut(nowMs: number): void {
    for (const segment of this.#segments) if (segment.state === 'in_flight') segment.state = 'lost';
    this.#inFlight = 0;
    this.#threshold = Math.max(2, this.#window / 2);
    this.#window = 1;
    this.#recoveredFrom = this.#sendings;
    this.#backoff *= 2;
    this.#send(nowMs);
  }
}

function newSegment(bytes: Uint8Array, isEnd: boolean): Segment {
  return { bytes, isEnd, state: 'waiting', sending: -1, sentAtMs: 0, repeated: false, received: false };
}
