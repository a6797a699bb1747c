/** One acknowledgement, as the link's behaviour shows in it. */
export interface RttSample {
  readonly nowMs: number;
  /** From sending to the acknowledgement. */
  readonly rttMs: number;
  /** Bytes of the message on the wire. */
  readonly bytes: number;
}

/** What the acknowledgements so far say about the link. */
export interface LinkEstimate {
  /** Least round trips of small messages, in stretches of SPAN_MS, oldest first. */
  readonly small: readonly Least[];
  /** The same of pictures. */
  readonly pictures: readonly Least[];
  /** The newest round trips of pictures, oldest first. */
  readonly recent: readonly RttSample[];
  /** Delay beyond the empty link's own of the newest acknowledgements, ms, oldest first. */
  readonly queueingMs: readonly number[];
  /** Bytes per second that the uplink carries; null until pictures could be told from small messages. */
  readonly capacityBps: number | null;
}

interface Least {
  readonly fromMs: number;
  readonly rttMs: number;
}

export const NO_ESTIMATE: LinkEstimate = { small: [], pictures: [], recent: [], queueingMs: [], capacityBps: null };

/** A message up to this long says what the way itself takes. */
const SMALL_BYTES = 400;
/** Least round trips are remembered for 40 s: what delays longer than that is the way itself by now. */
const SPAN_MS = 10_000;
const SPANS = 4;
/** Pictures that the capacity is estimated from. */
const RECENT = 16;
/** Share of those whose estimate may lie above it: the ones that met the least queue say most. */
const CAPACITY_QUANTILE = 0.75;
/** Time that a picture takes at the gateway and in inference, and the way back: no fault of the uplink. */
const SERVICE_MS = 20;
/** Weight of the newest estimate in the mean. */
const CAPACITY_WEIGHT = 0.15;
/** Delays remembered for smoothing. */
const DELAYS = 3;

/** Round trip of a small message over the empty link, ms; null before the first acknowledgement. */
export function baseRttMs({ small, pictures, capacityBps, recent }: LinkEstimate): number | null {
  const bySmall = least(small);
  if (bySmall !== null) return bySmall;
  const byPictures = least(pictures);
  if (byPictures === null) return null;
  const bytes = recent.at(-1)?.bytes ?? 0;
  return Math.max(0, byPictures - serializationMs(bytes, capacityBps));
}

/** Takes in an acknowledgement. */
export function noteRtt(estimate: LinkEstimate, sample: RttSample): LinkEstimate {
  const isSmall = sample.bytes <= SMALL_BYTES;
  const remembered: LinkEstimate = {
    ...estimate,
    small: isSmall ? noteLeast(estimate.small, sample) : forgetOld(estimate.small, sample.nowMs),
    pictures: isSmall ? forgetOld(estimate.pictures, sample.nowMs) : noteLeast(estimate.pictures, sample),
    recent: isSmall ? estimate.recent : [...estimate.recent, sample].slice(-RECENT),
  };
  const capacityBps = isSmall ? estimate.capacityBps : estimateCapacity(remembered);
  const next = { ...remembered, capacityBps };
  const base = baseRttMs(next) ?? sample.rttMs;
  const delayMs = Math.max(0, sample.rttMs - base - (isSmall ? 0 : serializationMs(sample.bytes, capacityBps)));
  return { ...next, queueingMs: [...estimate.queueingMs, delayMs].slice(-DELAYS) };
}

/** Least queueing delay of the newest `count` acknowledgements, ms; null when there are fewer. One lost packet delays one or two. */
export function steadyQueueingMs({ queueingMs }: LinkEstimate, count: number): number | null {
  return queueingMs.length < count ? null : Math.min(...queueingMs.slice(-count));
}

/**
 * Capacity of the uplink: what a picture takes longer than a small message is the time its bytes
 * take (packet-size probing as in V. Jacobson's pathchar, with the traffic that is there anyway).
 */
function estimateCapacity({ small, recent, capacityBps }: LinkEstimate): number | null {
  const base = least(small);
  if (base === null) return capacityBps;
  const estimates = recent
    .map(({ bytes, rttMs }) => (bytes * 1000) / Math.max(1, rttMs - base - SERVICE_MS))
    .sort((a, b) => a - b);
  const estimated = estimates[Math.floor((estimates.length - 1) * CAPACITY_QUANTILE)];
  if (estimated === undefined) return capacityBps;
  return capacityBps === null ? estimated : capacityBps + CAPACITY_WEIGHT * (estimated - capacityBps);
}

function serializationMs(bytes: number, capacityBps: number | null): number {
  return capacityBps === null ? 0 : (bytes * 1000) / capacityBps;
}

function least(stretches: readonly Least[]): number | null {
  return stretches.length === 0 ? null : Math.min(...stretches.map(({ rttMs }) => rttMs));
}

function noteLeast(stretches: readonly Least[], { nowMs, rttMs }: RttSample): readonly Least[] {
  const last = stretches.at(-1);
  if (last === undefined || nowMs - last.fromMs >= SPAN_MS) {
    return forgetOld([...stretches, { fromMs: nowMs, rttMs }], nowMs);
  }
  return rttMs >= last.rttMs ? stretches : [...stretches.slice(0, -1), { ...last, rttMs }];
}

function forgetOld(stretches: readonly Least[], nowMs: number): readonly Least[] {
  return stretches.filter(({ fromMs }) => nowMs - fromMs <= SPANS * SPAN_MS);
}
