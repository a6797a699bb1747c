/** One direction of a link: a bottleneck with a queue in front of it, then the way to the other end. */
export interface PathShape {
  /** Rate of the bottleneck, kbit/s; null = no bottleneck. */
  readonly kbps: number | null;
  /** One-way propagation, ms. */
  readonly delayMs: number;
  /** Bytes that may wait at the bottleneck; what does not fit is dropped (tail drop). */
  readonly queueBytes: number;
  readonly loss: LossShape;
}

/**
 * Loss of packets behind the queue, as Gilbert's two-state channel: in the bad state every packet is
 * lost. `share` is the share of packets lost in the long run, `burstPackets` the mean length of a run
 * of lost ones. Independent loss has bursts of 1 / (1 − share). (E. N. Gilbert, "Capacity of a
 * Burst-Noise Channel", 1960.)
 */
export interface LossShape {
  readonly share: number;
  readonly burstPackets: number;
}

export const NO_LOSS: LossShape = { share: 0, burstPackets: 1 };

/** Independent loss of `share` of the packets. */
export function independentLoss(share: number): LossShape {
  return { share, burstPackets: 1 / (1 - share) };
}

/** Bytes and packets of one direction since its beginning. */
export interface PathCounts {
  /** All packets that entered, headers and repetitions included, also those that got lost. */
  readonly wireBytes: number;
  readonly packets: number;
  /** Packets that the queue had no room for. */
  readonly overflowed: number;
  /** Packets lost on the way, outages included. */
  readonly lost: number;
}

/** Chance that a packet is lost after one that was (`inBurst`) or was not. */
export function lossChance(loss: LossShape, inBurst: boolean): number {
  if (loss.share <= 0) return 0;
  const leave = Math.min(1, 1 / loss.burstPackets);
  return inBurst ? 1 - leave : Math.min(1, (leave * loss.share) / (1 - loss.share));
}

/**
 * What happens to packets in one direction. Time (monotonic ms) and chance ([0, 1)) are parameters;
 * packets are offered in the order of time. All flows of a link share its paths.
 */
export class Path {
  readonly #random: () => number;
  #shape: PathShape;
  #freeAtMs = Number.NEGATIVE_INFINITY;
  #inBurst = false;
  #outage = false;
  #wireBytes = 0;
  #packets = 0;
  #overflowed = 0;
  #lost = 0;

  constructor(shape: PathShape, random: () => number) {
    this.#shape = shape;
    this.#random = random;
  }

  get shape(): PathShape {
    return this.#shape;
  }

  /** From now on. Packets already in the queue keep the times they got. */
  reshape(shape: PathShape): void {
    this.#shape = shape;
  }

  /** While it is out, everything is lost without a word. */
  set outage(out: boolean) {
    this.#outage = out;
  }

  get counts(): PathCounts {
    return { wireBytes: this.#wireBytes, packets: this.#packets, overflowed: this.#overflowed, lost: this.#lost };
  }

  /** Bytes that wait at the bottleneck, the packet on its way out included. */
  queuedBytes(nowMs: number): number {
    const { kbps } = this.#shape;
    return kbps === null ? 0 : (Math.max(0, this.#freeAtMs - nowMs) * kbps) / 8;
  }

  /** A packet of `bytes` enters. When it arrives at the other end, ms, or null when it never does. */
  offer(bytes: number, nowMs: number): number | null {
    const { kbps, delayMs, queueBytes, loss } = this.#shape;
    this.#wireBytes += bytes;
    this.#packets += 1;
    if (this.#outage) {
      this.#lost += 1;
      return null;
    }
    if (this.queuedBytes(nowMs) + bytes > queueBytes && kbps !== null) {
      this.#overflowed += 1;
      return null;
    }
    const leavesAtMs = kbps === null ? nowMs : Math.max(nowMs, this.#freeAtMs) + (bytes * 8) / kbps;
    this.#freeAtMs = leavesAtMs;
    this.#inBurst = this.#random() < lossChance(loss, this.#inBurst);
    if (this.#inBurst) {
      this.#lost += 1;
      return null;
    }
    return leavesAtMs + delayMs;
  }
}
