import type { Suspect } from '../../shared/metrics-window.ts';

/** A live camera's numbers differ from picture to picture: so many in a row that do not are no accident. */
const MIN_RUN = 10;
/** Observations of a stretch that later ones are compared with, and how many of those may come again. */
const KEPT = 32;
const MIN_REPEATED = 8;
/** After so many observations others are kept: about 15 minutes, so that a loop up to that long is found. */
const STRETCH = 2250;

/** One digest in so many is remembered for later sessions, chosen by its value: a replay is found wherever in a session it begins. */
const SAMPLED = 32;
/** Digests remembered of one session, the newest: an hour. */
const MAX_SAMPLES = 256;
/** Remembered digests that come again, after which it is a replay: about a minute of one. */
const MIN_REPLAYED = 4;

/** What a device's observations looked like so far, as plain data. Values are digests of observations with a face. */
export interface Suspicion {
  readonly last: number;
  readonly beforeLast: number;
  /** Observations in a row that equal the one before. */
  readonly constant: number;
  /** Observations in a row that equal the one before the last and not the last. */
  readonly alternating: number;
  readonly kept: readonly number[];
  readonly sinceKept: number;
  readonly repeated: number;
  /** Digests of this session that its student's later ones are compared with. */
  readonly samples: readonly number[];
  /** The same of the student's earlier sessions. */
  readonly earlier: readonly number[];
  /** Different ones of those that came again. */
  readonly replayed: readonly number[];
  /** Why the session is suspect, once it is; the first reason stays. */
  readonly reason: Suspect | null;
}

export const NO_SUSPICION: Suspicion = {
  last: 0,
  beforeLast: 0,
  constant: 0,
  alternating: 0,
  kept: [],
  sinceKept: 0,
  repeated: 0,
  samples: [],
  earlier: [],
  replayed: [],
  reason: null,
};

/** A digest that is remembered, or is known from an earlier session. */
function noteSample(before: Suspicion, digest: number): Pick<Suspicion, 'samples' | 'replayed'> {
  const { samples, earlier, replayed } = before;
  if (digest % SAMPLED !== 0) return { samples, replayed };
  if (earlier.includes(digest)) {
    return { samples, replayed: replayed.includes(digest) ? replayed : [...replayed, digest] };
  }
  return { samples: samples.includes(digest) ? samples : [...samples, digest].slice(-MAX_SAMPLES), replayed };
}

/**
 * Takes note of a device's observation with a face; `digest` identifies its values. It finds what cannot come from a live
 * camera: the same values again and again, two in turn, or a stretch that is played again, of this session or of an earlier one. What somebody makes up with noise
 * in it is not found.
 */
export function noteObservation(before: Suspicion, digest: number): Suspicion {
  if (before.reason !== null) return before;
  const constant = digest === before.last ? before.constant + 1 : 0;
  const alternating = digest === before.beforeLast && digest !== before.last ? before.alternating + 1 : 0;
  const isNewStretch = before.sinceKept >= STRETCH;
  const kept = isNewStretch ? [] : before.kept;
  const isKnown = kept.includes(digest);
  const repeated = isNewStretch ? 0 : before.repeated + (isKnown && constant === 0 && kept.length === KEPT ? 1 : 0);
  const noted: Suspicion = {
    last: digest,
    beforeLast: before.last,
    constant,
    alternating,
    kept: isKnown || kept.length === KEPT ? kept : [...kept, digest],
    sinceKept: isNewStretch ? 0 : before.sinceKept + 1,
    repeated,
    ...noteSample(before, digest),
    earlier: before.earlier,
    reason: null,
  };
  if (constant >= MIN_RUN) return { ...noted, reason: 'constant' };
  if (alternating >= MIN_RUN) return { ...noted, reason: 'alternating' };
  if (repeated >= MIN_REPEATED) return { ...noted, reason: 'repeating' };
  return noted.replayed.length >= MIN_REPLAYED ? { ...noted, reason: 'replayed' } : noted;
}
