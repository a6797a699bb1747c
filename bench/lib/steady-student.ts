import { faceAtScreen, NO_FACE } from '../../harness/observations.ts';
import { Peer } from '../../harness/peer.ts';

const EVERY_MS = 200;
/** An observation that has had no answer for so long is lost. */
const LOST_MS = 10_000;

/** What a student did and saw, by the student's own reckoning; ms. */
export interface SteadyTruth {
  readonly userId: number;
  readonly sessionId: string;
  /** Time between acknowledged observations, by what they showed. */
  readonly focusedMs: number;
  readonly unfocusedMs: number;
  readonly observations: number;
}

/**
 * A student in device mode over one connection that must hold: at the screen and away by turns of `turnMs`, five observations
 * a second, each with the little movement of a live camera.
 */
export class SteadyStudent {
  readonly #peer: Peer;
  readonly #userId: number;
  readonly #sessionId: string;
  readonly #zeroMs: number;
  readonly #turnMs: number;
  readonly #timer: NodeJS.Timeout;
  readonly #waiting = new Map<
    number,
    { readonly captureMs: number; readonly isFocused: boolean; readonly sentMs: number }
  >();
  #latenciesMs: number[] = [];
  #ackedMs: number;
  #focusedMs = 0;
  #unfocusedMs = 0;
  #observations = 0;
  #seq = 0;

  private constructor(peer: Peer, given: { userId: number; sessionId: string; clockMs: number; turnMs: number }) {
    this.#peer = peer;
    this.#userId = given.userId;
    this.#sessionId = given.sessionId;
    this.#turnMs = given.turnMs;
    this.#ackedMs = given.clockMs;
    this.#zeroMs = performance.now() - given.clockMs;
    peer.socket.on('message', () => this.#read());
    this.#timer = setInterval(() => this.#observe(), EVERY_MS);
  }

  /** Connects and starts. Rejects where the gateway does not let the student in. */
  static async start(options: {
    readonly url: string;
    readonly ticket: string;
    readonly userId: number;
    readonly turnMs: number;
  }): Promise<SteadyStudent> {
    const peer = await Peer.open(options.url);
    const { sessionId, clockMs } = await peer.hello(options.ticket);
    await peer.start(clockMs, { widthPx: 640, heightPx: 480 }, 'device');
    return new SteadyStudent(peer, { ...options, sessionId, clockMs });
  }

  /** Latencies of the answers since the last call, ms; an observation that still waits counts with its age. */
  takeLatenciesMs(): readonly number[] {
    const nowMs = performance.now();
    const latenciesMs = [...this.#latenciesMs, ...[...this.#waiting.values()].map(({ sentMs }) => nowMs - sentMs)];
    this.#latenciesMs = [];
    return latenciesMs;
  }

  get isConnected(): boolean {
    return this.#peer.socket.readyState === this.#peer.socket.OPEN;
  }

  /** Ends the session; resolves with the truth once the gateway says that it is saved. */
  async finish(): Promise<SteadyTruth> {
    clearInterval(this.#timer);
    const deadlineMs = performance.now() + LOST_MS;
    while (this.#waiting.size > 0 && performance.now() < deadlineMs) {
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    await this.#peer.stop(this.#ackedMs);
    await this.#peer.close();
    return {
      userId: this.#userId,
      sessionId: this.#sessionId,
      focusedMs: this.#focusedMs,
      unfocusedMs: this.#unfocusedMs,
      observations: this.#observations,
    };
  }

  #observe(): void {
    if (!this.isConnected || this.#waiting.size >= 2) return;
    const sentMs = performance.now();
    const captureMs = Math.round(sentMs - this.#zeroMs);
    const isFocused = Math.floor(captureMs / this.#turnMs + this.#userId / 3) % 2 === 0;
    const seq = this.#seq;
    this.#seq = (seq + 1) & 0xffff;
    this.#waiting.set(seq, { captureMs, isFocused, sentMs });
    const move = 0.4 * (seq % 7) + (captureMs % 13) / 20;
    const looked = faceAtScreen({ headYawDeg: move });
    const observation = isFocused ? looked : { ...NO_FACE, brightness: 0.5 + move / 100 };
    this.#peer.send({ kind: 'observation', seq, captureMs, late: false, observation });
  }

  /** Books what was answered. */
  #read(): void {
    const nowMs = performance.now();
    for (const { seq, outcome } of this.#peer.updates.splice(0)) {
      const sent = this.#waiting.get(seq);
      this.#waiting.delete(seq);
      if (sent === undefined || outcome !== 'processed') continue;
      this.#latenciesMs.push(nowMs - sent.sentMs);
      const coveredMs = sent.captureMs - this.#ackedMs;
      if (sent.isFocused) this.#focusedMs += coveredMs;
      else this.#unfocusedMs += coveredMs;
      this.#ackedMs = sent.captureMs;
      this.#observations += 1;
    }
  }
}
