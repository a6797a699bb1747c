import { DIRECTIONS, type Direction } from '../direction.ts';

/** Frames with closed eyes that may be a blink. */
export interface ClosedRun {
  /** Where the time that the run covers begins, and when its first frame was taken. */
  readonly fromMs: number;
  readonly firstAtMs: number;
  /** Time covered by closed eyes, less what frames with open eyes in between took back. */
  readonly closedMs: number;
}

/**
 * One smoothed direction out of single frames' verdicts, by time and not by frames. Evidence against
 * the held direction gathers while frames disagree with it and fades while they agree; when it has
 * gathered for CHANGE_MS, or in two frames for CHANGE_BY_TWO_MS, the direction changes, and the change dates from when the evidence began.
 * A closed eye is first taken for a blink and says nothing until it has lasted.
 */
export interface Smoothing {
  readonly held: Direction;
  /** Since when the held direction is in doubt, ms; null when it is not. */
  readonly doubtSinceMs: number | null;
  /** Evidence against the held direction, ms. */
  readonly againstMs: number;
  /** The same evidence by direction, ms. */
  readonly againstByDirection: Readonly<Partial<Record<Direction, number>>>;
  /** A run of frames with closed eyes, or null. */
  readonly closedRun: ClosedRun | null;
}

/** Evidence that changes the direction. Frames of full weight for this long are enough. */
export const CHANGE_MS = 300;
/**
 * The same in one direction by more than one frame, of different moments: a single one may be wrong, two seldom are. Eyes that
 * were shut must be open for longer, or lids that flutter would count as open.
 */
const CHANGE_BY_TWO_MS = 200;
const MOMENT_MS = 90;
/**
 * Eyes count as closed when the frames with closed eyes cover CLOSED_COVER_MS and lie further apart
 * than a blink lasts. The first keeps the border between blink and closure at the same length for all
 * frame rates, the second keeps a blink that two slow frames hit from counting.
 */
export const CLOSED_COVER_MS = 700;
export const BLINK_MS = 400;
/** An open frame within a run takes back this many times the time it covers: lids that flutter are shut when they are so most of the time. */
const OPEN_TAKES_BACK = 1;
/** Time that may stay undecided. */
export const MAX_DOUBT_MS = 1200;

/** Confidence from which a frame counts in full, and the least a frame counts. */
const FULL_CONFIDENCE = 0.7;
const LEAST_WEIGHT = 0.3;

/** At the start, and after a gap: nothing is known. */
export const UNDECIDED: Smoothing = {
  held: 'unknown',
  doubtSinceMs: null,
  againstMs: 0,
  againstByDirection: {},
  closedRun: null,
};

/** Time up to `untilMs` was spent in `direction`. */
export interface Decision {
  readonly direction: Direction;
  readonly untilMs: number;
}

function settledAt(held: Direction): Smoothing {
  return { ...UNDECIDED, held };
}

/** Directions in which a gaze can be off the screen. */
const OFF_SCREEN: readonly Direction[] = [
  'looking_left',
  'looking_right',
  'looking_up',
  'looking_down',
  'face_turned',
  'distracted',
];

/**
 * The direction with the most evidence, or `held` when there is none. A gaze that is off the screen and in
 * none of its directions for half of that time wanders: it is `distracted`.
 */
function strongest(evidence: Smoothing['againstByDirection'], held: Direction): Direction {
  const msOf = (direction: Direction): number => evidence[direction] ?? 0;
  let best: Direction | null = null;
  for (const direction of DIRECTIONS) {
    if (msOf(direction) > 0 && (best === null || msOf(direction) > msOf(best))) best = direction;
  }
  if (best === null) return held;
  const offScreenMs = OFF_SCREEN.reduce((sum, direction) => sum + msOf(direction), 0);
  return OFF_SCREEN.includes(best) && msOf(best) * 2 < offScreenMs ? 'distracted' : best;
}

/** What the doubt amounts to when it cannot be waited for: the other direction from half of the needed evidence on. */
function leaning(smoothing: Smoothing): Direction {
  return smoothing.againstMs * 2 >= CHANGE_MS
    ? strongest(smoothing.againstByDirection, smoothing.held)
    : smoothing.held;
}

/** Ends all doubt at `atMs`, for the end of a session or a gap. The decisions cover all undecided time. */
export function resolveDoubt(smoothing: Smoothing, atMs: number): SmoothingStep {
  const direction = leaning(smoothing);
  return { smoothing: settledAt(direction), decisions: [{ direction, untilMs: atMs }] };
}

/** A smoothing and the decisions it has just made. */
export interface SmoothingStep {
  readonly smoothing: Smoothing;
  readonly decisions: readonly Decision[];
}

/** A frame with closed eyes while another direction is held. */
function closedFrame(before: Smoothing, fromMs: number, atMs: number): SmoothingStep {
  const run = before.closedRun ?? { fromMs, firstAtMs: atMs, closedMs: 0 };
  const closedMs = run.closedMs + (atMs - fromMs);
  if (closedMs >= CLOSED_COVER_MS && atMs - run.firstAtMs > BLINK_MS) {
    return {
      smoothing: settledAt('eyes_closed'),
      decisions: [
        { direction: leaning(before), untilMs: run.fromMs },
        { direction: 'eyes_closed', untilMs: atMs },
      ],
    };
  }
  const doubtSinceMs = before.doubtSinceMs ?? fromMs;
  return { smoothing: { ...before, doubtSinceMs, closedRun: { ...run, closedMs } }, decisions: [] };
}

/** A frame that agrees with the held direction. */
function agreeingFrame(before: Smoothing, evidenceMs: number, atMs: number): SmoothingStep {
  const againstMs = before.againstMs - evidenceMs;
  if (againstMs <= 0) {
    return { smoothing: settledAt(before.held), decisions: [{ direction: before.held, untilMs: atMs }] };
  }
  const share = againstMs / before.againstMs;
  const faded = Object.entries(before.againstByDirection).map(([name, ms]) => [name, ms * share] as const);
  return {
    smoothing: { ...before, closedRun: null, againstMs, againstByDirection: Object.fromEntries(faded) },
    decisions: [],
  };
}

/** A frame, not of closed eyes, that disagrees with the held direction. */
function disagreeingFrame(
  before: Smoothing,
  direction: Direction,
  evidenceMs: number,
  fromMs: number,
  atMs: number,
): SmoothingStep {
  const againstMs = before.againstMs + evidenceMs;
  const againstByDirection = {
    ...before.againstByDirection,
    [direction]: (before.againstByDirection[direction] ?? 0) + evidenceMs,
  };
  const isByTwo =
    atMs - fromMs >= MOMENT_MS &&
    before.againstByDirection[direction] !== undefined &&
    (againstByDirection[direction] ?? 0) >= CHANGE_BY_TWO_MS &&
    before.held !== 'eyes_closed';
  if (againstMs >= CHANGE_MS || isByTwo) {
    const held = strongest(againstByDirection, before.held);
    return { smoothing: settledAt(held), decisions: [{ direction: held, untilMs: atMs }] };
  }
  const doubtSinceMs = before.doubtSinceMs ?? fromMs;
  return {
    smoothing: { ...before, doubtSinceMs, againstMs, againstByDirection },
    decisions: [],
  };
}

/** Gives the oldest undecided time to the held direction where more than MAX_DOUBT_MS is open. */
function boundDoubt(step: SmoothingStep, atMs: number): SmoothingStep {
  const { smoothing, decisions } = step;
  const earliestMs = atMs - MAX_DOUBT_MS;
  if (smoothing.doubtSinceMs === null || smoothing.doubtSinceMs >= earliestMs) return step;
  return {
    smoothing: { ...smoothing, doubtSinceMs: earliestMs },
    decisions: [...decisions, { direction: smoothing.held, untilMs: earliestMs }],
  };
}

/**
 * Takes one frame's verdict, which covers the time from `fromMs` to `atMs`. Returns the new
 * smoothing and the decisions it makes about time so far, in order; time without a decision is still open.
 */
export function smooth(
  before: Smoothing,
  verdict: { readonly direction: Direction; readonly confidence: number },
  fromMs: number,
  atMs: number,
): SmoothingStep {
  const { direction } = verdict;
  const coveredMs = atMs - fromMs;
  if (direction === 'eyes_closed' && before.held !== 'eyes_closed') {
    return boundDoubt(closedFrame(before, fromMs, atMs), atMs);
  }
  let closedRun: ClosedRun | null = null;
  if (before.closedRun !== null) {
    const closedMs = before.closedRun.closedMs - OPEN_TAKES_BACK * coveredMs;
    if (closedMs > 0) {
      closedRun = { ...before.closedRun, closedMs };
      // A student may blink while turning away: only frames that agree wait for the end of the run.
      if (direction === before.held) return boundDoubt({ smoothing: { ...before, closedRun }, decisions: [] }, atMs);
    }
  }
  const certainty = direction === 'unknown' ? 1 : verdict.confidence / FULL_CONFIDENCE;
  const evidenceMs = coveredMs * Math.min(1, Math.max(LEAST_WEIGHT, certainty));
  return boundDoubt(
    direction === before.held
      ? agreeingFrame(before, evidenceMs, atMs)
      : disagreeingFrame({ ...before, closedRun }, direction, evidenceMs, fromMs, atMs),
    atMs,
  );
}
